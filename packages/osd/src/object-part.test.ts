import { type Bytes, EMPTY, type RawString } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import { NOSNAP, type ObjectPart, type PartCursor } from '@spirula/messages';
import { type Extents, type ObjectStore, type TransactionOp, UnreadableObject } from '@spirula/objectstore';
import { describe, expect, test } from 'vitest';
import { encodeObjectInfo, OBJECT_INFO_ATTR } from './object-info.ts';
import { readObjectPart, writeObjectPart } from './object-part.ts';

const oid: HObject = { pool: 1, nspace: '', key: '', name: 'a', snap: NOSNAP, hash: 7, max: false };
const version = { epoch: 3, version: 9 };
const NONE = { epoch: 0, version: 0 };

/** A store of one object. */
function storeOf(size: number, extents: Extents, storedSize = size): ObjectStore {
  const info = encodeObjectInfo({
    version,
    priorVersion: NONE,
    userVersion: 1,
    size,
    mtime: { sec: 1, nsec: 0 },
    truncateSeq: 0,
    truncateSize: 0,
    isDirty: true,
    watchers: [],
    whiteout: false,
    snaps: [],
  });
  const attrs = new Map<RawString, Bytes>([[OBJECT_INFO_ATTR, info]]);
  return {
    stat: () => ({ size: storedSize }),
    getAttr: () => info,
    getAttrs: () => attrs,
    omapHeader: () => EMPTY,
    omapList: () => new Map(),
    extents: (_: string, __: HObject, offset: number, length: number) =>
      extents.flatMap((each) => {
        const from = Math.max(each.offset, offset);
        const to = Math.min(each.offset + each.length, offset + length);
        return from < to ? [{ offset: from, length: to - from }] : [];
      }),
    read: (_: string, __: HObject, offset: number, length: number) =>
      Uint8Array.from({ length }, (___, i) => (offset + i) & 0xff),
  } as unknown as ObjectStore;
}

/** All parts of the object, as they follow one another. */
function partsOf(store: ObjectStore, maxBytes: number): ObjectPart[] {
  const parts: ObjectPart[] = [];
  let from: PartCursor | undefined;
  do {
    const read = readObjectPart(store, '1.0', oid, version, from, maxBytes);
    parts.push(read!.part);
    from = read!.next;
  } while (!parts.at(-1)!.last);
  return parts;
}

describe('an object in parts', () => {
  const holes = [
    { offset: 10, length: 30 },
    { offset: 100, length: 50 },
  ];

  test('carries no holes, however small the parts are', () => {
    for (const maxBytes of [1, 7, 30, 31, 80, 1000]) {
      const parts = partsOf(storeOf(1000, holes), maxBytes);
      const bytes = parts.flatMap(({ data }) => [...data]);

      expect(bytes).toHaveLength(80);
      expect(parts.every(({ data }) => data.length <= maxBytes)).toBe(true);
      expect(bytes.slice(0, 2)).toEqual([10, 11]);
      expect(bytes.at(-1)).toBe(149);
    }
  });

  test('of holes alone is one part', () => {
    expect(partsOf(storeOf(1000, []), 100)).toMatchObject([{ extents: [], data: EMPTY, last: true, size: 1000 }]);
  });

  test('is written where its data belong, and ends where it ends', () => {
    const transaction: TransactionOp[] = [];
    writeObjectPart('1.0', partsOf(storeOf(1000, holes), 1000)[0]!, transaction);

    const written = transaction.flatMap((op) => (op.op === 'write' ? [[op.offset, op.data.length, op.data[0]]] : []));
    expect(written).toEqual([
      [10, 30, 10],
      [100, 50, 100],
    ]);
    expect(transaction.at(-1)).toMatchObject({ op: 'truncate', size: 1000 });
  });

  test('that is shorter in the store than it should be is unreadable', () => {
    const store = storeOf(1000, holes, 999);

    expect(() => readObjectPart(store, '1.0', oid, version, undefined, 100)).toThrow(UnreadableObject);
  });

  test('is none in another version', () => {
    const store = storeOf(5, [{ offset: 0, length: 5 }]);

    expect(readObjectPart(store, '1.0', oid, { epoch: 3, version: 8 }, undefined, 100)).toBeUndefined();
  });
});
