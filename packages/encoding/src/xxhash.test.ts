import { expect, test } from 'vitest';
import { xxhash32, xxhash64 } from './xxhash.ts';

/** Of bytes 3, 10, 17 ...: recorded from xxHash 0.8. */
const RECORDED: readonly (readonly [length: number, seed: bigint, hash32: number, hash64: bigint])[] = [
  [0, 0n, 0x2cc5d05, 0xef46db3751d8e999n],
  [0, 0xfedcba9876543210n, 0x9061da9d, 0x7cc8df76db892f66n],
  [1, 0n, 0x21ae663a, 0x1f25c8d0bc1f4bb6n],
  [3, 0xfedcba9876543210n, 0xed8de89b, 0x1217a6d16470ab40n],
  [4, 0n, 0x725479f2, 0x9bb64b7d66ee9fdan],
  [7, 0n, 0xf3a90eb0, 0x9a7b149959ce60d8n],
  [8, 0xfedcba9876543210n, 0x62187a18, 0x70c256c67cc2bba6n],
  [15, 0n, 0x82d3c84d, 0x1b47cb8243cc8e32n],
  [16, 0n, 0x8845547d, 0x434850232b787be2n],
  [17, 0xfedcba9876543210n, 0xb77d64bd, 0x4e1362e43725592dn],
  [31, 0n, 0x1f73d3c7, 0xa2aa5f33cc4a6119n],
  [32, 0xfedcba9876543210n, 0xd38f34b0, 0xe67b5ff882ad0035n],
  [33, 0n, 0x94f536d5, 0x50a7cfc7ba588784n],
  [63, 0xfedcba9876543210n, 0xff6a4d29, 0xc4e88d815dff7610n],
  [64, 0n, 0xecd2ac44, 0xeb64b3ef6eeb01fn],
  [100, 0n, 0x73091a4d, 0xa61f8d4c170fe531n],
  [100, 0xfedcba9876543210n, 0x9520fa9c, 0xdf6e71b9983faed8n],
];

test.each(RECORDED)('%i bytes under seed %i', (length, seed, hash32, hash64) => {
  // Not at the beginning of its buffer.
  const bytes = Uint8Array.from({ length: length + 3 }, (_, i) => (i * 7 - 18) & 255).subarray(3);

  expect(xxhash32(bytes, seed === 0n ? 0 : 0xffffffff)).toBe(hash32);
  expect(xxhash64(bytes, seed)).toBe(hash64);
});
