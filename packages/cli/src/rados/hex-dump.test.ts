import { expect, test } from 'vitest';
import { hexDump } from './hex-dump.ts';

test('as a real rados prints a value', () => {
  expect(hexDump(new TextEncoder().encode('bin value longer than sixteen bytes'))).toBe(
    `00000000  62 69 6e 20 76 61 6c 75  65 20 6c 6f 6e 67 65 72  |bin value longer|
00000010  20 74 68 61 6e 20 73 69  78 74 65 65 6e 20 62 79  | than sixteen by|
00000020  74 65 73                                          |tes|
00000023
`,
  );
});
