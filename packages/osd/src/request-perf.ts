/** What a request counts as that was carried out (PrimaryLogPG::log_op_stats, DynamicPerfStats::add). */
import type { ClassRegistry } from '@spirula/cls';
import { type OsdPerfCounters, outputBytes } from '@spirula/messages';
import type { Instant } from '@spirula/world';
import type { ClientOp } from './client-op.ts';
import { mayRead } from './op-caps.ts';
import { mayWrite, type OpsOutcome } from './op-engine.ts';

const NS_PER_US = 1000;

/** @param took since it arrived */
export function perfOfRequest(
  { message: { ops } }: ClientOp,
  outcome: Pick<OpsOutcome, 'ops' | 'changes' | 'modifies'>,
  took: Instant,
  classes: ClassRegistry,
): OsdPerfCounters {
  const latency = took * NS_PER_US;
  const writes = mayWrite(ops, classes);
  const reads = mayRead(ops, classes);
  return {
    writeOps: writes ? 1 : 0,
    readOps: reads ? 1 : 0,
    writeBytes: writes ? writtenBytes(outcome) : 0,
    // What a request says that has changed something does not count.
    readBytes: reads && !outcome.modifies ? outcome.ops.reduce((sum, op) => sum + outputBytes(op), 0) : 0,
    writeLatency: writes ? latency : 0,
    readLatency: reads ? latency : 0,
  };
}

/** Of data, zeros included (PGTransaction::get_bytes_written). */
function writtenBytes({ changes }: Pick<OpsOutcome, 'changes'>): number {
  let bytes = 0;
  for (const change of changes) {
    if (change.op === 'write') bytes += change.data.length;
    else if (change.op === 'zero') bytes += change.length;
  }
  return bytes;
}
