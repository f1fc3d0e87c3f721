/**
 * An image of the old format, all of it in the data of its header (rbd_obj_header_ondisk, include/rbd_types.h):
 *
 *     0 text 40 | block name 24 | signature 4 | version 8 | order and three more 4 | 80 image size u64 | snap seq u64
 *     96 snap count u32 | reserved u32 | 104 length of names u64 | 112 snapshots {id u64, size u64} | names, each with a NUL
 */
import { type Bytes, bytesFromRaw, concatBytes, Decoder, Errno, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError } from '../object-class.ts';
import { encodeWith } from '../stored-key.ts';

const HEADER_BYTES = 112;
const IMAGE_SIZE_AT = 80;
const SNAPSHOT_BYTES = 16;

interface OldSnapshot {
  readonly id: bigint;
  readonly imageSize: bigint;
  readonly name: RawString;
}

export interface OldHeader {
  /** What stands before the image's size. */
  readonly front: Bytes;
  readonly imageSize: bigint;
  readonly snapSeq: bigint;
  readonly reserved: number;
  /** Newest first. */
  readonly snapshots: readonly OldSnapshot[];
}

/** @throws ClassError EINVAL: the object is too short to hold one; EIO: it does not hold what it says */
export function readOldHeader(object: MethodContext): OldHeader {
  const head = object.read(0, HEADER_BYTES);
  if (head.length < HEADER_BYTES) throw new ClassError(Errno.EINVAL);
  const decoder = new Decoder(head);
  const front = decoder.raw(IMAGE_SIZE_AT, 'front');
  const imageSize = decoder.u64big('image size');
  const snapSeq = decoder.u64big('snap seq');
  const count = decoder.u32('snap count');
  const reserved = decoder.u32('reserved');
  const namesBytes = decoder.u64saturating('snap names length');
  const snapshots = readSnapshots(object, count, namesBytes);
  return { front, imageSize, snapSeq, reserved, snapshots };
}

function readSnapshots(object: MethodContext, count: number, namesBytes: number): OldSnapshot[] {
  const bytes = count * SNAPSHOT_BYTES + namesBytes;
  if (bytes === 0) return [];
  if (bytes > object.stat().size - HEADER_BYTES) throw new ClassError(Errno.EIO);
  const decoder = new Decoder(object.read(HEADER_BYTES, bytes));
  const ids = Array.from({ length: count }, () => ({ id: decoder.u64big('id'), imageSize: decoder.u64big('size') }));
  const names = namesIn(decoder.raw(namesBytes, 'names'));
  if (names.length !== count) throw new ClassError(Errno.EIO);
  return ids.map((snapshot, i) => ({ ...snapshot, name: names[i]! }));
}

function namesIn(bytes: Bytes): RawString[] {
  const names: RawString[] = [];
  let from = 0;
  for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, from)) {
    names.push(String.fromCharCode(...bytes.subarray(from, at)));
    from = at + 1;
  }
  if (from !== bytes.length) throw new ClassError(Errno.EIO);
  return names;
}

export function writeOldHeader(object: MethodContext, header: OldHeader): void {
  const names = header.snapshots.map(({ name }) => bytesFromRaw(`${name}\0`));
  const namesBytes = names.reduce((sum, { length }) => sum + length, 0);
  const bytes = encodeWith((encoder) => {
    encoder.raw(header.front);
    encoder.u64big(header.imageSize);
    encoder.u64big(header.snapSeq);
    encoder.u32(header.snapshots.length);
    encoder.u32(header.reserved);
    encoder.u64(namesBytes);
    for (const { id, imageSize } of header.snapshots) {
      encoder.u64big(id);
      encoder.u64big(imageSize);
    }
  });
  object.writeFull(concatBytes([bytes, ...names]));
}
