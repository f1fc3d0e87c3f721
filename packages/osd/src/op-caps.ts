/** What a client's request needs of its capabilities (PrimaryLogPG::op_has_sufficient_caps, OpInfo::set_from_op). */
import { type ClassCall, MalformedCaps, type OsdAsk, OsdCaps } from '@spirula/auth';
import { type ClassRegistry, MethodFlag } from '@spirula/cls';
import { textFromRaw } from '@spirula/encoding';
import type { OsdMap } from '@spirula/maps';
import { type OsdOp, OsdOpCode, type OsdOpMessage } from '@spirula/messages';
import { modifies, resolveCall } from './ops/call.ts';

/** CEPH_OSD_OP_MODE_RD: in the code of ops that read. */
const READS = 0x1000;

/** Undefined: everything. What cannot be read grants nothing. */
export function parseCaps(caps: string | undefined): OsdCaps {
  if (caps === undefined) return OsdCaps.everything;
  try {
    return OsdCaps.parse(caps);
  } catch (error) {
    if (!(error instanceof MalformedCaps)) throw error;
    return OsdCaps.nothing;
  }
}

/** What a request asks to do. A method that there is not is no question of capabilities. */
export function askOf(
  { ops, locator, oid, pgid }: OsdOpMessage,
  { pools, poolNames }: OsdMap,
  classes: ClassRegistry,
): OsdAsk {
  return {
    pool: poolNames.get(pgid.pool) ?? '',
    namespace: textFromRaw(locator.nspace),
    applications: pools.get(pgid.pool)?.applicationMetadata ?? new Map(),
    object: textFromRaw(locator.key === '' ? oid : locator.key),
    reads: ops.some(reads),
    writes: ops.some((op) => op.code !== OsdOpCode.call && modifies(op, classes)),
    calls: ops.flatMap((op) => (op.code === OsdOpCode.call ? callOf(op, classes) : [])),
  };
}

/** Whether a request tells of its object (OpInfo::may_read). */
export function mayRead(ops: readonly OsdOp[], classes: ClassRegistry): boolean {
  return ops.some((op) => (op.code === OsdOpCode.call ? callOf(op, classes).some((call) => call.reads) : reads(op)));
}

/** Who begins to watch depends on who does already. What a method needs is asked for the method. */
function reads({ code }: OsdOp): boolean {
  return code === OsdOpCode.watch || ((code & READS) !== 0 && code !== OsdOpCode.call);
}

function callOf(op: OsdOp, classes: ClassRegistry): ClassCall[] {
  const resolved = resolveCall(op, classes);
  if (typeof resolved === 'number') return [];
  const { className, methodName, method, isDefault } = resolved;
  return [
    {
      className: textFromRaw(className),
      method: textFromRaw(methodName),
      reads: (method.flags & MethodFlag.read) !== 0,
      writes: (method.flags & MethodFlag.write) !== 0,
      isListed: isDefault,
    },
  ];
}
