/** Objects that are to be removed later, because somebody may still read them (cls_rgw_gc_obj_info). */
import { type Bytes, type Decoder, Encoder, encodeUTime, type RawString, type UTime } from '@spirula/encoding';
import { decodeRealTime } from '../real-time.ts';
import { decodeObjectKey, encodeObjectKey, type ObjectKey } from './object-key.ts';

/** cls_rgw_obj: one object of the data pool. */
export interface GcObject {
  readonly pool: RawString;
  /** Its name; and the instance, which its name contains already. */
  readonly key: ObjectKey;
  readonly locator: RawString;
}

/** The objects that one object of a bucket was made of. */
export interface GcEntry {
  readonly tag: RawString;
  readonly chain: readonly GcObject[];
  /** When they are to go. */
  readonly time: UTime;
}

/** Least bytes of an object, and of an entry. */
const OBJECT_BYTES = 6 + 3 * 4;
const ENTRY_BYTES = 6 + 4 + 6 + 4 + 8;

function encoded(version: number, body: (encoder: Encoder) => void): Bytes {
  const encoder = new Encoder(128);
  encoder.struct(version, 1, () => body(encoder));
  return encoder.finish();
}

function writeGcEntry(encoder: Encoder, { tag, chain, time }: GcEntry): void {
  encoder.struct(1, 1, () => {
    encoder.rawString(tag);
    encoder.struct(1, 1, () =>
      encoder.list(chain, ({ pool, key, locator }) =>
        encoder.struct(2, 1, () => {
          encoder.rawString(pool);
          encoder.rawString(key.name);
          encoder.rawString(locator);
          encodeObjectKey(encoder, key);
        }),
      ),
    );
    encodeUTime(encoder, time);
  });
}

export function encodeGcEntry(entry: GcEntry): Bytes {
  const encoder = new Encoder(128);
  writeGcEntry(encoder, entry);
  return encoder.finish();
}

/** @throws MalformedInput */
export function decodeGcEntry(decoder: Decoder): GcEntry {
  return decoder.struct('gc entry', 1, () => ({
    tag: decoder.rawString('tag'),
    chain: decoder.struct('chain', 1, () => decoder.list('objects', OBJECT_BYTES, () => decodeGcObject(decoder))),
    time: decodeRealTime(decoder, 'time'),
  }));
}

function decodeGcObject(decoder: Decoder): GcObject {
  return decoder.struct('object', 2, (version) => {
    const pool = decoder.rawString('pool');
    const name = decoder.rawString('oid');
    const locator = decoder.rawString('key');
    return { pool, key: version < 2 ? { name, instance: '' } : decodeObjectKey(decoder, 'key'), locator };
  });
}

/** cls_rgw_gc_set_entry_op. The entry's time is that of the OSD and so many seconds more. */
export interface GcSetInput {
  readonly expirationSec: number;
  readonly entry: GcEntry;
}

export function encodeGcSetInput({ expirationSec, entry }: GcSetInput): Bytes {
  return encoded(1, (encoder) => {
    encoder.u32(expirationSec);
    writeGcEntry(encoder, entry);
  });
}

export function decodeGcSetInput(decoder: Decoder): GcSetInput {
  return decoder.struct('gc set', 1, () => ({
    expirationSec: decoder.u32('expiration'),
    entry: decodeGcEntry(decoder),
  }));
}

/** cls_rgw_gc_defer_entry_op. */
export interface GcDeferInput {
  readonly expirationSec: number;
  readonly tag: RawString;
}

export function encodeGcDeferInput({ expirationSec, tag }: GcDeferInput): Bytes {
  return encoded(1, (encoder) => {
    encoder.u32(expirationSec);
    encoder.rawString(tag);
  });
}

export function decodeGcDeferInput(decoder: Decoder): GcDeferInput {
  return decoder.struct('gc defer', 1, () => ({
    expirationSec: decoder.u32('expiration'),
    tag: decoder.rawString('tag'),
  }));
}

/** cls_rgw_gc_list_op; what the class `rgw_gc` lists is asked for with the same. */
export interface GcListInput {
  /** `next` of the answer before; '' in the first call. */
  readonly marker: RawString;
  /** 0: 128. */
  readonly max: number;
  readonly expiredOnly: boolean;
}

export function encodeGcListInput({ marker, max, expiredOnly }: GcListInput): Bytes {
  return encoded(2, (encoder) => {
    encoder.rawString(marker);
    encoder.u32(max);
    encoder.bool(expiredOnly);
  });
}

export function decodeGcListInput(decoder: Decoder): GcListInput {
  return decoder.struct('gc list', 2, (version) => ({
    marker: decoder.rawString('marker'),
    max: decoder.u32('max'),
    expiredOnly: version < 2 || decoder.bool('expired only'),
  }));
}

/** cls_rgw_gc_list_ret. */
export interface GcListReply {
  readonly entries: readonly GcEntry[];
  readonly next: RawString;
  readonly truncated: boolean;
}

export function encodeGcListReply({ entries, next, truncated }: GcListReply): Bytes {
  return encoded(2, (encoder) => {
    encoder.list(entries, (entry) => writeGcEntry(encoder, entry));
    encoder.rawString(next);
    encoder.bool(truncated);
  });
}

/** @throws MalformedInput */
export function decodeGcListReply(decoder: Decoder): GcListReply {
  return decoder.struct('gc list', 2, (version) => ({
    entries: decoder.list('entries', ENTRY_BYTES, () => decodeGcEntry(decoder)),
    next: version < 2 ? '' : decoder.rawString('next marker'),
    truncated: decoder.bool('truncated'),
  }));
}

/** cls_rgw_gc_remove_op. */
export function encodeGcRemoveInput(tags: readonly RawString[]): Bytes {
  return encoded(1, (encoder) => encoder.list(tags, (tag) => encoder.rawString(tag)));
}

export function decodeGcRemoveInput(decoder: Decoder): readonly RawString[] {
  return decoder.struct('gc remove', 1, () => decoder.list('tags', 4, () => decoder.rawString('tag')));
}
