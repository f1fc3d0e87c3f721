import { extentOp, OsdOpCode, xattrOp } from '@spirula/messages';
import { expect, test } from 'vitest';
import { toTraceValue } from './trace-value.ts';

test('what JSON cannot hold is shown as text; what Ceph has a spelling for, as that', () => {
  const value = { tid: 5n, pgid: { pool: 1, seed: 10 }, at: { epoch: 5, version: 12 }, none: undefined, far: Infinity };

  expect(toTraceValue(value)).toEqual({ tid: '5', pgid: '1.a', at: "5'12", far: 'Infinity' });
});

test('short bytes are shown whole; long ones as length, hash and beginning', () => {
  const bytes = new Uint8Array(100_000).fill(7);
  const other = bytes.slice();
  other[99_999] = 8;
  const long = toTraceValue(bytes) as { hash: string };

  expect(toTraceValue(new Uint8Array([1, 255]))).toEqual({ bytes: 2, hex: '01ff' });
  expect(long).toEqual({ bytes: 100_000, hash: long.hash, head: '07'.repeat(16) });
  expect((toTraceValue(other) as { hash: string }).hash).not.toBe(long.hash);
});

test('operations on an object say what they do', () => {
  const ops = [extentOp(OsdOpCode.write, 4096, 3, new Uint8Array(3)), xattrOp(OsdOpCode.setxattr, 'owner')];

  expect(toTraceValue(ops)).toEqual([
    { op: 'write', extent: '4096~3', input: { bytes: 3, hex: '000000' } },
    { op: 'setxattr', name: 'owner', input: { bytes: 5, hex: '6f776e6572' } },
  ]);
});

test('an attribute name that is longer than its input says what is wrong with it', () => {
  const op = { ...xattrOp(OsdOpCode.setxattr, 'owner'), input: new Uint8Array(2) };

  expect(JSON.stringify(toTraceValue(op))).toContain('xattr name');
});

test('whatever a message holds, what is shown of it is short', () => {
  let deep: unknown = 'bottom';
  for (let i = 0; i < 100; i++) deep = [deep];
  const wide = Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [`field ${i}`, Array(1000).fill('x'.repeat(9999))]),
  );
  const value = { deep, wide, map: new Map(Array.from({ length: 1000 }, (_, i) => [i, wide])), set: new Set([1, 2]) };
  const text = JSON.stringify(toTraceValue(value));

  expect(text.length).toBeLessThan(200_000);
  expect(text).toContain('988 more');
  expect(text).toContain('(9999 characters)');
  expect(text).not.toContain('bottom');
});
