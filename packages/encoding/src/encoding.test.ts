import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromHex, rawFromText, textFromRaw, toHex } from './bytes.ts';
import { crc32c } from './crc32c.ts';
import { Decoder } from './decoder.ts';
import { Encoder } from './encoder.ts';
import { decodeAddrVec, encodeAddrVec } from './entity-addr.ts';
import { MalformedInput } from './errors.ts';
import { decodeEVersion, decodePgId, encodeEVersion, encodePgId } from './structs.ts';
import { type EntityAddr, formatAddr, formatAddrVec, formatPgId, formatUuid, parsePgId, parseUuid } from './types.ts';
import { formatUTime } from './utime.ts';

function written(write: (to: Encoder) => void): Uint8Array {
  const to = new Encoder(1);
  write(to);
  return to.finish();
}

test('integers are little-endian, signed ones in two’s complement', () => {
  const bytes = written((to) => {
    to.u8(0xfe);
    to.u16(0x0102);
    to.u16be(0x0102);
    to.u32(0xdeadbeef);
    to.i32(-2);
    to.u64(2 ** 53 - 1);
    to.i64(-3);
    to.u64big(-(2n ** 63n));
    to.f32(0.5);
    to.f64(-1.5);
  });

  expect(toHex(bytes)).toBe(
    'fe' +
      '0201' +
      '0102' +
      'efbeadde' +
      'feffffff' +
      'ffffffffffff1f00' +
      'fdffffffffffffff' +
      '0000000000000080' +
      '0000003f' +
      '000000000000f8bf',
  );
  const from = new Decoder(bytes);
  expect([from.i8('a'), from.u16('a'), from.u16be('a'), from.u32('a'), from.i32('a')]).toEqual([
    ...[-2, 0x0102, 0x0102, 0xdeadbeef, -2],
  ]);
  expect([from.u64('a'), from.i64('a'), from.i64big('a'), from.f32('a'), from.f64('a')]).toEqual([
    ...[2 ** 53 - 1, -3, -(2n ** 63n), 0.5, -1.5],
  ]);
  from.finish('all');
});

test('what a struct’s reader does not know is skipped, and it cannot read past the struct', () => {
  const bytes = written((to) => {
    to.struct(3, 1, () => {
      to.u8(7);
      to.string('appended by a later release');
    });
    to.u8(9);
  });

  const from = new Decoder(bytes);
  expect(from.struct('s', 2, (version) => [version, from.u8('s.a')])).toEqual([3, 7]);
  expect(from.u8('next')).toBe(9);
  const greedy = new Decoder(bytes);
  expect(() => greedy.struct('s', 2, () => greedy.raw(bytes.length - 6, 's.b'))).toThrow(/^s\.b at offset 6: needs/);
});

test('a struct that needs a newer reader is refused', () => {
  const bytes = written((to) => to.struct(9, 5, () => to.u8(0)));

  expect(() => new Decoder(bytes).struct('map', 4, () => undefined)).toThrow(
    'map at offset 1: needs version 5, known is 4',
  );
});

test('a count that cannot fit is refused before anything is allocated', () => {
  const bytes = written((to) => {
    to.u32(0xffffffff);
    to.u32(1);
  });

  expect(() => new Decoder(bytes).list('osds', 4, () => 0)).toThrow(/^osds at offset 0: 4294967295 items do not fit/);
  expect(() => new Decoder(bytes).blob('crush')).toThrow(/^crush at offset 4: needs 4294967295 bytes, 4 are left/);
});

test('a 64-bit number that a double cannot hold is refused', () => {
  const bytes = written((to) => to.u64big(2n ** 53n));

  expect(() => new Decoder(bytes).u64('size')).toThrow(MalformedInput);
  expect(new Decoder(bytes).u64saturating('size')).toBe(2 ** 53);
});

test('containers keep what they hold', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.dictionary(fc.string(), fc.nat()), (texts, numbers) => {
      const entries = new Map(Object.entries(numbers));
      const bytes = written((to) => {
        to.list(texts, (text) => to.string(text));
        to.map(
          entries,
          (key) => to.string(key),
          (value) => to.u32(value),
        );
        to.optional(undefined, (text: string) => to.string(text));
        to.optional('x', (text) => to.string(text));
      });

      const from = new Decoder(bytes);
      expect(from.list('texts', 4, () => from.string('texts'))).toEqual(texts);
      expect(
        from.map(
          'numbers',
          8,
          () => from.string('numbers'),
          () => from.u32('numbers'),
        ),
      ).toEqual(entries);
      expect([from.optional('none', () => 1), from.optional('one', () => from.string('one'))]).toEqual([
        undefined,
        'x',
      ]);
      from.finish('all');
    }),
  );
});

test('raw strings hold any bytes; text goes through UTF-8', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);

  const raw = new Decoder(written((to) => to.blob(bytes))).rawString('name');

  expect(written((to) => to.rawString(raw))).toEqual(written((to) => to.blob(bytes)));
  expect(textFromRaw(rawFromText('Änderung 🦑'))).toBe('Änderung 🦑');
});

const blank: EntityAddr = { type: 0, nonce: 0, family: 0, ip: '', port: 0 };
const v4: EntityAddr = { type: 2, nonce: 4711, family: 2, ip: '127.0.0.1', port: 6800 };
const v6: EntityAddr = { type: 1, nonce: 4711, family: 10, ip: 'fe80::1', port: 6789 };

test('addresses are written as Ceph does and come back', () => {
  const ipv4 = '01' + '0101' + '1c000000' + '02000000' + '67120000' + '10000000' + '0200' + '1a90' + '7f000001';
  const bytes = written((to) => encodeAddrVec(to, [v4, v6, blank]));

  expect(toHex(written((to) => encodeAddrVec(to, [v4])))).toBe(`0201000000${ipv4}0000000000000000`);
  expect(decodeAddrVec(new Decoder(bytes), 'addrs')).toEqual([v4, v6, blank]);
  expect(decodeAddrVec(new Decoder(fromHex(`${ipv4}0000000000000000`)), 'addrs')).toEqual([v4]);
});

test('addresses are printed as Ceph does', () => {
  expect(formatAddrVec([v4, v6])).toBe('[v2:127.0.0.1:6800/4711,v1:[fe80::1]:6789/4711]');
  expect(formatAddrVec([v4])).toBe('v2:127.0.0.1:6800/4711');
  expect(formatAddrVec([])).toBe('');
  expect(formatAddr({ ...v4, type: 3 })).toBe('127.0.0.1:6800/4711');
  expect(formatAddr(blank)).toBe('-');
});

test('PG ids and versions come back from bytes, PG ids and uuids from text', () => {
  const pg = { pool: 3, seed: 0x1f };
  const bytes = written((to) => {
    encodePgId(to, pg);
    encodeEVersion(to, { epoch: 5, version: 7 });
  });

  const from = new Decoder(bytes);
  expect(decodePgId(from, 'pg')).toEqual(pg);
  expect(decodeEVersion(from, 'at')).toEqual({ epoch: 5, version: 7 });
  expect(parsePgId(formatPgId(pg))).toEqual(pg);
  const uuid = '5b0e1c2a-7a3f-4b8e-9a55-0123456789ab';
  expect(formatUuid(parseUuid(uuid)!)).toBe(uuid);
});

test('stamps are printed in UTC to the microsecond, whatever the year', () => {
  expect(formatUTime({ sec: 0, nsec: 0 })).toBe('0.000000');
  expect(formatUTime({ sec: 951_782_400, nsec: 1999 })).toBe('2000-02-29T00:00:00.000001+0000');
  fc.assert(
    fc.property(fc.integer({ min: 4e8, max: 2 ** 32 - 1 }), (sec) => {
      expect(formatUTime({ sec, nsec: 0 })).toBe(new Date(sec * 1000).toISOString().replace('.000Z', '.000000+0000'));
    }),
  );
});

test('a crc32c of a long stretch is that of its short pieces', () => {
  fc.assert(
    fc.property(fc.integer({ min: 4000, max: 9000 }), fc.integer({ min: 0, max: 0xffffffff }), (length, seed) => {
      const bytes = Uint8Array.from({ length }, (_, i) => Math.imul(i + seed, 0x9e3779b1) >>> 24);
      let crc = seed;
      for (let at = 0; at < length; at += 100) crc = crc32c(bytes.subarray(at, at + 100), crc);

      expect(crc32c(bytes, seed)).toBe(crc);
    }),
    { numRuns: 20 },
  );
});

test('a crc32c is the same in one piece and in several', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 100 }),
      fc.nat(100),
      fc.integer({ min: 0, max: 0xffffffff }),
      (bytes, at, seed) => {
        const cut = Math.min(at, bytes.length);
        expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut), seed))).toBe(crc32c(bytes, seed));
      },
    ),
  );
});
