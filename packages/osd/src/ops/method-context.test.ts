import { ClassRegistry, type MethodContext, MethodFlag, rawMethod } from '@spirula/cls';
import { type Bytes, EMPTY, Errno, type RawString, utf8 } from '@spirula/encoding';
import { callOp, NOSNAP, type ObjectChange, OpFlag, type WatchItem } from '@spirula/messages';
import { extent } from '@spirula/objectstore';
import { makeConfig } from '@spirula/world';
import { expect, test } from 'vitest';
import type { ObjectReader } from '../object-draft.ts';
import type { ObjectInfo } from '../object-info.ts';
import { executeOps } from '../op-engine.ts';
import type { SnapSet } from '../snap-set.ts';

const oid = { pool: 1, nspace: '', key: '', name: 'obj', snap: NOSNAP, hash: 7, max: false };
const addr = { type: 2, nonce: 9, family: 2, ip: '10.0.0.1', port: 5 } as const;
const WATCHER: WatchItem = { cookie: 3n, entityType: 8, entityNum: 41n, timeoutSeconds: 30, addr };
const OMAP = new Map<RawString, Bytes>(['a', 'b', 'c'].map((key) => [key, utf8(key.toUpperCase())]));

const reader: ObjectReader = {
  stat: () => ({ size: 4 }),
  read: (offset, length) => utf8('data').subarray(offset, offset + length),
  extents: (offset, length) => extent(offset, length),
  getAttr: () => undefined,
  getAttrs: () => new Map(),
  omapHeader: () => EMPTY,
  omapGet: (keys) => new Map([...keys].flatMap((key) => (OMAP.has(key) ? [[key, OMAP.get(key)!] as const] : []))),
  omapList: (start, max) => new Map([...OMAP].filter(([key]) => key >= start).slice(0, max)),
};

const INFO: ObjectInfo = {
  version: { epoch: 1, version: 5 },
  priorVersion: { epoch: 0, version: 0 },
  userVersion: 5,
  size: 4,
  mtime: { sec: 1, nsec: 0 },
  truncateSeq: 0,
  truncateSize: 0,
  isDirty: true,
  watchers: [WATCHER],
  whiteout: false,
  snaps: [],
};

interface Place {
  readonly flags?: number;
  readonly info?: ObjectInfo | undefined;
  readonly snapset?: SnapSet;
}

/** Runs `body` as a method that a client calls; the request's result and changes. */
function call(
  body: (object: MethodContext) => void,
  place: Place = {},
): { result: number; changes: readonly ObjectChange[] } {
  const { flags = MethodFlag.read | MethodFlag.write, snapset = { seq: 0n, clones: [] } } = place;
  const info = 'info' in place ? place.info : INFO;
  const probe = rawMethod(flags, (object) => {
    body(object);
    return { code: 0, output: EMPTY };
  });
  return executeOps(
    {
      oid,
      ops: [callOp('probe', 'run')],
      flags: 0,
      mtime: { sec: 2, nsec: 0 },
      client: { session: 1, entityType: 8, entityNum: 4117n, addr, features: 0x3f01n },
    },
    {
      info,
      snapset,
      version: { epoch: 1, version: 6 },
      lastUserVersion: 5,
      isConnected: () => false,
      nextNotifyId: () => 0n,
    },
    reader,
    {
      config: makeConfig({ osd_max_omap_entries_per_request: 2 }),
      clock: { wall: () => ({ sec: 9, nsec: 0 }) },
      crypto: { randomBytes: (count) => new Uint8Array(count) },
      classes: new ClassRegistry([{ name: 'probe', methods: { run: probe } }], { loadList: '*', defaultList: '*' }),
      map: { requireOsdRelease: 16, requireMinCompatClient: 14 },
    },
  );
}

function seen<T>(body: (object: MethodContext) => T, place: Place = {}): T | number {
  const values: T[] = [];
  const { result } = call((object) => values.push(body(object)), place);
  return result < 0 ? result : values[0]!;
}

test('a method knows what its client and its cluster can do', () => {
  const known = seen(({ clientFeatures, requiredOsdRelease, minCompatibleClient }) => [
    clientFeatures,
    requiredOsdRelease,
    minCompatibleClient,
  ]);

  expect(known).toEqual([0x3f01n, 16, 14]);
});

test('the newest snapshot that the object knows of is told to every method; of no object ENOENT', () => {
  const snapset = { seq: 7n, clones: [] };
  const newest = (place: Place) => seen((object) => object.snapsetSeq(), place);

  expect(newest({ snapset, flags: MethodFlag.write })).toBe(7n);
  expect(newest({})).toBe(0n);
  expect(newest({ info: undefined })).toBe(Errno.ENOENT);
});

test('a deleted object tells of its newest snapshot while it has clones', () => {
  const info = { ...INFO, whiteout: true };
  const clone = { id: 4n, snaps: [4n], size: 4, overlap: extent(0, 4) };
  const newest = (clones: SnapSet['clones']) =>
    seen((object) => object.snapsetSeq(), { info, snapset: { seq: 7n, clones } });

  expect(newest([clone])).toBe(7n);
  expect(newest([])).toBe(Errno.ENOENT);
});

test('watchers are told to who may read', () => {
  const watchers = (flags: number) => seen((object) => object.watchers(), { flags });

  expect(watchers(MethodFlag.read)).toEqual([{ type: 8, num: 41n, cookie: 3n, timeoutSeconds: 30, addr }]);
  expect(watchers(MethodFlag.write)).toBe(Errno.EIO);
});

test('omap is read by keys, and by pages of keys as long as the OSD allows', () => {
  expect(seen((object) => [...object.omapGetByKeys(['c', 'x', 'a'])])).toEqual([
    ['a', utf8('A')],
    ['c', utf8('C')],
  ]);
  expect(seen((object) => object.omapKeys({ max: 10 }))).toEqual({ keys: ['a', 'b'], more: true });
  expect(seen((object) => object.omapKeys({ after: 'b', max: 10 }))).toEqual({ keys: ['c'], more: false });
  expect(seen((object) => object.omapGetByKeys(['a']).size, { info: undefined })).toBe(0);
});

test('hints go along with reads and writes; what is no hint does not', () => {
  const sequential = 0x8;

  expect(seen((object) => object.read(1, 2, sequential))).toEqual(utf8('at'));
  const { result, changes } = call((object) => object.write(0, utf8('x'), sequential));
  expect([result, changes[0]]).toMatchObject([0, { op: 'write', offset: 0 }]);
  // Were FAILOK let through, the request would count an op that failed.
  expect(call((object) => object.write(2 ** 40, utf8('x'), OpFlag.failok)).result).toBe(Errno.EFBIG);
});
