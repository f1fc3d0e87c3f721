/** Calls of object classes' methods (PrimaryLogPG::do_osd_ops, CEPH_OSD_OP_CALL; osd/osd_op_util.cc, OpInfo). */
import { type ClassRegistry, MethodFlag, type ResolvedMethod, runMethod } from '@spirula/cls';
import { Errno, MalformedInput } from '@spirula/encoding';
import { callArgs, type OsdOp, OsdOpCode } from '@spirula/messages';
import { OpMethodContext } from './method-context.ts';
import { failed, type OpContext, type OpHandler, type OpOutcome } from './op-context.ts';
import { isWatchPing } from './watch.ts';

/** CEPH_OSD_OP_MODE_WR: set in the code of every op that changes the object, but for calls. */
const WRITE_MODE = 0x2000;

/** The method that an op calls, or the errno it is refused with. */
export function resolveCall(op: OsdOp, classes: ClassRegistry): ResolvedMethod | number {
  try {
    const { cls, method } = callArgs(op);
    return classes.resolve(cls, method);
  } catch (error) {
    if (error instanceof MalformedInput) return Errno.EINVAL;
    throw error;
  }
}

/** Whether an op may change the object; of a call its method says. */
export function modifies(op: OsdOp, classes: ClassRegistry): boolean {
  if (op.code !== OsdOpCode.call) return (op.code & WRITE_MODE) !== 0 && !isWatchPing(op);
  const resolved = resolveCall(op, classes);
  return typeof resolved !== 'number' && (resolved.method.flags & MethodFlag.write) !== 0;
}

/** 0, or why a request is refused for the methods it calls, whatever its other ops say. */
export function checkCalls(ops: readonly OsdOp[], classes: ClassRegistry): number {
  for (const op of ops) {
    if (op.code !== OsdOpCode.call) continue;
    const resolved = resolveCall(op, classes);
    if (typeof resolved === 'number') return resolved;
    const { flags } = resolved.method;
    // What neither reads nor writes has no place in the order of requests.
    if (ops.length === 1 && (flags & (MethodFlag.read | MethodFlag.write)) === 0) return Errno.EINVAL;
  }
  return 0;
}

function call(context: OpContext, op: OsdOp): OpOutcome {
  const resolved = resolveCall(op, context.environment.classes);
  if (typeof resolved === 'number') return failed(resolved);
  const { method } = resolved;
  const object = new OpMethodContext(context);
  const outcome = runMethod(method, object, callArgs(op).input);
  const exceeds =
    (object.hasRead && (method.flags & MethodFlag.read) === 0) ||
    (object.hasWritten && (method.flags & MethodFlag.write) === 0);
  return exceeds ? failed(Errno.EIO) : outcome;
}

export const callOps: readonly (readonly [code: number, handler: OpHandler])[] = [[OsdOpCode.call, call]];
