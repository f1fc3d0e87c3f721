import { AddrType, type EntityAddr } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { isBlocklisted } from './blocklist.ts';
import type { OsdMap } from './osdmap.ts';

function at(ip: string, port: number, nonce: number, type: number = AddrType.any): EntityAddr {
  return { type, nonce, family: 2, ip, port };
}

const until = { sec: 2_000_000_000, nsec: 0 };
const map = {
  blocklist: [
    [at('10.0.0.1', 0, 77), until],
    [at('10.0.0.2', 0, 0), until],
  ],
} as unknown as OsdMap;

test.each([
  ['the very instance', at('10.0.0.1', 0, 77), true],
  ['it, by whatever protocol', at('10.0.0.1', 0, 77, AddrType.v2), true],
  ['another instance on its machine', at('10.0.0.1', 0, 78), false],
  ['any instance on a machine that is blocklisted', at('10.0.0.2', 6800, 5), true],
  ['another machine', at('10.0.0.3', 0, 77), false],
])('%s', (_, addr, expected) => {
  expect(isBlocklisted(map, addr)).toBe(expected);
});

test('of an empty list nobody is', () => {
  expect(isBlocklisted({ blocklist: [] } as unknown as OsdMap, at('10.0.0.1', 0, 77))).toBe(false);
});
