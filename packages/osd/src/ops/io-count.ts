/** What ops add to a PG's counters (object_stat_sum_t: num_rd, num_rd_kb, num_wr, num_wr_kb), as PrimaryLogPG::do_osd_ops counts. */
import { type OsdOp, OsdOpCode, type OsdOpResult, outputBytes, writesameArgs } from '@spirula/messages';

export interface OpsIo {
  readonly reads: number;
  /** Each op's rounded up to a KiB. */
  readonly readBytes: number;
  readonly writes: number;
  /** Each op's rounded up to a KiB. */
  readonly writeBytes: number;
}

export const NO_IO: OpsIo = { reads: 0, readBytes: 0, writes: 0, writeBytes: 0 };

const KIB = 1024;

export function sumOfIo(a: OpsIo, b: OpsIo): OpsIo {
  return {
    reads: a.reads + b.reads,
    readBytes: a.readBytes + b.readBytes,
    writes: a.writes + b.writes,
    writeBytes: a.writeBytes + b.writeBytes,
  };
}

function readOf(bytes = 0): OpsIo {
  return { ...NO_IO, reads: 1, readBytes: Math.ceil(bytes / KIB) * KIB };
}

function writeOf(bytes = 0): OpsIo {
  return { ...NO_IO, writes: 1, writeBytes: Math.ceil(bytes / KIB) * KIB };
}

/**
 * Of an op that has succeeded, and, if it writes, changed something. What is not named here counts as nothing: creation, hints,
 * watches, guards, checksums, calls, whose methods' ops count themselves.
 *
 * @param copiedBytes of what a copyFrom brought
 */
export function ioOf(op: OsdOp, answer: Pick<OsdOpResult, 'output' | 'pieces'>, copiedBytes: number): OpsIo {
  const { output } = answer;
  switch (op.code) {
    case OsdOpCode.read:
    case OsdOpCode.getxattr:
    case OsdOpCode.getxattrs:
    case OsdOpCode.omapGetKeys:
    case OsdOpCode.omapGetVals:
    case OsdOpCode.omapGetHeader:
    case OsdOpCode.omapGetValsByKeys:
      return readOf(output.length);
    case OsdOpCode.sparseRead:
      // The data count, not the map of them.
      return readOf(outputBytes(answer) - output.length);
    case OsdOpCode.cmpext:
      return readOf(op.input.length);
    case OsdOpCode.mapext:
    case OsdOpCode.cmpxattr:
    case OsdOpCode.stat:
    case OsdOpCode.isDirty:
    case OsdOpCode.listWatchers:
    case OsdOpCode.listSnaps:
    case OsdOpCode.omapCmp:
      return readOf();
    case OsdOpCode.write:
    case OsdOpCode.writefull:
    case OsdOpCode.append:
    case OsdOpCode.omapSetVals:
      return writeOf(op.input.length);
    case OsdOpCode.writesame:
      return writeOf(writesameArgs(op).length);
    case OsdOpCode.copyFrom:
    case OsdOpCode.copyFrom2:
      return writeOf(copiedBytes);
    case OsdOpCode.zero:
    case OsdOpCode.truncate:
    case OsdOpCode.delete:
    case OsdOpCode.undirty:
    case OsdOpCode.setxattr:
    case OsdOpCode.rmxattr:
    case OsdOpCode.omapSetHeader:
    case OsdOpCode.omapClear:
    case OsdOpCode.omapRmKeys:
    case OsdOpCode.omapRmKeyRange:
      return writeOf();
    default:
      return NO_IO;
  }
}
