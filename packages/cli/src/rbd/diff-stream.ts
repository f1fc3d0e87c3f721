/**
 * Differences of images as `rbd` writes them to files (doc/dev/rbd-diff.rst, rbd-export.rst; tools/rbd/action/Export.cc, Import.cc).
 *
 *     "rbd diff v1\n"  f start  t end  s size  (w offset length data | z offset length)*  e
 *     "rbd diff v2\n"  the same; behind each letter but `e` stands how long the rest is; p: whether the end snapshot is protected
 *     "rbd image v2\n"  O order  T features  U stripe unit  C stripe count  (M name value)*  E
 *     "rbd image diffs v2\n"  how many  diffs of version 2, each from where the one before it ends
 */
import { type Bytes, Decoder, Encoder, Errno, type RawString, rawFromBytes, utf8 } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { type ByteSource, readExact } from './byte-streams.ts';

/** How records are told apart: in version 2 each says how long it is. */
export type StreamVersion = 1 | 2;

export const Banner = {
  diff: { 1: 'rbd diff v1\n', 2: 'rbd diff v2\n' },
  image: 'rbd image v2\n',
  imageDiffs: 'rbd image diffs v2\n',
} as const;

/** RBD_DIFF_*, RBD_SNAP_PROTECTION_STATUS. */
export const DiffTag = {
  fromSnap: 'f',
  toSnap: 't',
  protection: 'p',
  size: 's',
  write: 'w',
  zero: 'z',
  end: 'e',
} as const;

/** RBD_EXPORT_IMAGE_* */
export const ImageTag = {
  order: 'O',
  features: 'T',
  stripeUnit: 'U',
  stripeCount: 'C',
  metadata: 'M',
  end: 'E',
} as const;

/** Names of snapshots that are longer are taken for garbage. */
const MAX_NAME_BYTES = 4096;

/** Writes records one after another. */
export class RecordWriter {
  readonly #encoder = new Encoder(256);
  readonly #version: StreamVersion;

  constructor(version: StreamVersion) {
    this.#version = version;
  }

  banner(text: string): void {
    this.#encoder.raw(utf8(text));
  }

  /** @param length that the record is said to have */
  record(tag: string, length: number, body: (encoder: Encoder) => void): void {
    this.#encoder.u8(tag.charCodeAt(0));
    if (this.#version === 2) this.#encoder.u64(length);
    body(this.#encoder);
  }

  number(tag: string, value: bigint | number): void {
    this.record(tag, 8, (to) => to.u64big(BigInt(value)));
  }

  name(tag: string, name: RawString): void {
    this.record(tag, name.length + 4, (to) => to.rawString(name));
  }

  end(tag: string): void {
    this.#encoder.u8(tag.charCodeAt(0));
  }

  /** Of a stretch of the image; of one with data these follow. */
  stretch(tag: typeof DiffTag.write | typeof DiffTag.zero, offset: number, length: number): void {
    this.record(tag, tag === DiffTag.write ? 16 + length : 16, (to) => {
      to.u64(offset);
      to.u64(length);
    });
  }

  finish(): Bytes {
    return this.#encoder.finish();
  }
}

export async function readU64(source: ByteSource): Promise<bigint> {
  return new Decoder(await readExact(source, 8)).u64big('number');
}

/** @throws RadosError EINVAL: it is longer than `max` */
export async function readName(source: ByteSource, max = MAX_NAME_BYTES): Promise<RawString> {
  const length = new Decoder(await readExact(source, 4)).u32('length');
  if (length > max) throw new RadosError(Errno.EINVAL, 'the name is too long');
  return rawFromBytes(await readExact(source, length));
}

export async function readTag(source: ByteSource): Promise<string> {
  const [tag = 0] = await readExact(source, 1);
  return String.fromCharCode(tag);
}

export async function readStretch(source: ByteSource): Promise<{ readonly offset: number; readonly length: number }> {
  const from = new Decoder(await readExact(source, 16));
  return { offset: from.u64('offset'), length: from.u64('length') };
}
