/** Which objects of an image exist, in the data of an object of its own (cls/rbd/cls_rbd.cc, object_map_*). */
import { Decoder, Errno } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, type ClassMethod, MethodFlag, method } from '../object-class.ts';
import { encodeWith } from '../stored-key.ts';
import {
  BitVector,
  BLOCK_BYTES,
  blockRange,
  crcOf,
  decodeBitVector,
  decodeBitVectorHeader,
  encodeBitVector,
  HEADER_BYTES,
} from './bit-vector-codec.ts';

const READ = MethodFlag.read;
const READ_WRITE = MethodFlag.read | MethodFlag.write;
const noInput = () => undefined;

/** OBJECT_*; clean: unchanged since the newest snapshot. */
const ObjectState = { exists: 1, existsClean: 3 } as const;
/** MAX_OBJECT_MAP_OBJECT_COUNT. */
const MAX_OBJECTS = 256_000_000n;
/** CEPH_OSD_OP_FLAG_FADVISE_WILLNEED. */
const WILL_NEED = 0x10;
/** An op's count of bytes to read: 0 would be all. */
const CRC_BYTES = 4;

/** @throws ClassError ENOENT: there is none; EINVAL: it does not parse, or a CRC is wrong */
function readMap(object: MethodContext): BitVector {
  const { size } = object.stat();
  if (size === 0) throw new ClassError(Errno.ENOENT);
  return decodeBitVector(new Decoder(object.read(0, size)));
}

function readMapIfAny(object: MethodContext): BitVector {
  try {
    return readMap(object);
  } catch (error) {
    if (error instanceof ClassError && error.code === Errno.ENOENT) return new BitVector(0);
    throw error;
  }
}

/** @throws ClassError ESTALE: an object that would be left out is not in the state that new ones have */
function resize(object: MethodContext, { count, state }: { count: bigint; state: number }): void {
  if (count > MAX_OBJECTS) throw new ClassError(Errno.EINVAL);
  const size = Number(count);
  const before = readMapIfAny(object);
  for (let i = size; i < before.size; i++) if (before.get(i) !== state) throw new ClassError(Errno.ESTALE);
  const map = before.resized(size);
  for (let i = before.size; i < size; i++) map.set(i, state);
  object.writeFull(encodeBitVector(map));
}

interface UpdateInput {
  readonly start: bigint;
  readonly end: bigint;
  readonly state: number;
  /** Objects in this state are changed, and clean ones where it is `exists`; undefined: all. */
  readonly from: number | undefined;
}

/** Reads and writes only the blocks with objects in [start, end). @throws ClassError ERANGE: there are not so many */
function update(object: MethodContext, { start, end, state, from }: UpdateInput): void {
  object.stat();
  const { size } = decodeBitVectorHeader(new Decoder(object.read(0, HEADER_BYTES, WILL_NEED)));
  if (start >= end || end > BigInt(size)) throw new ClassError(Errno.ERANGE);
  const [first, last] = [Number(start), Number(end)];
  const { firstBlock, dataOffset, dataLength, crcOffset, crcCount } = blockRange(size, first, last);
  const crcs = new Decoder(object.read(crcOffset, crcCount * CRC_BYTES, WILL_NEED));
  const data = object.read(HEADER_BYTES + dataOffset, dataLength, WILL_NEED).slice();
  if (data.length < dataLength) throw new ClassError(Errno.EINVAL);
  const block = (i: number) => data.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES);
  for (let i = 0; i < crcCount; i++) {
    if (crcs.u32('crc') !== crcOf(block(i))) throw new ClassError(Errno.EINVAL);
  }
  const base = firstBlock * BLOCK_BYTES * 4;
  const part = new BitVector(data.length * 4, data);
  let isChanged = false;
  for (let i = first - base; i < last - base; i++) {
    const before = part.get(i);
    const isMeant =
      from === undefined || before === from || (from === ObjectState.exists && before === ObjectState.existsClean);
    if (!isMeant || before === state) continue;
    part.set(i, state);
    isChanged = true;
  }
  if (!isChanged) return;
  object.write(HEADER_BYTES + dataOffset, data, WILL_NEED);
  const newCrcs = encodeWith((encoder) => {
    for (let i = 0; i < crcCount; i++) encoder.u32(crcOf(block(i)));
  });
  object.write(crcOffset, newCrcs, WILL_NEED);
}

/** The image gets a snapshot: what exists is clean from then on. */
function snapAdd(object: MethodContext): void {
  changeWhere(object, (map, i) => map.get(i) === ObjectState.exists, ObjectState.existsClean);
}

/** The snapshot goes: what was changed before it, and not since, is no longer clean. */
function snapRemove(object: MethodContext, snapshot: BitVector): void {
  changeWhere(
    object,
    (map, i) =>
      map.get(i) === ObjectState.existsClean && (i >= snapshot.size || snapshot.get(i) === ObjectState.exists),
    ObjectState.exists,
  );
}

function changeWhere(object: MethodContext, isMeant: (map: BitVector, i: number) => boolean, state: number): void {
  const map = readMap(object);
  let isChanged = false;
  for (let i = 0; i < map.size; i++) {
    if (!isMeant(map, i)) continue;
    map.set(i, state);
    isChanged = true;
  }
  if (isChanged) object.writeFull(encodeBitVector(map));
}

export const objectMapMethods: Readonly<Record<string, ClassMethod>> = {
  object_map_load: method(READ, noInput, (object) => encodeBitVector(readMap(object), false)),
  object_map_save: method(READ_WRITE, decodeBitVector, (object, map) => object.writeFull(encodeBitVector(map, true))),
  object_map_resize: method(
    READ_WRITE,
    (input) => ({ count: input.u64big('object count'), state: input.u8('default state') }),
    resize,
  ),
  object_map_update: method(
    READ_WRITE,
    (input): UpdateInput => ({
      start: input.u64big('start'),
      end: input.u64big('end'),
      state: input.u8('state'),
      from: input.optional('current state', () => input.u8('current state')),
    }),
    update,
  ),
  object_map_snap_add: method(READ_WRITE, noInput, snapAdd),
  object_map_snap_remove: method(READ_WRITE, decodeBitVector, snapRemove),
};
