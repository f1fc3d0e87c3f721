/** What is done with an object of an image's data (cls/rbd/cls_rbd.cc, copyup, sparsify, assert_snapc_seq). */
import { type Bytes, Errno } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, type ClassMethod, MethodFlag, method, NOTHING, rawMethod } from '../object-class.ts';

const READ_WRITE = MethodFlag.read | MethodFlag.write;

function exists(object: MethodContext): boolean {
  try {
    object.stat();
    return true;
  } catch (error) {
    if (error instanceof ClassError && error.code === Errno.ENOENT) return false;
    throw error;
  }
}

interface SparseData {
  /** Lengths by offsets. */
  readonly extents: ReadonlyMap<number, number>;
  /** Of all of them, one after the other. */
  readonly data: Bytes;
}

/** What the parent has, where the clone has nothing of its own yet. */
function sparseCopyup(object: MethodContext, { extents, data }: SparseData): void {
  if (exists(object)) return;
  if (extents.size === 0) {
    object.create(true);
    return;
  }
  let at = 0;
  for (const [offset, length] of [...extents].sort(([a], [b]) => a - b)) {
    if (at + length > data.length) throw new ClassError(Errno.EINVAL);
    object.write(offset, data.subarray(at, at + length));
    at += length;
  }
}

/** Whether a write with the snapshots up to `seq` would make a clone of the object. */
const SeqCheck = { newer: 0, notNewer: 1 } as const;

function assertSnapcSeq(object: MethodContext, { seq, state }: { seq: bigint; state: number }): void {
  const isNewer = !hasSeqFrom(object, seq);
  if (state !== SeqCheck.newer && state !== SeqCheck.notNewer) throw new ClassError(Errno.EOPNOTSUPP);
  if (isNewer !== (state === SeqCheck.newer)) throw new ClassError(Errno.ERANGE);
}

/** Whether the object exists and knows of `seq` or a newer snapshot. */
function hasSeqFrom(object: MethodContext, seq: bigint): boolean {
  try {
    return object.snapsetSeq() >= seq;
  } catch (error) {
    if (error instanceof ClassError && error.code === Errno.ENOENT) return false;
    throw error;
  }
}

interface SparsifyInput {
  readonly sparseSize: number;
  /** Whether an object of zeros goes altogether. */
  readonly removeEmpty: boolean;
}

/** Leaves out pieces of zeros, in units of `sparseSize` bytes. */
function sparsify(object: MethodContext, { sparseSize, removeEmpty }: SparsifyInput): void {
  if (sparseSize === 0) throw new ClassError(Errno.EINVAL);
  object.stat();
  const data = object.read(0, 0);
  const pieces = piecesWithData(data, sparseSize);
  const [first] = pieces;
  if (first === undefined) {
    if (removeEmpty) object.remove();
    else if (data.length > 0) replace(object, 0, data.subarray(0, 0));
    return;
  }
  if (first.from === 0 && first.to === data.length) return;
  replace(object, first.from, data.subarray(first.from, first.to));
  for (const { from, to } of pieces.slice(1)) object.write(from, data.subarray(from, to));
}

/** cls_cxx_replace. */
function replace(object: MethodContext, offset: number, data: Bytes): void {
  object.truncate(0);
  object.write(offset, data);
}

interface Piece {
  readonly from: number;
  to: number;
}

function piecesWithData(data: Bytes, unit: number): Piece[] {
  const pieces: Piece[] = [];
  for (let from = 0; from < data.length; from += unit) {
    const to = Math.min(from + unit, data.length);
    if (data.subarray(from, to).every((byte) => byte === 0)) continue;
    const last = pieces.at(-1);
    if (last?.to === from) last.to = to;
    else pieces.push({ from, to });
  }
  return pieces;
}

export const dataObjectMethods: Readonly<Record<string, ClassMethod>> = {
  copyup: rawMethod(READ_WRITE, (object, input) => {
    if (!exists(object)) object.write(0, input);
    return NOTHING;
  }),
  sparse_copyup: method(
    READ_WRITE,
    (input): SparseData => ({
      extents: input.map(
        'extents',
        16,
        () => input.u64('offset'),
        () => input.u64('length'),
      ),
      data: input.blob('data'),
    }),
    sparseCopyup,
  ),
  assert_snapc_seq: method(
    READ_WRITE,
    (input) => ({ seq: input.u64big('seq'), state: input.u8('state') }),
    assertSnapcSeq,
  ),
  sparsify: method(
    READ_WRITE,
    (input): SparsifyInput => ({
      sparseSize: input.u64saturating('sparse size'),
      removeEmpty: input.bool('remove empty'),
    }),
    sparsify,
  ),
};
