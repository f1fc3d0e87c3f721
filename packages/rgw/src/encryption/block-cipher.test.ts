import { createCipheriv } from 'node:crypto';
import { expect, test } from 'vitest';
import { nodeCrypto } from '../../../runtime-node/src/crypto.ts';
import { BlockCipher } from './block-cipher.ts';
import { readDecrypted } from './decrypted-read.ts';

const key = new Uint8Array(32).map((_, i) => i);
const cipher = new BlockCipher(nodeCrypto, key);
const bytes = (length: number) => new Uint8Array(length).map((_, i) => (i * 31 + (i >> 8)) & 255);

function aes(mode: 'cbc' | 'ecb', iv: Uint8Array | null, plain: Uint8Array): Uint8Array {
  const sealing = createCipheriv(`aes-256-${mode}`, key, iv);
  sealing.setAutoPadding(false);
  return Buffer.concat([sealing.update(plain), sealing.final()]);
}

test('the first chunk begins with the IV of place 0, the second with that of block 256', () => {
  const plain = bytes(8192);
  const sealed = cipher.encrypt(plain, 0);

  expect(
    Buffer.compare(sealed.subarray(0, 4096), aes('cbc', Buffer.from('aes256iv_ctr1337'), plain.subarray(0, 4096))),
  ).toBe(0);
  // '3' + 1, and nothing in the last byte: 256 blocks of 16 bytes.
  const second = Buffer.from('aes256iv_ctr1347');
  expect(Buffer.compare(sealed.subarray(4096), aes('cbc', second, plain.subarray(4096)))).toBe(0);
});

test('what is behind the last block is masked with that block, or with the IV', () => {
  const short = bytes(5);
  const mask = aes('ecb', null, Buffer.from('aes256iv_ctr1337'));
  expect([...cipher.encrypt(short, 0)]).toEqual([...short].map((byte, i) => byte ^ mask[i]!));

  const longer = bytes(21);
  const sealed = cipher.encrypt(longer, 0);
  const next = aes('ecb', null, sealed.subarray(0, 16));
  expect([...sealed.subarray(16)]).toEqual([...longer.subarray(16)].map((byte, i) => byte ^ next[i]!));
});

test('carries run through the IV', () => {
  const place = 16 * 0xffff_ffff;
  const chunk = bytes(4096);
  const at = place - (place % 4096);

  expect(Buffer.compare(cipher.decrypt(cipher.encrypt(chunk, at), at), chunk)).toBe(0);
  expect(Buffer.compare(cipher.encrypt(chunk, at), cipher.encrypt(chunk, 0))).not.toBe(0);
});

test.each([0, 1, 16, 4095, 4096, 4097, 10_000])(
  '%i bytes are read back in any ranges, however they come',
  async (length) => {
    const parts = [length, 4097, 100].map((size) => bytes(size));
    const stored = Buffer.concat(parts.map((part) => cipher.encrypt(part, 0)));
    const plain = Buffer.concat(parts);
    let offset = 0;
    const stretches = parts.map((part) => {
      offset += part.length;
      return { offset: offset - part.length, length: part.length };
    });
    async function* read(from: number, to: number) {
      for (let at = from; at < to; at += 1000) yield stored.subarray(at, Math.min(to, at + 1000));
    }
    for (const [from, to] of [
      [0, plain.length],
      [1, 2],
      [length - 3, length + 5],
      [4000, 4200],
      [plain.length - 150, plain.length],
    ] as const) {
      if (from < 0 || to > plain.length) continue;
      const pieces: Uint8Array[] = [];
      for await (const piece of readDecrypted(read, cipher, stretches, from, to)) pieces.push(piece);
      expect(Buffer.compare(Buffer.concat(pieces), plain.subarray(from, to)), `${from} to ${to}`).toBe(0);
    }
  },
);
