/**
 * What happens to a message between two daemons of one process: it is handed over, not copied. So it is frozen as deep as
 * can be, and a checksum taken at sending and at delivery finds what cannot be frozen (bytes, maps, sets) changed.
 */
import { invariant } from '@spirula/world';

export interface Seal {
  /** 32 bits over everything in the message. */
  readonly checksum: number;
  /** Whether something in it cannot be frozen, so that only the checksum tells of a change. */
  readonly mutable: boolean;
  /** Bytes it would roughly take on the wire. */
  readonly bytes: number;
}

const FRAME_BYTES = 90;
const NUMBER_BYTES = 4;
const MULTIPLIER = 0x5bd1e995;
/** From so many bytes on it pays to read them as words. */
const VIEW_BYTES = 32;
/** And to hash four words side by side: each step waits for the one before it in its lane only. */
const LANES_BYTES = 256;

const float = new Float64Array(1);
const floatWords = new Uint32Array(float.buffer);

/** Of the first `length` bytes, a multiple of 16. */
function hashLanes(view: DataView, length: number, seed: number): number {
  let a = seed;
  let b = seed ^ 0x9e3779b9;
  let c = seed ^ 0x7f4a7c15;
  let d = seed ^ 0x85ebca6b;
  for (let i = 0; i < length; i += 16) {
    a = Math.imul(a ^ view.getInt32(i, true), MULTIPLIER);
    b = Math.imul(b ^ view.getInt32(i + 4, true), MULTIPLIER);
    c = Math.imul(c ^ view.getInt32(i + 8, true), MULTIPLIER);
    d = Math.imul(d ^ view.getInt32(i + 12, true), MULTIPLIER);
    a ^= a >>> 15;
    b ^= b >>> 15;
    c ^= c >>> 15;
    d ^= d >>> 15;
  }
  for (const lane of [b, c, d]) {
    a = Math.imul(a ^ lane, MULTIPLIER);
    a ^= a >>> 15;
  }
  return a;
}

/** One walk over one message. */
class Walk {
  hash = 0x2545f491;
  bytes = FRAME_BYTES;
  mutable = false;
  readonly #freeze: boolean;

  constructor(freeze: boolean) {
    this.#freeze = freeze;
  }

  visit(value: unknown): void {
    switch (typeof value) {
      case 'number':
        this.bytes += NUMBER_BYTES;
        this.#mixNumber(value);
        break;
      case 'string':
        this.bytes += NUMBER_BYTES + value.length;
        this.#mix(value.length);
        for (let i = 0; i < value.length; i++) this.#mix(value.charCodeAt(i));
        break;
      case 'bigint':
        this.bytes += 2 * NUMBER_BYTES;
        this.#mix(Number(value & 0xffff_ffffn));
        this.#mix(Number((value >> 32n) & 0xffff_ffffn));
        break;
      case 'boolean':
        this.bytes += 1;
        this.#mix(value ? 3 : 5);
        break;
      case 'undefined':
        this.#mix(7);
        break;
      case 'object':
        if (value === null) this.#mix(11);
        else this.#visitObject(value);
        break;
      default:
        invariant(false, `a message holds no ${typeof value}`);
    }
  }

  #visitObject(value: object): void {
    if (value instanceof Uint8Array) {
      this.#visitBytes(value);
      return;
    }
    if (this.#freeze) Object.freeze(value);
    if (Array.isArray(value)) {
      this.#mix(value.length);
      for (const item of value) this.visit(item);
    } else if (value instanceof Map) {
      this.mutable = true;
      this.#mix(value.size);
      for (const [key, item] of value) {
        this.visit(key);
        this.visit(item);
      }
    } else if (value instanceof Set) {
      this.mutable = true;
      this.#mix(value.size);
      for (const item of value) this.visit(item);
    } else {
      // Plain objects: nothing is inherited. No list of values is made on the way.
      const fields = value as Readonly<Record<string, unknown>>;
      for (const name in fields) this.visit(fields[name]);
    }
  }

  #visitBytes(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length > 0) this.mutable = true;
    this.bytes += NUMBER_BYTES + length;
    this.#mix(length);
    let { hash } = this;
    let i = 0;
    if (length >= VIEW_BYTES) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, length);
      if (length >= LANES_BYTES) {
        i = length - (length % 16);
        hash = hashLanes(view, i, hash);
      }
      for (; i + 4 <= length; i += 4) {
        hash = Math.imul(hash ^ view.getInt32(i, true), MULTIPLIER);
        hash ^= hash >>> 15;
      }
    }
    for (; i < length; i++) {
      hash = Math.imul(hash ^ bytes[i]!, MULTIPLIER);
      hash ^= hash >>> 15;
    }
    this.hash = hash;
  }

  #mixNumber(value: number): void {
    if ((value | 0) === value) {
      this.#mix(value);
      return;
    }
    float[0] = value;
    this.#mix(floatWords[0]!);
    this.#mix(floatWords[1]!);
  }

  #mix(word: number): void {
    const hash = Math.imul(this.hash ^ word, MULTIPLIER);
    this.hash = hash ^ (hash >>> 15);
  }
}

/** Freezes a message and takes its checksum. */
export function sealMessage(message: object): Seal {
  const walk = new Walk(true);
  walk.visit(message);
  return { checksum: walk.hash >>> 0, mutable: walk.mutable, bytes: walk.bytes };
}

/** Whether a message is as it was when it was sealed. One that is frozen all through need not be looked at again. */
export function isIntact(message: object, { checksum, mutable }: Seal): boolean {
  if (!mutable) return true;
  const walk = new Walk(false);
  walk.visit(message);
  return walk.hash >>> 0 === checksum;
}

/**
 * Where two messages differ, as a path; undefined when they say the same. A field that is undefined is as good as absent;
 * the order of maps and sets does not count.
 */
export function findDifference(a: unknown, b: unknown): string | undefined {
  if (Object.is(a, b) || (a === 0 && b === 0)) return undefined;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return '';
  if (a instanceof Uint8Array) return b instanceof Uint8Array ? differenceOfBytes(a, b) : '';
  if (a instanceof Map) return b instanceof Map ? differenceOfMaps(a, b) : '';
  if (a instanceof Set) return b instanceof Set ? differenceOfSets(a, b) : '';
  if (Array.isArray(a) !== Array.isArray(b) || b instanceof Uint8Array || b instanceof Map || b instanceof Set)
    return '';
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  for (const key in left) {
    const found = findDifference(left[key], right[key]);
    if (found !== undefined) return `.${key}${found}`;
  }
  for (const key in right) if (right[key] !== undefined && !(key in left)) return `.${key}`;
  return undefined;
}

function differenceOfBytes(a: Uint8Array, b: Uint8Array): string | undefined {
  if (a.length !== b.length) return '';
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return `[${i}]`;
  return undefined;
}

function differenceOfMaps(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): string | undefined {
  if (a.size !== b.size) return '';
  for (const [key, value] of a) {
    const found = b.has(key) ? findDifference(value, b.get(key)) : '';
    if (found !== undefined) return `.${String(key)}${found}`;
  }
  return undefined;
}

function differenceOfSets(a: ReadonlySet<unknown>, b: ReadonlySet<unknown>): string | undefined {
  if (a.size !== b.size) return '';
  for (const item of a) if (!b.has(item)) return `.${String(item)}`;
  return undefined;
}
