import { crc32c } from '@spirula/encoding';
import {
  applyIncremental,
  crcOfFullMap,
  decodeIncremental,
  decodeMgrMap,
  decodeMonMap,
  decodeOsdMap,
  emptyOsdMap,
  encodeIncremental,
  encodeMgrMap,
  encodeMonMap,
  encodeOsdMap,
} from '@spirula/maps';
import { expect, test } from 'vitest';
import { goldenBytes, goldenJson, goldenNames } from '../golden-data.ts';

const samples = goldenNames('samples');
const osdmaps = [
  ...goldenNames('osdmap')
    .filter((name) => !name.endsWith('.json'))
    .map((name) => `osdmap/${name}/${goldenNames(`osdmap/${name}`).find((file) => file.startsWith('osdmap.bin'))}`),
  ...samples.filter((name) => name.startsWith('osdmap') && !name.includes('.inc.')).map((name) => `samples/${name}`),
  'real/osdmap.bin',
];

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).equals(b);
}

function lcg(seed: number, size: number): Uint8Array {
  let x = BigInt(seed);
  return Uint8Array.from({ length: size }, () => {
    x = (x * 1103515245n + 12345n) & 0x7fffffffn;
    return Number((x >> 16n) & 255n);
  });
}

test('crc32c is that of Ceph', () => {
  const golden = goldenJson<{
    rows: [string, number, number][];
    lcg: { rows: number[][] };
    zeros: { rows: number[][] };
  }>('crc32c/crc32c.json.gz');

  for (const [base64, seed, crc] of golden.rows) expect(crc32c(Buffer.from(base64, 'base64'), seed)).toBe(crc);
  for (const [seed, length, initial, crc] of golden.lcg.rows) expect(crc32c(lcg(seed!, length!), initial!)).toBe(crc);
  for (const [initial, length, crc] of golden.zeros.rows) expect(crc32c(new Uint8Array(length!), initial!)).toBe(crc);
});

test.each(osdmaps)('%s is read and written byte for byte', (path) => {
  const bytes = goldenBytes(path);

  expect(same(encodeOsdMap(decodeOsdMap(bytes)), bytes)).toBe(true);
});

test.each(samples.filter((name) => name.includes('.inc.')))(
  'the sample %s is read and written byte for byte',
  (name) => {
    const bytes = goldenBytes(`samples/${name}`);

    expect(same(encodeIncremental(decodeIncremental(bytes)), bytes)).toBe(true);
  },
);

test.each(samples.filter((name) => name.startsWith('monmap')))(
  'the sample %s is read and written byte for byte',
  (name) => {
    const bytes = goldenBytes(`samples/${name}`);

    expect(same(encodeMonMap(decodeMonMap(bytes)), bytes)).toBe(true);
  },
);

test('the sample of a MgrMap is read and written byte for byte', () => {
  const bytes = goldenBytes('samples/mgrmap.bin');

  expect(same(encodeMgrMap(decodeMgrMap(bytes)), bytes)).toBe(true);
});

test('every incremental of the chain is read, written, and leads from each epoch to the next, bytes and CRC', () => {
  const chain = goldenJson<{ epochs: { epoch: number; incremental: string; full: string }[] }>(
    'osdmap-incremental/chain.json.gz',
  );
  let map = emptyOsdMap(new Uint8Array(16));

  for (const { epoch, incremental, full } of chain.epochs) {
    const bytes = new Uint8Array(Buffer.from(incremental, 'base64'));
    const inc = decodeIncremental(bytes);
    expect(same(encodeIncremental(inc), bytes), `incremental ${epoch}`).toBe(true);
    map = applyIncremental(map, inc);
    const encoded = encodeOsdMap(map);
    expect(same(encoded, Buffer.from(full, 'base64')), `full map ${epoch}`).toBe(true);
    expect(crcOfFullMap(encoded)).toBe(inc.fullCrc);
  }
  expect(chain.epochs.length).toBeGreaterThan(20);
});
