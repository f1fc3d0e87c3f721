import { bytesFromRaw, Encoder, Errno, rawFromBytes } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { formatCNumber, parseCNumber } from './c-number.ts';
import { MemoryObject } from './memory-object.test-support.ts';
import { numopsClass } from './numops.ts';

function change(object: MemoryObject, name: 'add' | 'mul', operand: string): number {
  const input = new Encoder(32);
  input.rawString('key');
  input.rawString(operand);
  return object.call(numopsClass, name, input.finish()).code;
}

function value(object: MemoryObject): string {
  return rawFromBytes(object.stored.omap.get('key')!);
}

test('what is not there counts as zero', () => {
  const object = new MemoryObject();

  expect([change(object, 'add', '3'), value(object)]).toEqual([0, '3']);
  expect([change(object, 'mul', '-1.5'), value(object)]).toEqual([0, '-4.5']);
});

test('what is no number is refused: invalid where it is given, a bad message where it is stored', () => {
  const object = new MemoryObject();
  change(object, 'add', '1');

  expect(change(object, 'add', '1x')).toBe(Errno.EINVAL);
  object.stored = { ...object.stored, omap: new Map([['key', bytesFromRaw('one')]]) };
  expect(change(object, 'add', '1')).toBe(Errno.EBADMSG);
  expect(value(object)).toBe('one');
});

// What strtod reads and a stream with setprecision(10) writes, as a real OSD does.
test.each([
  ['1234567890.5', '1234567890'],
  ['1234567891.5', '1234567892'],
  ['12345678905', '1.23456789e+10'],
  ['12345678915', '1.234567892e+10'],
  ['99999999995', '1e+11'],
  ['0.00001234567', '1.234567e-05'],
  ['0.0001', '0.0001'],
  ['5e-324', '4.940656458e-324'],
  ['0x.8p1', '1'],
  ['0x1.fffffffffffffp1023', '1.797693135e+308'],
  ['0x1p-1074', '4.940656458e-324'],
  ['0x1p-1075', '0'],
  ['-0', '-0'],
  [' 1e999', 'inf'],
  ['-nan(12)', '-nan'],
  ['5\0x', '5'],
  ['', '0'],
])('%j is %s', (text, shown) => {
  expect(formatCNumber(parseCNumber(text)!, 10)).toBe(shown);
});

test.each(['abc', '1 ', '1e', '0x', '--1', '.', '+', 'infinit', '1,5'])('%j is no number', (text) => {
  expect(parseCNumber(text)).toBeUndefined();
});
