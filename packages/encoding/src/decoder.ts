import { type Bytes, fromUtf8, type RawString, rawFromBytes } from './bytes.ts';
import { MalformedInput } from './errors.ts';

const scratch = new Uint8Array(8);
const scratchView = new DataView(scratch.buffer);

/** A view of a few bytes, good until the next is asked for: one for each decoder would cost more than most decodings. */
function view(bytes: Bytes, at: number, count: number): DataView {
  for (let i = 0; i < count; i++) scratch[i] = bytes[at + i]!;
  return scratchView;
}

function int32(bytes: Bytes, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/**
 * Reads Ceph's primitive encodings. Every method names the field it reads, so that an error says which one does not fit
 * and where. Nothing is allocated beyond what the input can hold: a count is checked against the bytes that remain.
 *
 * @throws MalformedInput from every read that would pass the end, and from values that cannot be.
 */
export class Decoder {
  readonly bytes: Bytes;
  #at: number;
  #end: number;

  constructor(bytes: Bytes) {
    this.bytes = bytes;
    this.#at = 0;
    this.#end = bytes.length;
  }

  get offset(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  fail(field: string, problem: string): never {
    throw new MalformedInput(field, this.#at, problem);
  }

  u8(field: string): number {
    return this.bytes[this.#take(1, field)]!;
  }

  bool(field: string): boolean {
    return this.u8(field) !== 0;
  }

  i8(field: string): number {
    return (this.u8(field) << 24) >> 24;
  }

  u16(field: string): number {
    const at = this.#take(2, field);
    return this.bytes[at]! | (this.bytes[at + 1]! << 8);
  }

  i16(field: string): number {
    return (this.u16(field) << 16) >> 16;
  }

  u16be(field: string): number {
    const at = this.#take(2, field);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  u32(field: string): number {
    return this.i32(field) >>> 0;
  }

  i32(field: string): number {
    return int32(this.bytes, this.#take(4, field));
  }

  f32(field: string): number {
    return view(this.bytes, this.#take(4, field), 4).getFloat32(0, true);
  }

  f64(field: string): number {
    return view(this.bytes, this.#take(8, field), 8).getFloat64(0, true);
  }

  /** A 64-bit unsigned integer below 2^53; a larger one is refused. */
  u64(field: string): number {
    const value = this.u64saturating(field);
    if (value > Number.MAX_SAFE_INTEGER) throw new MalformedInput(field, this.#at - 8, 'exceeds 2^53');
    return value;
  }

  /** A 64-bit unsigned integer as the nearest double: for sizes and offsets, where a limit check follows. */
  u64saturating(field: string): number {
    const at = this.#take(8, field);
    return (int32(this.bytes, at) >>> 0) + (int32(this.bytes, at + 4) >>> 0) * 0x1_0000_0000;
  }

  /** A 64-bit signed integer of magnitude below 2^53; a larger one is refused. */
  i64(field: string): number {
    const value = Number(this.i64big(field));
    if (!Number.isSafeInteger(value)) throw new MalformedInput(field, this.#at - 8, 'exceeds 2^53');
    return value;
  }

  u64big(field: string): bigint {
    return view(this.bytes, this.#take(8, field), 8).getBigUint64(0, true);
  }

  i64big(field: string): bigint {
    return view(this.bytes, this.#take(8, field), 8).getBigInt64(0, true);
  }

  /** A view of the next `count` bytes, not a copy. */
  raw(count: number, field: string): Bytes {
    const at = this.#take(count, field);
    return this.bytes.subarray(at, at + count);
  }

  /** u32 count and bytes, as a view. */
  blob(field: string): Bytes {
    return this.raw(this.u32(field), field);
  }

  string(field: string): string {
    return fromUtf8(this.blob(field));
  }

  rawString(field: string): RawString {
    return rawFromBytes(this.blob(field));
  }

  /** A u32 count, refused when `itemBytes` (the least one item takes, at least 1) times it exceeds what remains. */
  count(field: string, itemBytes: number): number {
    const count = this.u32(field);
    if (count * itemBytes > this.remaining) {
      throw new MalformedInput(field, this.#at - 4, `${count} items do not fit in the ${this.remaining} bytes left`);
    }
    return count;
  }

  list<T>(field: string, itemBytes: number, item: () => T): T[] {
    const count = this.count(field, itemBytes);
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(item());
    return items;
  }

  map<K, V>(field: string, entryBytes: number, key: () => K, value: () => V): Map<K, V> {
    const count = this.count(field, entryBytes);
    const entries = new Map<K, V>();
    for (let i = 0; i < count; i++) {
      const k = key();
      entries.set(k, value());
    }
    return entries;
  }

  optional<T>(field: string, item: () => T): T | undefined {
    return this.bool(field) ? item() : undefined;
  }

  /**
   * DECODE_START: reads version, compat and length, runs `body` confined to that length, and skips what it left unread.
   * `known` is the newest version `body` understands; an encoding whose compat is newer is refused.
   */
  struct<T>(field: string, known: number, body: (version: number) => T): T {
    const version = this.u8(`${field}.version`);
    const compat = this.u8(`${field}.compat`);
    if (compat > known) throw new MalformedInput(field, this.#at - 1, `needs version ${compat}, known is ${known}`);
    const length = this.u32(`${field}.length`);
    if (length > this.remaining) {
      throw new MalformedInput(field, this.#at - 4, `length ${length} exceeds the ${this.remaining} bytes left`);
    }
    const outerEnd = this.#end;
    const end = this.#at + length;
    this.#end = end;
    const value = body(version);
    this.#at = end;
    this.#end = outerEnd;
    return value;
  }

  /** Refuses trailing bytes. */
  finish(field: string): void {
    if (this.remaining > 0) throw new MalformedInput(field, this.#at, `${this.remaining} bytes follow its end`);
  }

  #take(count: number, field: string): number {
    const at = this.#at;
    if (count > this.#end - at) {
      throw new MalformedInput(field, at, `needs ${count} bytes, ${this.#end - at} are left`);
    }
    this.#at = at + count;
    return at;
  }
}
