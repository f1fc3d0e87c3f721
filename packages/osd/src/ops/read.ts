/** Ops that read an object's data and what is known of it (PrimaryLogPG::do_read, do_sparse_read, do_extent_cmp …). */
import { type Bytes, EMPTY, Encoder, Errno, encodeUTime } from '@spirula/encoding';
import { assertVerArgs, extentArgs, NOSNAP, type OsdOp, OsdOpCode } from '@spirula/messages';
import type { Extents } from '@spirula/objectstore';
import type { SnapClone } from '../snap-set.ts';
import { answered, DONE, failed, type OpContext, type OpHandler } from './op-context.ts';

/** A mismatch at byte n of cmpext is -(MAX_ERRNO + n). */
const MAX_ERRNO = 4095;

/** The part of the object that an op asks for, within its size. To a plain read no length is all there is. */
function clip(
  context: OpContext,
  op: OsdOp,
  noLength: 'all' | 'nothing' = 'nothing',
): { readonly offset: number; readonly length: number } {
  const { offset, length, truncateSeq, truncateSize } = extentArgs(op);
  let size = context.draft.size;
  // The client knows of a truncation that has not reached this object yet.
  if (context.truncateSeq < truncateSeq && offset + length > truncateSize) size = Math.min(size, truncateSize);
  const wanted = length === 0 && noLength === 'all' ? size : length;
  return { offset, length: Math.max(0, Math.min(wanted, size - offset)) };
}

/** In a write, where alone there may be no object, nothing is read from it. */
function read(context: OpContext, op: OsdOp) {
  const { offset, length } = clip(context, op, 'all');
  return readAnswer(length === 0 ? EMPTY : context.draft.read(offset, length));
}

function readAnswer(data: Bytes | undefined) {
  return data === undefined ? failed(Errno.ENOENT) : answered(data);
}

/** Answers which parts hold data, then the data of those. */
function sparseRead(context: OpContext, op: OsdOp) {
  if (!context.draft.exists) return failed(Errno.ENOENT);
  if (extentArgs(op).truncateSeq !== 0) return failed(Errno.EINVAL);
  if (!context.draft.isStored) return failed(Errno.ENOENT);
  const { offset, length } = clip(context, op);
  const extents = context.draft.extents(offset, length);
  const pieces = extents.map((each) => context.draft.read(each.offset, each.length) ?? EMPTY);
  const output = new Encoder(8 + 16 * extents.length);
  encodeExtents(output, extents);
  output.u32(pieces.reduce((sum, { length: bytes }) => sum + bytes, 0));
  return { ...answered(output.finish()), pieces };
}

function mapExtents(context: OpContext, op: OsdOp) {
  if (!context.draft.exists) return failed(Errno.ENOENT);
  const { offset, length } = clip(context, op);
  const output = new Encoder(64);
  encodeExtents(output, context.draft.extents(offset, length));
  return answered(output.finish());
}

function encodeExtents(output: Encoder, extents: Extents): void {
  output.list(extents, ({ offset, length }) => {
    output.u64(offset);
    output.u64(length);
  });
}

function stat({ draft, mtime }: OpContext) {
  if (!draft.exists) return failed(Errno.ENOENT);
  const output = new Encoder(16);
  output.u64(draft.size);
  encodeUTime(output, mtime);
  return answered(output.finish());
}

/** Fails unless the object, zeros behind its end, has the given bytes. */
function compareExtent({ draft }: OpContext, op: OsdOp) {
  const expected = op.input;
  const { offset } = extentArgs(op);
  const actual = (draft.exists ? draft.read(offset, expected.length) : undefined) ?? EMPTY;
  for (let i = 0; i < expected.length; i++) {
    if (expected[i] !== (i < actual.length ? actual[i] : 0)) return failed(-MAX_ERRNO - i);
  }
  return DONE;
}

function assertVersion({ userVersion }: OpContext, op: OsdOp) {
  const { version } = assertVerArgs(op);
  if (version === 0) return failed(Errno.EINVAL);
  if (version < userVersion) return failed(Errno.ERANGE);
  return version > userVersion ? failed(Errno.EOVERFLOW) : DONE;
}

/** The clones with their snapshots, oldest first, and behind them the head unless it is deleted. */
function listSnaps({ draft, snapset }: OpContext) {
  const head: SnapClone = { id: NOSNAP, snaps: [], size: draft.size, overlap: [] };
  const output = new Encoder(64);
  output.struct(2, 1, () => {
    output.list([...snapset.clones, ...(draft.exists ? [head] : [])], ({ id, snaps, size, overlap }) =>
      output.struct(1, 1, () => {
        output.u64big(id);
        output.list([...snaps].reverse(), (snap) => output.u64big(snap));
        output.list(overlap, ({ offset, length }) => {
          output.u64(offset);
          output.u64(length);
        });
        output.u64(size);
      }),
    );
    output.u64big(snapset.seq);
  });
  return answered(output.finish());
}

export const readOps: readonly (readonly [code: number, handler: OpHandler])[] = [
  [OsdOpCode.read, read],
  [OsdOpCode.sparseRead, sparseRead],
  [OsdOpCode.mapext, mapExtents],
  [OsdOpCode.stat, stat],
  [OsdOpCode.cmpext, compareExtent],
  [OsdOpCode.assertVer, assertVersion],
  [OsdOpCode.listSnaps, listSnaps],
];
