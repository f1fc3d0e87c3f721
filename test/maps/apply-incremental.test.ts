/** What an incremental does beside what it says, and what it leaves shared with the map before. */
import { MalformedInput } from '@spirula/encoding';
import {
  applyIncremental,
  decodeIncremental,
  decodeOsdMap,
  emptyIncremental,
  encodeIncremental,
  encodeOsdMap,
  type OsdMap,
  OsdMapFlag,
  type OsdMapIncremental,
  OsdState,
  osdUp,
} from '@spirula/maps';
import { expect, test } from 'vitest';
import { goldenBytes } from '../golden-data.ts';

const base = decodeOsdMap(goldenBytes('real/osdmap.bin'));
const addrs = [{ type: 2, nonce: 7, family: 2, ip: '127.0.0.1', port: 6800 }] as const;

function apply(map: OsdMap, change: (inc: OsdMapIncremental) => void): OsdMap {
  const inc = emptyIncremental(map.fsid, map.epoch + 1);
  inc.modified = { sec: map.modified.sec + 1, nsec: 0 };
  change(inc);
  // Through the wire, as every daemon but the leader gets it.
  return applyIncremental(map, decodeIncremental(encodeIncremental(inc)));
}

test('an incremental that says nothing changes epoch and stamp and shares everything else', () => {
  const next = apply(base, () => undefined);

  expect(next.epoch).toBe(base.epoch + 1);
  const shared = Object.keys(base).filter(
    (key) => !['fsid', 'epoch', 'modified', 'newRemovedSnaps', 'newPurgedSnaps'].includes(key),
  ) as (keyof OsdMap)[];
  for (const key of shared) expect(next[key], key).toBe(base[key]);
});

test('marking an OSD down copies the states and what is known of it, no addresses and no CRUSH map', () => {
  const next = apply(base, (inc) => inc.newState.set(1, OsdState.up));

  expect(osdUp(next, 1)).toBe(false);
  expect(osdUp(base, 1)).toBe(true);
  expect(next.osdInfo[1]!.downAt).toBe(next.epoch);
  expect(next.osdXInfo[1]!.downStamp).toEqual(next.modified);
  expect(next.osdInfo[0]).toBe(base.osdInfo[0]);
  for (const key of ['clientAddrs', 'osdUuid', 'osdWeight', 'crush', 'pools'] as const)
    expect(next[key]).toBe(base[key]);
});

test('a state of 0 toggles up', () => {
  const next = apply(base, (inc) => inc.newState.set(2, 0));

  expect(osdUp(next, 2)).toBe(false);
});

test('an OSD that comes up takes its four addresses and its epoch, and is no longer stopped', () => {
  const down = apply(base, (inc) => inc.newState.set(1, OsdState.up | OsdState.stop));
  const next = apply(down, (inc) => {
    for (const up of [inc.newUpClient, inc.newUpCluster, inc.newHbBackUp, inc.newHbFrontUp]) up.set(1, addrs);
  });

  expect(next.osdState[1]).toBe(OsdState.exists | OsdState.up);
  expect(next.osdInfo[1]!.upFrom).toBe(next.epoch);
  for (const key of ['clientAddrs', 'clusterAddrs', 'hbBackAddrs', 'hbFrontAddrs'] as const) {
    expect(next[key][1]).toEqual(addrs);
  }
});

test('marking in clears autoout, new and the old weight', () => {
  const out = apply(base, (inc) => {
    inc.newWeight.set(0, 0);
    inc.newState.set(0, OsdState.autoout | OsdState.new);
    inc.newXInfo.set(0, { ...base.osdXInfo[0]!, oldWeight: 0x8000 });
  });
  const next = apply(out, (inc) => inc.newWeight.set(0, 0x8000));

  expect(next.osdState[0]).toBe(OsdState.exists | OsdState.up);
  expect(next.osdXInfo[0]!.oldWeight).toBe(0);
});

test('destroying an OSD forgets everything of it', () => {
  const next = apply(base, (inc) => inc.newState.set(3, OsdState.exists));

  expect(next.osdState[3]).toBe(0);
  expect(next.osdUuid[3]).toEqual(new Uint8Array(16));
  expect(next.osdInfo[3]!.upFrom).toBe(0);
  expect(next.clientAddrs[3]).toEqual([]);
  expect(next.primaryAffinity).toEqual(new Array(base.maxOsd).fill(0x10000));
});

test('a new pool carries the epoch of its change; an old one goes with its name', () => {
  const [id, pool] = [...base.pools][0]!;
  const added = apply(base, (inc) => {
    inc.newPools.set(90, pool);
    inc.newPoolNames.set(90, 'new');
    inc.newPoolMax = 90;
  });
  const next = apply(added, (inc) => inc.oldPools.add(id));

  expect(added.pools.get(90)).toEqual({ ...pool, lastChange: added.epoch });
  expect(next.pools.has(id)).toBe(false);
  expect(next.poolNames.has(id)).toBe(false);
  expect(next.poolNames.get(90)).toBe('new');
});

test('removed snaps queue up until they are purged', () => {
  const removed = apply(base, (inc) => inc.newRemovedSnaps.set(1, [{ start: 1n, length: 2n }]));
  const more = apply(removed, (inc) => inc.newRemovedSnaps.set(1, [{ start: 3n, length: 4n }]));
  const purged = apply(more, (inc) => inc.newPurgedSnaps.set(1, [{ start: 2n, length: 3n }]));
  const none = apply(purged, (inc) =>
    inc.newPurgedSnaps.set(1, [
      { start: 1n, length: 1n },
      { start: 5n, length: 2n },
    ]),
  );

  expect(more.removedSnapsQueue.get(1)).toEqual([{ start: 1n, length: 6n }]);
  expect(purged.removedSnapsQueue.get(1)).toEqual([
    { start: 1n, length: 1n },
    { start: 5n, length: 2n },
  ]);
  expect(purged.newRemovedSnaps.size).toBe(0);
  expect(none.removedSnapsQueue.has(1)).toBe(false);
});

test('temporary sets and blocklist entries come and go', () => {
  const key = 1 * 2 ** 32 + 3;
  const until = { sec: 2_000_000_000, nsec: 0 };
  const set = apply(base, (inc) => {
    inc.newPgTemp.set(key, [0, 1]);
    inc.newPrimaryTemp.set(key, 1);
    inc.newBlocklist.push([addrs[0], until]);
  });
  const prolonged = apply(set, (inc) => inc.newBlocklist.push([addrs[0], { sec: 2_100_000_000, nsec: 0 }]));
  const cleared = apply(prolonged, (inc) => {
    inc.newPgTemp.set(key, []);
    inc.newPrimaryTemp.set(key, -1);
    inc.oldBlocklist.push(addrs[0]);
  });

  expect(set.pgTemp.get(key)).toEqual([0, 1]);
  expect(set.primaryTemp.get(key)).toBe(1);
  expect(prolonged.blocklist).toEqual([[addrs[0], until]]);
  expect([cleared.pgTemp.size, cleared.primaryTemp.size, cleared.blocklist.length]).toEqual([0, 0, 0]);
});

test('requiring a release sets the flags that go with it', () => {
  const old = { ...base, flags: OsdMapFlag.requireJewel, requireOsdRelease: 10 };
  const next = apply(old, (inc) => {
    inc.newRequireOsdRelease = 16;
  });

  expect(next.flags).toBe(OsdMapFlag.recoveryDeletes | OsdMapFlag.pglogHardlimit);
});

test('a new CRUSH map counts a version up and takes its place undecoded beside it', () => {
  const next = apply(base, (inc) => {
    inc.crush = base.crushBytes;
  });

  expect(next.crushVersion).toBe(base.crushVersion + 1);
  expect(next.crush).toEqual(base.crush);
  expect(next.crush).not.toBe(base.crush);
});

test('growing and shrinking max_osd keeps the arrays in step', () => {
  const grown = apply(base, (inc) => {
    inc.newMaxOsd = base.maxOsd + 2;
  });
  const shrunk = apply(grown, (inc) => {
    inc.newMaxOsd = 1;
    inc.newWeight.set(5, 0);
  });

  expect(decodeOsdMap(encodeOsdMap(grown))).toEqual(grown);
  expect(decodeOsdMap(encodeOsdMap(shrunk))).toEqual(shrunk);
  expect(shrunk.osdState).toEqual(base.osdState.slice(0, 1));
});

test('a laggy probability survives any number of encodings', () => {
  const next = apply(base, (inc) => inc.newXInfo.set(0, { ...base.osdXInfo[0]!, laggyProbability: 0.3 }));
  const bytes = encodeOsdMap(next);

  expect(encodeOsdMap(decodeOsdMap(bytes))).toEqual(bytes);
  expect(next.osdXInfo[0]!.laggyProbability).toBeCloseTo(0.3);
});

test.each([
  ['of another epoch', (inc: OsdMapIncremental) => inc.epoch++],
  ['of another cluster', (inc: OsdMapIncremental) => (inc.fsid = new Uint8Array(16))],
  ['with a CRUSH map that does not parse', (inc: OsdMapIncremental) => (inc.crush = new Uint8Array(3))],
])('an incremental %s is refused', (_, spoil) => {
  const inc = emptyIncremental(base.fsid, base.epoch + 1);
  spoil(inc);

  expect(() => applyIncremental(base, inc)).toThrow(MalformedInput);
});

test('an incremental that asks for millions of OSDs is refused before anything is allocated', () => {
  const inc = { ...emptyIncremental(base.fsid, base.epoch + 1), newMaxOsd: 2 ** 31 - 1 };

  expect(() => decodeIncremental(encodeIncremental(inc))).toThrow('incremental.new_max_osd');
});
