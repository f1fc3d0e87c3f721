import { expect, test } from 'vitest';
import { findDifference, isIntact, sealMessage } from './seal.ts';

test('a sealed message is frozen, and what cannot be frozen is found changed', () => {
  const message = { type: 'osd_op', ops: [{ name: 'write', data: new Uint8Array(300) }], keys: new Set(['a']) };
  const seal = sealMessage(message);

  expect(() => {
    message.type = 'other';
  }).toThrow(TypeError);
  expect(isIntact(message, seal)).toBe(true);
  message.ops[0]!.data[299] = 1;
  expect(isIntact(message, seal)).toBe(false);
  message.ops[0]!.data[299] = 0;
  message.keys.add('b');
  expect(isIntact(message, seal)).toBe(false);
});

const bytes = (...values: number[]) => new Uint8Array(values);

test.each([
  ['nothing', { a: 1, b: [0, bytes(1)] }, { a: 1, b: [-0, bytes(1)] }, undefined],
  ['a field that is absent or undefined', { a: undefined }, { b: undefined }, undefined],
  ['the order of a map and a set', mapOf('ab', 'st'), mapOf('ba', 'ts'), undefined],
  ['a number', { a: { b: [1, 2] } }, { a: { b: [1, 3] } }, '.a.b.1'],
  ['a byte', { a: bytes(1, 2) }, { a: bytes(1, 3) }, '.a[1]'],
  ['how many bytes', { a: bytes(1) }, { a: bytes(1, 3) }, '.a'],
  ['a field that was added', { a: {} }, { a: { b: 1 } }, '.a.b'],
  ['a field that is lost', { a: { b: 1 } }, { a: {} }, '.a.b'],
  ['what is null', { a: null }, { a: {} }, '.a'],
  ['a list for an object', { a: [1] }, { a: { 0: 1 } }, '.a'],
  ['an object for bytes', { a: { 0: 1 } }, { a: bytes(1) }, '.a'],
  ['a value of a map', { a: new Map([['k', { v: 1 }]]) }, { a: new Map([['k', { v: 2 }]]) }, '.a.k.v'],
  ['a key of a map', { a: new Map([['k', 1]]) }, { a: new Map([['l', 1]]) }, '.a.k'],
  ['an item of a set', { a: new Set(['x']) }, { a: new Set(['y']) }, '.a.x'],
])('messages that differ in %s are told so, and where', (_, a, b, where) => {
  expect(findDifference(a, b)).toBe(where);
});

function mapOf(keys: string, items: string): object {
  return { map: new Map([...keys].map((key) => [key, 1])), set: new Set(items) };
}
