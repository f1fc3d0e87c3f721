/** Truncated and damaged maps: refused with field and offset, or read as another valid map. Nothing else happens. */
import { type Bytes, MalformedInput } from '@spirula/encoding';
import {
  decodeIncremental,
  decodeMgrMap,
  decodeMonMap,
  decodeOsdMap,
  encodeIncremental,
  encodeMgrMap,
  encodeMonMap,
  encodeOsdMap,
} from '@spirula/maps';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { goldenBytes, goldenNames } from '../golden-data.ts';
import { sealed } from './sealed.ts';

/** Reads and writes again; a refusal's message, undefined when the bytes were taken for a map. */
type Reader = (bytes: Bytes) => string | undefined;

function reader<T>(decode: (bytes: Bytes) => T, encode: (map: T) => Bytes): Reader {
  return (bytes) => {
    try {
      // What was accepted can be written and read again.
      decode(encode(decode(bytes)));
      return undefined;
    } catch (error) {
      if (!(error instanceof MalformedInput) || error.field === '' || error.offset > bytes.length) throw error;
      return error.message;
    }
  };
}

const readOsdMap = reader(decodeOsdMap, encodeOsdMap);
const readIncremental = reader(decodeIncremental, encodeIncremental);

const samples = goldenNames('samples');
const named = (start: string) => samples.filter((name) => name.startsWith(start)).map((name) => `samples/${name}`);
const checked: [path: string, read: Reader][] = [
  ...[...named('osdmap.full'), ...named('osdmap.handmade'), 'osdmap/temps/osdmap.bin', 'osdmap/purged/osdmap.bin'].map(
    (path): [string, Reader] => [path, readOsdMap],
  ),
  ...named('osdmap.inc').map((path): [string, Reader] => [path, readIncremental]),
];
const unchecked: [path: string, read: Reader][] = [
  ...named('monmap').map((path): [string, Reader] => [path, reader(decodeMonMap, encodeMonMap)]),
  ...named('mgrmap').map((path): [string, Reader] => [path, reader(decodeMgrMap, encodeMgrMap)]),
];

function flipped(bytes: Bytes, bit: number): Bytes {
  const damaged = bytes.slice();
  damaged[bit >> 3]! ^= 1 << (bit & 7);
  return damaged;
}

describe.each([...checked, ...unchecked])('%s', (path, read) => {
  const bytes = goldenBytes(path);

  test('is refused wherever it is cut off', () => {
    const lengths = Array.from(bytes.keys());

    expect(lengths.filter((length) => read(bytes.subarray(0, length)) === undefined)).toEqual([]);
  });

  test('is refused when something follows it', () => {
    expect(read(new Uint8Array([...bytes, 0]))).toMatch(/bytes follow its end|crc/);
  });
});

test.each(checked)('any bit flipped in %s is noticed', (path, read) => {
  const bytes = goldenBytes(path);

  fc.assert(
    fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
      expect(read(flipped(bytes, bit))).toBeDefined();
    }),
    { numRuns: 300 },
  );
});

test('a flip in the body of an OSDMap is told by its CRC', () => {
  const bytes = goldenBytes('samples/osdmap.full.rich.bin');

  for (let at = 6; at < bytes.length; at += 97) {
    expect(() => decodeOsdMap(flipped(bytes, at * 8))).toThrow(/^osdmap\.crc at offset \d+: the bytes have crc 0x/);
  }
});

test.each(unchecked)('flips in %s do no harm', (path, read) => {
  const bytes = goldenBytes(path);

  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length * 8 - 1), { minLength: 1, maxLength: 8 }), (bits) => {
      read(bits.reduce(flipped, bytes));
    }),
    { numRuns: 1000 },
  );
});

test.each(checked)('damage in %s under a CRC made to fit does no harm', (path, read) => {
  const bytes = goldenBytes(path);
  const crcAt = bytes.length - (read === readOsdMap ? 4 : 8);
  const damage = fc.array(fc.tuple(fc.integer({ min: 6, max: crcAt - 1 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)), {
    minLength: 1,
    maxLength: 5,
  });

  fc.assert(
    fc.property(damage, (bytesChanged) => {
      const damaged = bytes.slice();
      for (const [at, value] of bytesChanged) damaged[at] = value;
      read(sealed(damaged, crcAt));
    }),
    { numRuns: 300 },
  );
});
