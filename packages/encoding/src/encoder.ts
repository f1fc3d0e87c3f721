import { type Bytes, bytesFromRaw, type RawString, utf8 } from './bytes.ts';

/**
 * Writes Ceph's primitive encodings (include/encoding.h): little-endian integers, u32-counted strings and containers,
 * and versioned structs `{v, compat, length, body}`. Grows as needed; `finish` returns the bytes written.
 */
export class Encoder {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** The bytes written so far, not copied: write no more to this encoder. */
  finish(): Bytes {
    return this.#bytes.subarray(0, this.#length);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0);
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value, true);
    this.#length += 2;
  }

  /** Big-endian, as ports in a sockaddr. */
  u16be(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value, false);
    this.#length += 2;
  }

  /** Takes -2^31 .. 2^32-1. */
  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  i32(value: number): void {
    this.u32(value);
  }

  f32(value: number): void {
    this.#reserve(4);
    this.#view.setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  f64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** A non-negative integer up to 2^53. */
  u64(value: number): void {
    this.#reserve(8);
    this.#view.setUint32(this.#length, value % 0x1_0000_0000, true);
    this.#view.setUint32(this.#length + 4, Math.floor(value / 0x1_0000_0000), true);
    this.#length += 8;
  }

  /** An integer of magnitude up to 2^53. */
  i64(value: number): void {
    this.u64big(BigInt(value));
  }

  /** Any 64-bit value, signed or unsigned. */
  u64big(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigUint64(this.#length, BigInt.asUintN(64, value), true);
    this.#length += 8;
  }

  /** Bytes without a count. */
  raw(bytes: Bytes): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
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
    this.blob(bytesFromRaw(raw));
  }

  /** u32 count, then each item. */
  list<T>(items: Iterable<T> & { readonly length?: number; readonly size?: number }, item: (value: T) => void): void {
    const at = this.#length;
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
    const at = this.#length;
    this.u32(0);
    body();
    this.patchU32(at, this.#length - at - 4);
  }

  /** Overwrites four bytes written before. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
