import { createHash } from 'node:crypto';
import { type Bytes, equalBytes, type RawString, utf8 } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import { DeviceError, type Token } from '@spirula/world';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cephCrc32c } from '../../../test/src/captures.ts';
import { CrashableBlock, CrashableKv } from '../../../test/src/crashable-disks.ts';
import { createObjectStore } from './extent-store.ts';
import { objectOfOrder, objectOrder } from './key-space.ts';
import { MemoryModel } from './memory-model.test-support.ts';
import { type ObjectStore, type Transaction, type TransactionOp, UnreadableObject } from './object-store.ts';
import { IncompatibleStore } from './superblock.ts';

const CID = '1.0';
const IDENTITY = { fsid: new Uint8Array(16).fill(7), whoami: 'osd.0' };

/** A store on disks that can lose power, and what it has reported durable. */
class Station {
  kv = new CrashableKv();
  block: CrashableBlock;
  store: ObjectStore;
  durable: Token[] = [];

  constructor(deviceBytes = 4 << 20, identity = IDENTITY) {
    this.block = new CrashableBlock(new Uint8Array(deviceBytes));
    this.store = this.#open();
    expect(this.store.mount()).toBeUndefined();
    this.store.mkfs(identity);
    this.settle();
  }

  #open(): ObjectStore {
    const quiet = () => {};
    const crypto = {
      crc32c: cephCrc32c,
      hash: (_: string, bytes: Bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
    } as never;
    const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
    return createObjectStore({ kv: this.kv, block: this.block, crypto, log, buggify: () => false });
  }

  commit(): boolean {
    const token = this.kv.commit();
    if (token !== undefined) this.durable.push(...this.store.onEvent({ kind: 'committed', token }));
    return token !== undefined;
  }

  flush(): boolean {
    const token = this.block.finishFlush();
    if (token !== undefined) this.durable.push(...this.store.onEvent({ kind: 'flushed', token }));
    return token !== undefined;
  }

  settle(): void {
    while (this.commit() || this.flush()) {}
  }

  /** Runs one transaction to its end. */
  run(...ops: TransactionOp[]): void {
    this.store.submit(ops, 1);
    this.settle();
  }

  crash(survivors: number, survives: () => boolean): void {
    this.kv = this.kv.afterCrash(Math.min(survivors, this.kv.waiting));
    this.block = this.block.afterCrash(survives);
    this.store = this.#open();
    expect(this.store.mount()).toEqual(IDENTITY);
  }
}

function object(name: RawString, fields: Partial<HObject> = {}): HObject {
  return { pool: 1, nspace: '', key: '', name, snap: 0xffff_ffff_ffff_fffen, hash: 0, max: false, ...fields };
}

function patched(bytes: Bytes, at: number, value: number): Bytes {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
}

function pattern(length: number, seed: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + seed * 17 + (i >> 8)) & 0xff;
  return bytes;
}

const A = object('a');
const SOUND = { damaged: [], faults: [] };

describe('reads', () => {
  test('an object reads as it was written, small and large, aligned or not', () => {
    const station = new Station();
    const large = pattern(300_000, 1);
    station.run(
      { op: 'createCollection', cid: CID },
      { op: 'write', cid: CID, oid: A, offset: 1000, data: large },
      { op: 'write', cid: CID, oid: A, offset: 5000, data: pattern(10, 2) },
    );

    const expected = new Uint8Array(301_000);
    expected.set(large, 1000);
    expected.set(pattern(10, 2), 5000);
    expect(equalBytes(station.store.read(CID, A, 0, 1 << 30), expected)).toBe(true);
    expect(equalBytes(station.store.read(CID, A, 4990, 40), expected.subarray(4990, 5030))).toBe(true);
    expect(station.store.read(CID, A, 301_000, 10)).toHaveLength(0);
    expect(station.store.stat(CID, A)).toEqual({ size: 301_000 });
    expect(station.store.read(CID, object('absent'), 0, 10)).toHaveLength(0);
  });

  test('a submitted transaction is seen before anything is durable', () => {
    const station = new Station();
    station.run({ op: 'createCollection', cid: CID });
    station.store.submit([{ op: 'write', cid: CID, oid: A, offset: 0, data: pattern(200_000, 3) }], 2);
    station.store.submit(
      [
        { op: 'write', cid: CID, oid: A, offset: 0, data: pattern(100, 4) },
        { op: 'omapSet', cid: CID, oid: A, entries: new Map([['k', utf8('v')]]) },
      ],
      3,
    );

    expect(equalBytes(station.store.read(CID, A, 0, 100), pattern(100, 4))).toBe(true);
    expect([...station.store.omapList(CID, A, '', 10).keys()]).toEqual(['k']);
    expect(station.store.list(CID, undefined, 10)).toEqual([A]);
    station.durable = [];
    station.settle();
    expect(station.durable).toEqual([2, 3]);
  });

  test('objects are listed by bit-reversed hash, namespace, key or name, name, snap; from any position', () => {
    const long = 'n'.repeat(2000);
    const ordered = [
      object('z', { hash: 0x8000_0000 }),
      object('z', { hash: 0x4000_0000 }),
      object('b', { hash: 1, nspace: '' }),
      object('c', { hash: 1, key: 'a', nspace: 'n\u0000' }),
      object('c', { hash: 1, key: 'a', nspace: 'n\u0000\u0000' }),
      object('c', { hash: 1, nspace: 'n\u0001', snap: 4n }),
      object('c', { hash: 1, nspace: 'n\u0001', snap: 5n }),
      object('c', { hash: 1, nspace: 'n\u0001' }),
      object(`${long}a`, { hash: 1, nspace: 'o' }),
      object(`${long}b`, { hash: 1, nspace: 'o' }),
      object(`${long}c`, { hash: 1, nspace: 'o' }),
      object('\u00ff', { hash: 1, nspace: 'o' }),
    ];
    const station = new Station();
    const shuffled = ordered.toSorted((a, b) => (a.name + a.hash < b.name + b.hash ? 1 : -1));
    station.run(
      { op: 'createCollection', cid: CID },
      ...shuffled.map((oid): TransactionOp => ({ op: 'touch', cid: CID, oid })),
    );

    expect(station.store.list(CID, undefined, 100)).toEqual(ordered);
    for (const [at, oid] of ordered.entries()) {
      expect(station.store.list(CID, oid, 2)).toEqual(ordered.slice(at, at + 2));
      expect(objectOfOrder(objectOrder(oid))).toEqual(oid);
    }
    expect(station.store.list(CID, object('', { max: true }), 10)).toEqual([]);
    expect(station.store.fsck()).toEqual(SOUND);
  });

  test('omap keys longer than a key-value store takes are kept, in order, and removed by range', () => {
    const long = 'k'.repeat(3000);
    const keys = [`${long}a`, `${long}b`, `${long}c`, `${'k'.repeat(900)}l`];
    const station = new Station();
    station.run(
      { op: 'createCollection', cid: CID },
      { op: 'omapSet', cid: CID, oid: A, entries: new Map(keys.map((key) => [key, utf8(key.slice(-1))])) },
    );

    expect([...station.store.omapList(CID, A, '', 10).keys()]).toEqual(keys);
    expect([...station.store.omapList(CID, A, `${long}b`, 1).keys()]).toEqual([`${long}b`]);
    expect(station.store.omapGet(CID, A, [`${long}c`])).toEqual(new Map([[`${long}c`, utf8('c')]]));
    station.run({ op: 'omapRmRange', cid: CID, oid: A, first: `${long}a`, last: `${long}c` });
    expect([...station.store.omapList(CID, A, '', 10).keys()]).toEqual(keys.slice(2));
    station.run({ op: 'remove', cid: CID, oid: A });
    expect(station.store.statfs()).toMatchObject({ data: 0, omap: 0, metadata: 0 });
    expect(station.store.fsck()).toEqual(SOUND);
  });
});

describe('damage', () => {
  test('rot is found by read and by fsck, and ends with an overwrite of the whole block only', () => {
    const station = new Station();
    const data = pattern(200_000, 5);
    station.run({ op: 'createCollection', cid: CID }, { op: 'write', cid: CID, oid: A, offset: 0, data });
    station.block.damage(station.block.find(data.subarray(8192, 12_288)) + 17);

    expect(() => station.store.read(CID, A, 9000, 1)).toThrow(UnreadableObject);
    expect(station.store.read(CID, A, 0, 8192)).toHaveLength(8192);
    const { damaged, faults } = station.store.fsck();
    expect(faults).toEqual([]);
    expect(damaged).toEqual([{ cid: CID, oid: A, offset: 8192, deviceOffset: expect.any(Number), marked: false }]);
    station.run({ op: 'write', cid: CID, oid: A, offset: 9000, data: pattern(10, 6) });
    expect(() => station.store.read(CID, A, 9000, 1)).toThrow(UnreadableObject);
    station.run({ op: 'clone', cid: CID, oid: A, to: object('copy') });
    expect(() => station.store.read(CID, object('copy'), 9000, 1)).toThrow(UnreadableObject);
    expect(station.store.fsck().damaged.map(({ oid, offset, marked }) => [oid.name, offset, marked])).toEqual([
      ['a', 8192, true],
      ['copy', 8192, true],
    ]);
    station.run({ op: 'write', cid: CID, oid: A, offset: 8192, data: pattern(4096, 7) });
    expect(equalBytes(station.store.read(CID, A, 8192, 4096), pattern(4096, 7))).toBe(true);
  });

  test('a label that is damaged is told from one that is of another store', () => {
    const station = new Station();
    station.block.damage(8);
    const other = new Station(4 << 20, { ...IDENTITY, whoami: 'osd.1' });
    other.kv = new Station().kv;

    expect(() => station.crash(0, () => true)).toThrow(/the label in the device's first block is damaged/);
    expect(() => other.crash(0, () => true)).toThrow(/the device is not the one of osd.0/);
  });

  test('a device that has grown smaller is refused', () => {
    const station = new Station();
    station.block = new CrashableBlock(new Uint8Array(1 << 20));

    expect(() => station.crash(0, () => true)).toThrow(IncompatibleStore);
  });

  test.each([
    ['a superblock', 'S', (value: Bytes) => value.subarray(0, 10), /the superblock is damaged/],
    ['an onode', 'O', (value: Bytes) => value.subarray(0, 20), /metadata are damaged/],
    // The highest byte of its device block is before the one checksum, which is at the end.
    ['where a block is', 'O', (value: Bytes) => patched(value, value.length - 5, 0xff), /beyond the device/],
    ['a block map', 'X', (value: Bytes) => value.subarray(0, 3), /metadata are damaged/],
    ['a collection', 'C', () => new Uint8Array(1), /metadata are damaged/],
    ['a deferred write', 'D', () => new Uint8Array(5000), /a deferred write is damaged/],
  ])('a store of which %s is damaged does not start, and says what to do', (_, prefix, damage, message) => {
    const station = new Station();
    station.run(
      { op: 'createCollection', cid: CID },
      { op: 'write', cid: CID, oid: A, offset: 0, data: pattern(300_000, 1) },
      { op: 'write', cid: CID, oid: object('b'), offset: 0, data: pattern(4096, 1) },
    );
    const start = utf8(prefix);
    const end = new Uint8Array([start[0]! + 1]);
    const [key, value] = [...station.kv.range({ start, end })].at(-1)!;
    station.kv.submit([{ op: 'put', key, value: damage(value) }], 9);
    station.kv.commit();

    expect(() => station.crash(0, () => true)).toThrow(IncompatibleStore);
    expect(() => station.crash(0, () => true)).toThrow(message);
    expect(() => station.crash(0, () => true)).toThrow(/Remove this OSD's data/);
  });

  test('two objects that claim one block as different data are found by fsck, and none frees the other its block', () => {
    const station = new Station();
    station.run({ op: 'createCollection', cid: CID });
    for (const name of ['a', 'b']) {
      station.run({ op: 'write', cid: CID, oid: object(name), offset: 0, data: pattern(4096, name.charCodeAt(0)) });
    }
    const onodes = [...station.kv.range({ start: utf8('O'), end: utf8('P') })];
    const [[key, value], [, other]] = onodes as [[Bytes, Bytes], [Bytes, Bytes]];
    // Its device block, then its checksum, are the last eight bytes.
    const mixed = new Uint8Array([...value.subarray(0, -8), ...other.subarray(-8, -4), ...value.subarray(-4)]);
    station.kv.submit([{ op: 'put', key, value: mixed }], 9);
    station.kv.commit();
    station.crash(9, () => true);

    expect(station.store.fsck().faults).toEqual([
      expect.stringMatching(/^device block \d+ belongs to 1.0\/a and, as something else, to 1.0\/b$/),
    ]);
    station.run({ op: 'remove', cid: CID, oid: A });
    station.run({ op: 'write', cid: CID, oid: object('c'), offset: 0, data: pattern(600_000, 3) });
    expect(equalBytes(station.store.read(CID, object('b'), 0, 4096), pattern(4096, 98))).toBe(true);
  });
});

describe('a device that refuses', () => {
  /** An object on the device, not in memory. */
  function stationWithObject(data: Bytes): Station {
    const station = new Station();
    station.run({ op: 'createCollection', cid: CID }, { op: 'write', cid: CID, oid: A, offset: 0, data });
    return station;
  }

  test('a read makes the object unreadable there, and only there', () => {
    const data = pattern(200_000, 5);
    const station = stationWithObject(data);
    station.block.refuse('read', station.block.find(data.subarray(8192, 12_288)));

    expect(() => station.store.read(CID, A, 9000, 1)).toThrow(UnreadableObject);
    expect(station.store.read(CID, A, 12_288, 100)).toHaveLength(100);
    expect(station.store.fsck().damaged.map(({ offset }) => offset)).toEqual([8192]);
  });

  test('a read before a partial overwrite leaves a block that nobody takes for good, in copies as well, and after a new start', () => {
    const data = pattern(200_000, 5);
    const station = stationWithObject(data);
    station.block.refuse('read', station.block.find(data.subarray(8192, 12_288)));
    station.run({ op: 'clone', cid: CID, oid: A, to: object('copy') });
    station.run({ op: 'write', cid: CID, oid: A, offset: 9000, data: pattern(10, 6) });
    station.run({ op: 'truncate', cid: CID, oid: object('copy'), size: 10_000 });
    station.block.accept();
    station.crash(0, () => true);

    for (const oid of [A, object('copy')]) {
      expect(() => station.store.read(CID, oid, 9000, 1)).toThrow(UnreadableObject);
      expect(equalBytes(station.store.read(CID, oid, 0, 8192), data.subarray(0, 8192))).toBe(true);
    }
    expect(station.store.fsck().damaged.map(({ marked }) => marked)).toEqual([true, true]);
  });

  test('a write up to the end of the object needs nothing of the block, and makes it good', () => {
    const data = pattern(200_000, 5);
    const station = stationWithObject(data);
    station.block.refuse('read', station.block.find(data.subarray(0, 4096)));
    station.run({ op: 'truncate', cid: CID, oid: A, size: 100 });
    expect(() => station.store.read(CID, A, 0, 1)).toThrow(UnreadableObject);

    station.run({ op: 'write', cid: CID, oid: A, offset: 0, data: pattern(100, 6) });
    expect(station.store.read(CID, A, 0, 200)).toEqual(pattern(100, 6));
  });

  test('a clone is made while no read succeeds, and is as good as its source', () => {
    const data = pattern(80_000, 5);
    const station = stationWithObject(data);
    station.block.refuse('read');
    station.run({ op: 'clone', cid: CID, oid: A, to: object('copy') });
    station.block.accept();

    expect(equalBytes(station.store.read(CID, object('copy'), 0, data.length), data)).toBe(true);
    expect(station.store.fsck()).toEqual(SOUND);
  });

  test('a deferred write leaves its record: the next start writes it', () => {
    const station = new Station();
    station.run({ op: 'createCollection', cid: CID });
    const small = pattern(4096, 1);
    station.run({ op: 'write', cid: CID, oid: A, offset: 0, data: small });
    station.block.refuse('write');
    const large: TransactionOp = { op: 'write', cid: CID, oid: object('b'), offset: 0, data: pattern(100_000, 2) };
    expect(() => station.store.submit([large], 7)).toThrow(DeviceError);
    expect(() => station.crash(0, () => true)).toThrow(DeviceError);
    station.block.accept();
    station.crash(0, () => true);
    station.settle();

    expect(equalBytes(station.store.read(CID, A, 0, 4096), small)).toBe(true);
    expect(station.store.fsck()).toEqual(SOUND);
  });

  test('rot under a deferred write that is replayed is mended by it', () => {
    const station = new Station();
    station.run({ op: 'createCollection', cid: CID });
    const data = pattern(200_000, 1);
    station.run({ op: 'write', cid: CID, oid: A, offset: 0, data });
    const at = station.block.find(data.subarray(8192, 12_288));
    station.run({ op: 'write', cid: CID, oid: A, offset: 8192, data: pattern(4096, 9) });
    station.block.damage(at + 5);
    station.crash(0, () => true);

    expect(equalBytes(station.store.read(CID, A, 8192, 4096), pattern(4096, 9))).toBe(true);
    expect(station.store.fsck()).toEqual(SOUND);
  });
});

describe('clones', () => {
  const COPY = object('copy');

  function stationWithCopy(data: Bytes): Station {
    const station = new Station();
    station.run({ op: 'createCollection', cid: CID }, { op: 'write', cid: CID, oid: A, offset: 0, data });
    station.run({ op: 'clone', cid: CID, oid: A, to: COPY });
    return station;
  }

  test('take no room until they differ, and only as much as they do', () => {
    const station = stationWithCopy(pattern(1 << 20, 1));
    expect(station.store.statfs().data).toBe(1 << 20);

    station.run({ op: 'write', cid: CID, oid: A, offset: 5000, data: pattern(10, 2) });
    station.run({ op: 'write', cid: CID, oid: COPY, offset: 0, data: pattern(100_000, 3) });
    const differing = Math.ceil(100_000 / 4096) * 4096;
    expect(station.store.statfs().data).toBe((1 << 20) + differing);
    // What the copy had of it is the object's alone now, and is written in place.
    station.run({ op: 'write', cid: CID, oid: A, offset: 0, data: pattern(4096, 4) });
    expect(station.store.statfs().data).toBe((1 << 20) + differing);
    expect(station.store.fsck()).toEqual(SOUND);
  });

  test('are what they were whatever is written to the other, and after a new start', () => {
    const data = pattern(300_000, 1);
    const station = stationWithCopy(data);
    station.run({ op: 'write', cid: CID, oid: A, offset: 4000, data: pattern(200, 2) });
    station.run({ op: 'zero', cid: CID, oid: A, offset: 20_000, length: 9000 });
    station.run({ op: 'truncate', cid: CID, oid: A, size: 100_001 });
    expect(equalBytes(station.store.read(CID, COPY, 0, 1 << 20), data)).toBe(true);

    station.crash(0, () => true);
    expect(equalBytes(station.store.read(CID, COPY, 0, 1 << 20), data)).toBe(true);
    expect(station.store.fsck()).toEqual(SOUND);
    station.run({ op: 'remove', cid: CID, oid: A });
    expect(equalBytes(station.store.read(CID, COPY, 0, 1 << 20), data)).toBe(true);
    station.run({ op: 'remove', cid: CID, oid: COPY });
    expect(station.store.statfs().data).toBe(0);
  });

  test('share rot, and an overwrite of the one does not mend the other', () => {
    const data = pattern(200_000, 5);
    const station = stationWithCopy(data);
    station.block.damage(station.block.find(data.subarray(8192, 12_288)) + 17);
    expect(station.store.fsck().damaged.map(({ oid, offset }) => [oid.name, offset])).toEqual([
      ['a', 8192],
      ['copy', 8192],
    ]);

    station.run({ op: 'write', cid: CID, oid: A, offset: 8192, data: pattern(4096, 7) });
    expect(equalBytes(station.store.read(CID, A, 8192, 4096), pattern(4096, 7))).toBe(true);
    expect(() => station.store.read(CID, COPY, 9000, 1)).toThrow(UnreadableObject);
  });

  test('fit on a device that is nearly full; what would part them does not', () => {
    const station = new Station(1 << 20);
    station.run({ op: 'createCollection', cid: CID });
    station.run({ op: 'write', cid: CID, oid: A, offset: 0, data: pattern(900_000, 1) });
    station.run({ op: 'clone', cid: CID, oid: A, to: COPY });

    const write = { op: 'write', cid: CID, oid: A, offset: 0, data: pattern(300_000, 2) } as const;
    expect(() => station.store.submit([write], 5)).toThrow(DeviceError);
    station.run({ op: 'write', cid: CID, oid: A, offset: 0, data: pattern(100_000, 2) });
    expect(equalBytes(station.store.read(CID, COPY, 0, 900_000), pattern(900_000, 1))).toBe(true);
  });
});

describe('holes', () => {
  function extentsAfter(...ops: TransactionOp[]) {
    const station = new Station();
    station.run({ op: 'createCollection', cid: CID });
    for (const op of ops) station.run(op);
    const pairs = () => station.store.extents(CID, A, 0, 1 << 30).map(({ offset, length }) => [offset, length]);
    const before = pairs();
    station.crash(0, () => true);
    expect(pairs()).toEqual(before);
    return before;
  }
  const write = (offset: number, length: number): TransactionOp => ({
    op: 'write',
    cid: CID,
    oid: A,
    offset,
    data: pattern(length, 1),
  });

  // What BlueStore of Ceph 16.2 answered to the same.
  test.each<[string, TransactionOp[], number[][]]>([
    ['are before what is written first', [write(20, 3)], [[20, 3]]],
    [
      'are between what is written, within a block',
      [write(20, 3), write(100, 3)],
      [
        [20, 3],
        [100, 3],
      ],
    ],
    [
      'end where writes touch',
      [write(20, 3), write(100, 3), write(23, 3)],
      [
        [20, 6],
        [100, 3],
      ],
    ],
    [
      'are punched to the byte',
      [write(0, 10_000), { op: 'zero', cid: CID, oid: A, offset: 100, length: 50 }],
      [
        [0, 100],
        [150, 9850],
      ],
    ],
    [
      'reach from a cut to where the object ends later',
      [
        write(0, 10_000),
        { op: 'truncate', cid: CID, oid: A, size: 50 },
        { op: 'truncate', cid: CID, oid: A, size: 10_000 },
      ],
      [[0, 50]],
    ],
    [
      'lie between large writes',
      [write(0, 200_000), write(300_001, 200_000)],
      [
        [0, 200_000],
        [300_001, 200_000],
      ],
    ],
    [
      'are none where zeros were written',
      [{ op: 'write', cid: CID, oid: A, offset: 0, data: new Uint8Array(100_000) }],
      [[0, 100_000]],
    ],
  ])('%s', (_, ops, expected) => {
    expect(extentsAfter(...ops)).toEqual(expected);
  });

  test('a block of which everything was zeroed is given up', () => {
    const station = new Station();
    station.run({ op: 'createCollection', cid: CID }, write(4096, 10), write(5000, 10));
    station.run({ op: 'zero', cid: CID, oid: A, offset: 4090, length: 20 });
    expect(station.store.statfs().data).toBe(4096);
    station.run({ op: 'zero', cid: CID, oid: A, offset: 4500, length: 600 });

    expect(station.store.statfs().data).toBe(0);
    expect(station.store.stat(CID, A)).toEqual({ size: 5100 });
    expect(station.store.fsck()).toEqual(SOUND);
  });
});

describe('space', () => {
  test('what does not fit is refused whole, and removing makes room again', () => {
    const station = new Station(1 << 20);
    const big = object('big');
    station.run({ op: 'createCollection', cid: CID });
    station.run({ op: 'write', cid: CID, oid: big, offset: 0, data: pattern(900_000, 1) });
    const before = station.store.statfs();

    const transaction: Transaction = [
      { op: 'touch', cid: CID, oid: A },
      { op: 'write', cid: CID, oid: A, offset: 0, data: pattern(200_000, 2) },
    ];
    expect(() => station.store.submit(transaction, 5)).toThrow(DeviceError);
    expect(() => station.store.submit(transaction, 5)).toThrow(
      'the device is full: 905216 of 1048576 bytes used, 200704 more needed; add capacity or remove objects',
    );
    expect(station.store.stat(CID, A)).toBeUndefined();
    expect(station.store.statfs()).toEqual(before);
    station.run({ op: 'remove', cid: CID, oid: big });
    station.store.submit(transaction, 6);
    station.settle();
    expect(station.store.statfs().data).toBe(Math.ceil(200_000 / 4096) * 4096);
    expect(station.store.fsck()).toEqual(SOUND);
  });

  test('overwriting for ever needs no more space than the object', () => {
    const station = new Station(1 << 20);
    station.run({ op: 'createCollection', cid: CID });
    for (let round = 0; round < 300; round++) {
      const data = pattern(round % 3 === 0 ? 200_000 : 10_000, round);
      station.run({ op: 'write', cid: CID, oid: A, offset: 0, data });
    }

    expect(station.store.statfs().data).toBe(Math.ceil(200_000 / 4096) * 4096);
    expect(station.store.fsck()).toEqual(SOUND);
  });
});

const names = fc.constantFrom('a', 'b', 'c');
const oids = names.map((name) => object(name, { hash: name.charCodeAt(0) }));
const offsets = fc.oneof(fc.nat(9000), fc.constantFrom(0, 4096, 8192, 262_144, 258_048));
const lengths = fc.oneof(fc.nat(9000), fc.constantFrom(4096, 8192, 70_000, 131_072));
const keys = fc.constantFrom('k', 'l', 'm', 'n'.repeat(1500));
const bytes = fc.nat(255).map((seed) => pattern(5, seed));
const changes: fc.Arbitrary<TransactionOp> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('write' as const),
      cid: fc.constant(CID),
      oid: oids,
      offset: offsets,
      data: fc.tuple(lengths, fc.nat(255)).map(([length, seed]) => pattern(length, seed)),
    }),
  },
  fc.record({ op: fc.constant('zero' as const), cid: fc.constant(CID), oid: oids, offset: offsets, length: lengths }),
  fc.record({ op: fc.constant('truncate' as const), cid: fc.constant(CID), oid: oids, size: offsets }),
  fc.record({
    op: fc.constantFrom('touch' as const, 'remove' as const, 'rmAttrs' as const, 'omapClear' as const),
    cid: fc.constant(CID),
    oid: oids,
  }),
  fc.record({
    op: fc.constant('setAttrs' as const),
    cid: fc.constant(CID),
    oid: oids,
    attrs: fc.array(fc.tuple(keys, bytes)).map((entries) => new Map(entries)),
  }),
  fc.record({ op: fc.constant('rmAttr' as const), cid: fc.constant(CID), oid: oids, name: keys }),
  fc.record({
    op: fc.constant('omapSet' as const),
    cid: fc.constant(CID),
    oid: oids,
    entries: fc.array(fc.tuple(keys, bytes)).map((entries) => new Map(entries)),
  }),
  fc.record({
    op: fc.constant('omapRmKeys' as const),
    cid: fc.constant(CID),
    oid: oids,
    keys: fc.array(keys, { maxLength: 2 }),
  }),
  fc.record({ op: fc.constant('omapRmRange' as const), cid: fc.constant(CID), oid: oids, first: keys, last: keys }),
  fc.record({ op: fc.constant('omapSetHeader' as const), cid: fc.constant(CID), oid: oids, header: bytes }),
  fc.record({ op: fc.constant('clone' as const), cid: fc.constant(CID), oid: oids, to: oids }),
);

type Step =
  | { readonly step: 'submit'; readonly transaction: Transaction }
  | { readonly step: 'commit' | 'flush' }
  | { readonly step: 'crash'; readonly survivors: number; readonly sectors: readonly boolean[] };

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      step: fc.constant('submit' as const),
      transaction: fc.array(changes, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ step: fc.constantFrom('commit' as const, 'flush' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      step: fc.constant('crash' as const),
      survivors: fc.nat(6),
      sectors: fc.array(fc.boolean(), { minLength: 3, maxLength: 7 }),
    }),
  },
);

test('whatever happens, the store equals a model; after a power cut, one of its pasts that holds all it had reported durable', () => {
  fc.assert(
    fc.property(fc.array(steps, { minLength: 5, maxLength: 40 }), (script) => {
      const station = new Station(8 << 20);
      station.run({ op: 'createCollection', cid: CID });
      station.durable = [];
      const first = new MemoryModel();
      first.apply([{ op: 'createCollection', cid: CID }]);
      // History: the state after each transaction submitted since the last crash.
      let history = [first];
      for (const step of script) {
        if (step.step === 'submit') {
          const next = history.at(-1)!.copy();
          next.apply(step.transaction);
          station.store.submit(step.transaction, history.length);
          history.push(next);
          expect(next.differenceFrom(station.store, CID)).toBe('');
        } else if (step.step === 'crash') {
          const reported = station.durable.at(-1) ?? 0;
          let sector = 0;
          station.crash(step.survivors, () => step.sectors[sector++ % step.sectors.length]!);
          expect(station.store.fsck()).toEqual(SOUND);
          const at = history.findIndex(
            (past, index) => index >= reported && past.differenceFrom(station.store, CID) === '',
          );
          expect(at).toBeGreaterThanOrEqual(reported);
          history = [history[at]!];
          station.durable = [];
        } else if (step.step === 'commit') station.commit();
        else station.flush();
      }
      station.settle();
      expect(station.durable).toEqual(history.slice(1).map((_, index) => index + 1));
      expect(history.at(-1)!.differenceFrom(station.store, CID)).toBe('');
      expect(station.store.fsck()).toEqual(SOUND);
    }),
    { numRuns: Number(process.env['RUNS'] ?? 60) },
  );
});
