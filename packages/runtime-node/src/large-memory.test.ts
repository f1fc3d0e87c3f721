import { expect, test } from 'vitest';
import { crc32c } from './crc.ts';
import { LEAST_LARGE_BYTES, largeMemory, separateLarge } from './large-memory.ts';

const BYTES = 3 * LEAST_LARGE_BYTES;

test('memory that was given back is taken again, once', () => {
  const { buffer } = largeMemory.take(BYTES);
  largeMemory.giveBack(new Uint8Array(buffer));
  largeMemory.giveBack(new Uint8Array(buffer));

  expect(largeMemory.take(BYTES).buffer).toBe(buffer);
  expect(largeMemory.take(BYTES).buffer).not.toBe(buffer);
});

test('of memory of which only a part is given back, or which was not taken, nothing is taken again', () => {
  const taken = largeMemory.take(BYTES);
  const other = new Uint8Array(BYTES);
  largeMemory.giveBack(taken.subarray(1));
  largeMemory.giveBack(taken.subarray(0, -1));
  largeMemory.giveBack(other);

  const next = largeMemory.take(BYTES).buffer;

  expect(next).not.toBe(taken.buffer);
  expect(next).not.toBe(other.buffer);
});

test('sums of what was in it before are not taken for those of what is', () => {
  const before = largeMemory.take(BYTES).fill(1);
  const sumBefore = crc32c(before, 0);
  largeMemory.giveBack(before);

  const now = largeMemory.take(BYTES).fill(2);

  expect(now.buffer).toBe(before.buffer);
  expect(crc32c(now, 0)).toBe(crc32c(new Uint8Array(BYTES).fill(2), 0));
  expect(crc32c(now, 0)).not.toBe(sumBefore);
});

test('the one large payload of a message is given back without the small ones, which stay what they are', () => {
  const data = largeMemory.take(BYTES);
  data.fill(5, 0, 100);
  const [small, large] = separateLarge([data.subarray(0, 100), data.subarray(100)]) as [Uint8Array, Uint8Array];
  largeMemory.giveBack(large);

  const again = largeMemory.take(BYTES).fill(9);

  expect(again.buffer).toBe(data.buffer);
  expect(small).toEqual(new Uint8Array(100).fill(5));
});

test('of a message with two large payloads neither is given back alone', () => {
  const data = largeMemory.take(BYTES);
  const half = data.subarray(0, BYTES / 2);
  const [first] = separateLarge([half, data.subarray(BYTES / 2)]) as [Uint8Array];
  largeMemory.giveBack(first);

  expect(largeMemory.take(BYTES).buffer).not.toBe(data.buffer);
});
