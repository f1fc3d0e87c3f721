/** Ops that change an object's data or existence (PrimaryLogPG::do_osd_ops). */
import { type Bytes, Errno } from '@spirula/encoding';
import { copyFromInput, extentArgs, OpFlag, type OsdOp, OsdOpCode, writesameArgs } from '@spirula/messages';
import { invariant } from '@spirula/world';
import type { ObjectDraft } from '../object-draft.ts';
import { storedAttrName } from '../object-info.ts';
import { changedSince } from '../rollback.ts';
import { DONE, failed, type OpContext, type OpHandler, type OpOutcome } from './op-context.ts';
import { disconnectWatchers } from './watch.ts';

/** check_offset_and_length */
function fitsObject({ environment }: OpContext, offset: number, length: number): boolean {
  const max = environment.config.osd_max_object_size;
  return offset < max && length <= max && offset + length <= max;
}

function write(context: OpContext, op: OsdOp): OpOutcome {
  const { offset, length, truncateSeq, truncateSize } = extentArgs(op);
  if (length !== op.input.length) return failed(Errno.EINVAL);
  return writeAt(context, offset, op.input, truncateSeq, truncateSize);
}

function writeAt(
  context: OpContext,
  offset: number,
  data: Bytes,
  truncateSeq: number,
  truncateSize: number,
): OpOutcome {
  const { draft } = context;
  let written = data;
  // An old write that arrives after the truncation that was ordered behind it.
  if (context.truncateSeq > truncateSeq && offset + data.length > draft.size) {
    written = data.subarray(0, Math.max(0, draft.size - offset));
  }
  if (!fitsObject(context, offset, written.length)) return failed(Errno.EFBIG);
  if (truncateSeq > context.truncateSeq) {
    if (!fitsObject(context, 0, truncateSize)) return failed(Errno.EFBIG);
    // The write comes before the truncation that it was ordered behind.
    if (draft.exists) truncateTo(draft, truncateSize);
    context.truncateSeq = truncateSeq;
    context.truncateSize = truncateSize;
  }
  if (written.length > 0) {
    draft.probeEdges(offset, offset + written.length);
    draft.write(offset, written);
  } else if (offset > draft.size) draft.truncate(offset);
  else draft.create();
  return DONE;
}

function writeFull(context: OpContext, op: OsdOp): OpOutcome {
  const { draft } = context;
  if (extentArgs(op).length !== op.input.length) return failed(Errno.EINVAL);
  if (!fitsObject(context, 0, op.input.length)) return failed(Errno.EFBIG);
  if (op.input.length < draft.size) draft.truncate(op.input.length);
  if (op.input.length > 0) draft.write(0, op.input);
  else draft.create();
  return DONE;
}

function append(context: OpContext, op: OsdOp): OpOutcome {
  const { length, truncateSeq, truncateSize } = extentArgs(op);
  if (length !== op.input.length) return failed(Errno.EINVAL);
  return writeAt(context, context.draft.size, op.input, truncateSeq, truncateSize);
}

function writeSame(context: OpContext, op: OsdOp): OpOutcome {
  const { offset, length, dataLength } = writesameArgs(op);
  if (length === 0) return DONE;
  if (dataLength === 0 || length % dataLength !== 0 || dataLength !== op.input.length) return failed(Errno.EINVAL);
  if (!fitsObject(context, offset, length)) return failed(Errno.EFBIG);
  const data = new Uint8Array(length);
  for (let at = 0; at < length; at += dataLength) data.set(op.input, at);
  context.draft.probeEdges(offset, offset + length);
  context.draft.write(offset, data);
  return DONE;
}

function truncate(context: OpContext, op: OsdOp): OpOutcome {
  const { offset, length, truncateSeq, truncateSize } = extentArgs(op);
  if (!context.draft.exists) return DONE;
  if (!fitsObject(context, offset, length)) return failed(Errno.EFBIG);
  // -1 in truncate_size with sequence 1 is how old kernels say none.
  const ordered = truncateSeq !== 0 && !(truncateSeq === 1 && truncateSize >= 2 ** 64);
  if (ordered) {
    if (truncateSize !== offset) return failed(Errno.EINVAL);
    if (truncateSeq <= context.truncateSeq) return DONE;
    context.truncateSeq = truncateSeq;
    context.truncateSize = truncateSize;
  }
  truncateTo(context.draft, offset);
  return DONE;
}

function truncateTo(draft: ObjectDraft, size: number): void {
  if (size < draft.size) draft.probeEdges(size, draft.size);
  draft.truncate(size);
}

/** Never extends the object; zeroing up to its end or beyond cuts it off. */
function zero(context: OpContext, op: OsdOp): OpOutcome {
  const { draft } = context;
  const { offset, length } = extentArgs(op);
  const { osd_max_object_size: max } = context.environment.config;
  const reachesEnd = offset < max && length >= 1 && length <= max && offset + length >= draft.size;
  if (draft.exists && reachesEnd) {
    if (offset < draft.size) truncateTo(draft, offset);
    return DONE;
  }
  if (!fitsObject(context, offset, length)) return failed(Errno.EFBIG);
  if (draft.exists && length > 0) {
    draft.probeEdges(offset, offset + length);
    draft.zero(offset, length);
  }
  return DONE;
}

function create({ draft }: OpContext, op: OsdOp): OpOutcome {
  if (draft.exists && (op.flags & OpFlag.excl) !== 0) return failed(Errno.EEXIST);
  draft.create();
  return DONE;
}

function remove(context: OpContext): OpOutcome {
  if (!context.draft.exists) return failed(Errno.ENOENT);
  context.draft.remove();
  disconnectWatchers(context);
  context.truncateSeq = 0;
  context.truncateSize = 0;
  return DONE;
}

/** The object becomes a copy of another, whatever it was (PrimaryLogPG::finish_copyfrom). */
function copyFrom(context: OpContext, op: OsdOp): OpOutcome {
  const { draft } = context;
  const copied = context.copies.get(op);
  invariant(copied !== undefined, 'what is copied was read before');
  if (draft.exists) draft.remove();
  draft.create();
  if (copied.data.length > 0) draft.write(0, copied.data);
  for (const [name, value] of copied.xattrs) draft.setAttr(storedAttrName(name), value);
  if (copied.omapHeader.length > 0) draft.omapSetHeader(copied.omapHeader);
  if (copied.omap.size > 0) draft.omapSet(copied.omap);
  context.copied = copied;
  const { truncateSeq, truncateSize } = copyFromInput(op);
  context.truncateSeq = truncateSeq;
  context.truncateSize = truncateSize;
  return DONE;
}

/** The object becomes what it was in a snapshot (PrimaryLogPG::_rollback_to). */
function rollback(context: OpContext, op: OsdOp): OpOutcome {
  const { draft, snapset } = context;
  const source = context.rollbacks.get(op);
  invariant(source !== undefined, 'what is rolled back to was looked up before');
  if (source === 'absent') {
    if (draft.exists) remove(context);
  } else if (source === 'head') {
    if (draft.exists) draft.create();
  } else draft.rollBack(source, changedSince(snapset, source.oid.snap, draft.size));
  return DONE;
}

/** The store has no use for the hint; the object is created, as in Ceph. */
function setAllocHint({ draft }: OpContext): OpOutcome {
  draft.create();
  return DONE;
}

export const writeOps: readonly (readonly [code: number, handler: OpHandler])[] = [
  [OsdOpCode.write, write],
  [OsdOpCode.writefull, writeFull],
  [OsdOpCode.append, append],
  [OsdOpCode.writesame, writeSame],
  [OsdOpCode.truncate, truncate],
  [OsdOpCode.zero, zero],
  [OsdOpCode.create, create],
  [OsdOpCode.delete, remove],
  [OsdOpCode.copyFrom, copyFrom],
  [OsdOpCode.copyFrom2, copyFrom],
  [OsdOpCode.rollback, rollback],
  [OsdOpCode.setAllocHint, setAllocHint],
];
