import { crc32c as plainCrc32c } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { crc32c, rememberSums } from './crc.ts';

function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = length;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

test.each([0, 1, 255, 256, 4095, 4096, 65_535, 65_536, 65_537, 200_000, 262_144])(
  'the sum of %i bytes is that of the plain algorithm, whatever it begins with',
  (length) => {
    const bytes = noise(length + 3).subarray(3);

    for (const seed of [0, 1, 0xffff_ffff, 0x8000_0000, 0x1234_5678]) {
      expect(crc32c(bytes, seed)).toBe(plainCrc32c(bytes, seed));
    }
  },
);

test.each([65_536, 200_000, 262_144])(
  'of memory of %i bytes whose sums are remembered, every part has its own',
  (length) => {
    const memory = noise(length);
    rememberSums(memory.buffer);

    for (const start of [0, 1, 4096, 4097, 8 * 4096, length - 5000]) {
      for (const count of [255, 4095, 4096, 4097, 12 * 4096, 12 * 4096 + 300, length]) {
        const part = memory.subarray(start, start + count);
        for (const seed of [0, 7, 0xffff_ffff]) expect(crc32c(part, seed)).toBe(plainCrc32c(part, seed));
      }
    }
  },
);

test('other memory may change between one sum and the next', () => {
  const memory = noise(100_000);
  crc32c(memory, 0);
  memory.fill(3);

  expect(crc32c(memory, 0)).toBe(plainCrc32c(memory, 0));
});
