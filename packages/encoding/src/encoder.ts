import { type Bytes, type RawString, utf8 } from './bytes.ts';
import { type Slab, slabFor } from './slab.ts';

/**
 * Writes Ceph's primitive encodings (include/encoding.h): little-endian integers, u32-counted strings and containers,
 * and versioned structs `{v, compat, length, body}`. Grows as needed; `finish` returns the bytes written.
 *
 * Encodings lie in memory shared with others made at the same time: who keeps a small one for long should copy it.
 */
export class Encoder {
  #slab: Slab;
  #bytes: Uint8Array;
  #view: DataView;
  /** Where in the slab the encoding begins, goes on, and must stop. */
  #start: number;
  #at: number;
  #end: number;

  constructor(capacity = 256) {
    const slab = slabFor(capacity);
    this.#slab = slab;
    this.#bytes = slab.bytes;
    this.#view = slab.view;
    this.#start = slab.used;
    this.#at = slab.used;
    this.#end = slab.used + capacity;
    slab.used = this.#end;
  }

  get length(): number {
    return this.#at - this.#start;
  }

  /** The bytes written so far, not copied: write no more to this encoder. */
  finish(): Bytes {
    // What was not needed goes to the next one.
    if (this.#slab.used === this.#end) {
      this.#slab.used = this.#at;
      this.#end = this.#at;
    }
    return this.#bytes.subarray(this.#start, this.#at);
  }

  /** The bytes written from `from` on, as they are now; writing goes on. */
  written(from: number): Bytes {
    return this.#bytes.subarray(this.#start + from, this.#at);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0);
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
  }

  /** Big-endian, as ports in a sockaddr. */
  u16be(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#at, value, false);
    this.#at += 2;
  }

  /** Takes -2^31 .. 2^32-1. */
  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  i32(value: number): void {
    this.u32(value);
  }

  f32(value: number): void {
    this.#reserve(4);
    this.#view.setFloat32(this.#at, value, true);
    this.#at += 4;
  }

  f64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  /** A non-negative integer up to 2^53. */
  u64(value: number): void {
    this.#reserve(8);
    this.#view.setUint32(this.#at, value % 0x1_0000_0000, true);
    this.#view.setUint32(this.#at + 4, Math.floor(value / 0x1_0000_0000), true);
    this.#at += 8;
  }

  /** An integer of magnitude up to 2^53. */
  i64(value: number): void {
    this.u64big(BigInt(value));
  }

  /** Any 64-bit value, signed or unsigned. */
  u64big(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigUint64(this.#at, BigInt.asUintN(64, value), true);
    this.#at += 8;
  }

  /** Bytes without a count. */
  raw(bytes: Bytes): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** u32 count, then the bytes (bufferlist). */
  blob(bytes: Bytes): void {
    this.u32(bytes.length);
    this.raw(bytes);
  }

  string(text: string): void {
    this.blob(utf8(text));
  }

  /** A string of arbitrary bytes. */
  rawString(raw: RawString): void {
    const count = raw.length;
    this.u32(count);
    this.#reserve(count);
    for (let i = 0; i < count; i++) this.#bytes[this.#at + i] = raw.charCodeAt(i);
    this.#at += count;
  }

  /** u32 count, then each item. */
  list<T>(items: Iterable<T> & { readonly length?: number; readonly size?: number }, item: (value: T) => void): void {
    const at = this.length;
    this.u32(0);
    let count = 0;
    for (const value of items) {
      item(value);
      count += 1;
    }
    this.patchU32(at, count);
  }

  /** u32 count, then key and value of each entry, in the map's own order (Ceph wants ascending keys). */
  map<K, V>(entries: ReadonlyMap<K, V>, key: (key: K) => void, value: (value: V) => void): void {
    this.u32(entries.size);
    for (const [k, v] of entries) {
      key(k);
      value(v);
    }
  }

  /** u8 presence, then the value. */
  optional<T>(value: T | undefined, item: (value: T) => void): void {
    this.bool(value !== undefined);
    if (value !== undefined) item(value);
  }

  /** ENCODE_START: u8 version, u8 compat, u32 length of what `body` writes. */
  struct(version: number, compat: number, body: () => void): void {
    this.u8(version);
    this.u8(compat);
    const at = this.length;
    this.u32(0);
    body();
    this.patchU32(at, this.length - at - 4);
  }

  /** Overwrites one byte written before. */
  patchU8(at: number, value: number): void {
    this.#bytes[this.#start + at] = value;
  }

  /** Overwrites four bytes written before. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(this.#start + at, value, true);
  }

  #reserve(count: number): void {
    if (this.#at + count > this.#end) this.#grow(count);
  }

  #grow(count: number): void {
    const { length } = this;
    const capacity = Math.max(length + count, 2 * length, 64);
    const own = this.#slab;
    if (own.used === this.#end && this.#start + capacity <= own.bytes.length) {
      this.#end = this.#start + capacity;
      own.used = this.#end;
      return;
    }
    const slab = slabFor(capacity);
    slab.bytes.set(this.#bytes.subarray(this.#start, this.#at), slab.used);
    this.#slab = slab;
    this.#bytes = slab.bytes;
    this.#view = slab.view;
    this.#start = slab.used;
    this.#at = slab.used + length;
    this.#end = slab.used + capacity;
    slab.used = this.#end;
  }
}
