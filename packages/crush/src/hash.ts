/**
 * crush_hash32 and its kin (crush/hash.c, rjenkins1): Robert Jenkins' 32-bit mix of 1996 over one to five integers. The
 * rounds of the two that mapping lives on, of two and three integers, stand unrolled.
 */

const SEED = 1315423911;

/** Hash of two integers; unsigned 32 bits. */
export function hash32x2(a: number, b: number): number {
  let hash = SEED ^ a ^ b;
  let x = 231232;
  let y = 1232;
  a = (a - b - hash) ^ (hash >>> 13);
  b = (b - hash - a) ^ (a << 8);
  hash = (hash - a - b) ^ (b >>> 13);
  a = (a - b - hash) ^ (hash >>> 12);
  b = (b - hash - a) ^ (a << 16);
  hash = (hash - a - b) ^ (b >>> 5);
  a = (a - b - hash) ^ (hash >>> 3);
  b = (b - hash - a) ^ (a << 10);
  hash = (hash - a - b) ^ (b >>> 15);
  x = (x - a - hash) ^ (hash >>> 13);
  a = (a - hash - x) ^ (x << 8);
  hash = (hash - x - a) ^ (a >>> 13);
  x = (x - a - hash) ^ (hash >>> 12);
  a = (a - hash - x) ^ (x << 16);
  hash = (hash - x - a) ^ (a >>> 5);
  x = (x - a - hash) ^ (hash >>> 3);
  a = (a - hash - x) ^ (x << 10);
  hash = (hash - x - a) ^ (a >>> 15);
  b = (b - y - hash) ^ (hash >>> 13);
  y = (y - hash - b) ^ (b << 8);
  hash = (hash - b - y) ^ (y >>> 13);
  b = (b - y - hash) ^ (hash >>> 12);
  y = (y - hash - b) ^ (b << 16);
  hash = (hash - b - y) ^ (y >>> 5);
  b = (b - y - hash) ^ (hash >>> 3);
  y = (y - hash - b) ^ (b << 10);
  hash = (hash - b - y) ^ (y >>> 15);
  return hash >>> 0;
}

/**
 * The hash of `x0`, item and `r` for each of `items`, into `into` (as signed integers). What straw2 lives on, so the rounds stand
 * unrolled inside the loop: a call for each item costs a third of the speed.
 */
export function hashEach(x0: number, items: Int32Array, r: number, into: Int32Array): void {
  const seed = SEED ^ x0 ^ r;
  for (let i = 0; i < items.length; i++) {
    let a = x0;
    let b = items[i]!;
    let c = r;
    let hash = seed ^ b;
    let x = 231232;
    let y = 1232;
    a = (a - b - hash) ^ (hash >>> 13);
    b = (b - hash - a) ^ (a << 8);
    hash = (hash - a - b) ^ (b >>> 13);
    a = (a - b - hash) ^ (hash >>> 12);
    b = (b - hash - a) ^ (a << 16);
    hash = (hash - a - b) ^ (b >>> 5);
    a = (a - b - hash) ^ (hash >>> 3);
    b = (b - hash - a) ^ (a << 10);
    hash = (hash - a - b) ^ (b >>> 15);
    c = (c - x - hash) ^ (hash >>> 13);
    x = (x - hash - c) ^ (c << 8);
    hash = (hash - c - x) ^ (x >>> 13);
    c = (c - x - hash) ^ (hash >>> 12);
    x = (x - hash - c) ^ (c << 16);
    hash = (hash - c - x) ^ (x >>> 5);
    c = (c - x - hash) ^ (hash >>> 3);
    x = (x - hash - c) ^ (c << 10);
    hash = (hash - c - x) ^ (x >>> 15);
    y = (y - a - hash) ^ (hash >>> 13);
    a = (a - hash - y) ^ (y << 8);
    hash = (hash - y - a) ^ (a >>> 13);
    y = (y - a - hash) ^ (hash >>> 12);
    a = (a - hash - y) ^ (y << 16);
    hash = (hash - y - a) ^ (a >>> 5);
    y = (y - a - hash) ^ (hash >>> 3);
    a = (a - hash - y) ^ (y << 10);
    hash = (hash - y - a) ^ (a >>> 15);
    b = (b - x - hash) ^ (hash >>> 13);
    x = (x - hash - b) ^ (b << 8);
    hash = (hash - b - x) ^ (x >>> 13);
    b = (b - x - hash) ^ (hash >>> 12);
    x = (x - hash - b) ^ (b << 16);
    hash = (hash - b - x) ^ (x >>> 5);
    b = (b - x - hash) ^ (hash >>> 3);
    x = (x - hash - b) ^ (b << 10);
    hash = (hash - b - x) ^ (x >>> 15);
    y = (y - c - hash) ^ (hash >>> 13);
    c = (c - hash - y) ^ (y << 8);
    hash = (hash - y - c) ^ (c >>> 13);
    y = (y - c - hash) ^ (hash >>> 12);
    c = (c - hash - y) ^ (y << 16);
    hash = (hash - y - c) ^ (c >>> 5);
    y = (y - c - hash) ^ (hash >>> 3);
    c = (c - hash - y) ^ (y << 10);
    hash = (hash - y - c) ^ (c >>> 15);
    into[i] = hash;
  }
}

const oneItem = new Int32Array(1);
const oneHash = new Int32Array(1);

/** Hash of three integers; unsigned 32 bits. */
export function hash32x3(a: number, b: number, c: number): number {
  oneItem[0] = b;
  hashEach(a, oneItem, c, oneHash);
  return oneHash[0]! >>> 0;
}

/** One round of the mix over `state[i]`, `state[j]` and `state[k]`. */
function mix(state: Int32Array, i: number, j: number, k: number): void {
  let a = state[i]!;
  let b = state[j]!;
  let c = state[k]!;
  a = (a - b - c) ^ (c >>> 13);
  b = (b - c - a) ^ (a << 8);
  c = (c - a - b) ^ (b >>> 13);
  a = (a - b - c) ^ (c >>> 12);
  b = (b - c - a) ^ (a << 16);
  c = (c - a - b) ^ (b >>> 5);
  a = (a - b - c) ^ (c >>> 3);
  b = (b - c - a) ^ (a << 10);
  c = (c - a - b) ^ (b >>> 15);
  state[i] = a;
  state[j] = b;
  state[k] = c;
}

const HASH = 0;
const A = 1;
const B = 2;
const C = 3;
const D = 4;
const E = 5;
const X = 6;
const Y = 7;
const scratch = new Int32Array(8);

function rounds(hash: number, values: readonly number[], order: readonly (readonly [number, number])[]): number {
  scratch[HASH] = hash;
  for (let i = 0; i < values.length; i++) scratch[A + i] = values[i]!;
  scratch[X] = 231232;
  scratch[Y] = 1232;
  for (const [i, j] of order) mix(scratch, i, j, HASH);
  return scratch[HASH]! >>> 0;
}

const ROUNDS_1 = [
  [B, X],
  [Y, A],
] as const;
const ROUNDS_4 = [
  [A, B],
  [C, D],
  [A, X],
  [Y, B],
  [C, X],
  [Y, D],
] as const;
const ROUNDS_5 = [
  [A, B],
  [C, D],
  [E, X],
  [Y, A],
  [B, X],
  [Y, C],
  [D, X],
  [Y, E],
] as const;

/** Hash of one integer; unsigned 32 bits. */
export function hash32(a: number): number {
  return rounds(SEED ^ a, [a, a], ROUNDS_1);
}

/** Hash of four integers; unsigned 32 bits. */
export function hash32x4(a: number, b: number, c: number, d: number): number {
  return rounds(SEED ^ a ^ b ^ c ^ d, [a, b, c, d], ROUNDS_4);
}

/** Hash of five integers; unsigned 32 bits. */
export function hash32x5(a: number, b: number, c: number, d: number, e: number): number {
  return rounds(SEED ^ a ^ b ^ c ^ d ^ e, [a, b, c, d, e], ROUNDS_5);
}
