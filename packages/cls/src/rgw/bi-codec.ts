/** Entries of a bucket's index as they are stored, one by one: for tools that move or mend them (rgw_cls_bi_*). */
import { type Bytes, type Decoder, Encoder, type RawString } from '@spirula/encoding';
import { decodeObjectKey, encodeObjectKey, type ObjectKey } from './object-key.ts';

/** BIIndexType. */
export const BiType = { invalid: 0, plain: 1, instance: 2, olh: 3 } as const;

/** rgw_cls_bi_entry. */
export interface BiEntry {
  /** `BiType`. */
  readonly type: number;
  /** Its omap key. */
  readonly key: RawString;
  /** A `DirEntry`, or an `OlhEntry`. */
  readonly data: Bytes;
}

/** Least bytes of an entry: its struct, type, two lengths. */
const ENTRY_BYTES = 6 + 1 + 2 * 4;

function encodeV1(body: (encoder: Encoder) => void): Bytes {
  const encoder = new Encoder(128);
  encoder.struct(1, 1, () => body(encoder));
  return encoder.finish();
}

function writeBiEntry(encoder: Encoder, { type, key, data }: BiEntry): void {
  encoder.struct(1, 1, () => {
    encoder.u8(type);
    encoder.rawString(key);
    encoder.blob(data);
  });
}

function readBiEntry(decoder: Decoder): BiEntry {
  return decoder.struct('bi entry', 1, () => ({
    type: decoder.u8('type'),
    key: decoder.rawString('idx'),
    data: decoder.blob('data'),
  }));
}

/** rgw_cls_bi_get_op: the entry of an object or version, or its OLH. */
export interface BiGetInput {
  readonly key: ObjectKey;
  /** `BiType`. */
  readonly type: number;
}

export function encodeBiGetInput({ key, type }: BiGetInput): Bytes {
  return encodeV1((encoder) => {
    encodeObjectKey(encoder, key);
    encoder.u8(type);
  });
}

export function decodeBiGetInput(decoder: Decoder): BiGetInput {
  return decoder.struct('bi get', 1, () => ({ key: decodeObjectKey(decoder, 'key'), type: decoder.u8('type') }));
}

/** What `bi_put` takes and `bi_get` answers. */
export function encodeBiEntry(entry: BiEntry): Bytes {
  return encodeV1((encoder) => writeBiEntry(encoder, entry));
}

/** @throws MalformedInput */
export function decodeBiEntry(decoder: Decoder): BiEntry {
  return decoder.struct('bi', 1, () => readBiEntry(decoder));
}

/** rgw_cls_bi_list_op. */
export interface BiListInput {
  readonly max: number;
  /** Those of one object; '': all. */
  readonly name: RawString;
  /** Entries behind this omap key. */
  readonly marker: RawString;
}

export function encodeBiListInput({ max, name, marker }: BiListInput): Bytes {
  return encodeV1((encoder) => {
    encoder.u32(max);
    encoder.rawString(name);
    encoder.rawString(marker);
  });
}

export function decodeBiListInput(decoder: Decoder): BiListInput {
  return decoder.struct('bi list', 1, () => ({
    max: decoder.u32('max'),
    name: decoder.rawString('name'),
    marker: decoder.rawString('marker'),
  }));
}

/** rgw_cls_bi_list_ret. */
export interface BiListReply {
  readonly entries: readonly BiEntry[];
  readonly truncated: boolean;
}

export function encodeBiListReply({ entries, truncated }: BiListReply): Bytes {
  return encodeV1((encoder) => {
    encoder.list(entries, (entry) => writeBiEntry(encoder, entry));
    encoder.bool(truncated);
  });
}

/** @throws MalformedInput */
export function decodeBiListReply(decoder: Decoder): BiListReply {
  return decoder.struct('bi list', 1, () => ({
    entries: decoder.list('entries', ENTRY_BYTES, () => readBiEntry(decoder)),
    truncated: decoder.bool('truncated'),
  }));
}
