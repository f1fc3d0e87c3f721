/** Ceph's own tools read the maps written here, and find in them what we find. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EntityAddr, parseUuid } from '@spirula/encoding';
import {
  decodeMonMap,
  decodeOsdMap,
  dumpOsdMap,
  encodeMonMap,
  encodeOsdMap,
  type MonMap,
  mapPg,
  mapPgRaw,
  type OsdMap,
  OsdMapFlag,
  OsdState,
  type Pool,
  PoolFlag,
  pgKey,
  printMonMap,
  printOsdMap,
} from '@spirula/maps';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { goldenBytes } from '../golden-data.ts';
import { missingTools } from '../interop/real-ceph.ts';
import { runTool } from '../interop/run-tool.ts';

const base = decodeOsdMap(goldenBytes('osdmap/temps/osdmap.bin'));
const NONE = 0x7fffffff;

/** 2001 to 2038 without the first nanoseconds, which Ceph prints as a span. */
const stamp = fc.record({
  sec: fc.integer({ min: 1e9, max: 2 ** 31 - 1 }),
  nsec: fc.integer({ min: 0, max: 1e9 - 1 }),
});
const weight = fc.oneof(fc.constantFrom(0, 0x10000), fc.integer({ min: 0, max: 0x10000 }));
const osd = fc.integer({ min: 0, max: base.maxOsd - 1 });
const bits = (flags: Readonly<Record<string, number>>) =>
  fc.subarray(Object.values(flags)).map((some) => some.reduce((all, bit) => all | bit, 0));
const poolId = fc.constantFrom(...base.pools.keys());
const pg = poolId.chain((pool) =>
  fc.integer({ min: 0, max: base.pools.get(pool)!.pgNum - 1 }).map((seed) => pgKey({ pool, seed })),
);
const table = <V>(value: fc.Arbitrary<V>) =>
  fc.array(fc.tuple(pg, value), { maxLength: 6 }).map((rows) => new Map(rows));
const snaps = fc.array(fc.tuple(fc.bigInt(1n, 9n), fc.bigInt(1n, 99n)), { minLength: 1, maxLength: 3 }).map((gaps) => {
  let start = 0n;
  return gaps.map(([gap, length]) => {
    const interval = { start: start + gap, length };
    start += gap + length;
    return interval;
  });
});
const addr: fc.Arbitrary<EntityAddr> = fc.oneof(
  fc.record({
    type: fc.constantFrom(1, 2),
    nonce: fc.nat(),
    family: fc.constant(2 as const),
    ip: fc.ipV4(),
    port: fc.nat(65535),
  }),
  fc.record({
    type: fc.constantFrom(1, 2, 3),
    nonce: fc.nat(),
    family: fc.constant(10 as const),
    ip: fc.constantFrom('::1', 'fe80::1:0:0:2', '2001:db8::', '1:2:3:4:5:6:7:8', '2001:0:0:1::1'),
    port: fc.nat(65535),
  }),
);
const opts: fc.Arbitrary<Pool['opts']> = fc
  .record(
    {
      0: fc.constantFrom(86400, 0.5, 1e7, 1.015625),
      3: fc.bigInt(-10n, 10n),
      6: fc.constantFrom('none', 'aggressive'),
      16: fc.bigInt(0n, 1n << 40n),
      19: fc.double({ min: 0.001, max: 1e9, noNaN: true }),
      21: fc.constant('fastcdc'),
      23: fc.bigInt(1n, 99n),
    },
    { requiredKeys: [] },
  )
  .map((record) => new Map(Object.entries(record).map(([key, value]) => [Number(key), value!])));
const poolChange = fc.record(
  {
    // 17 flags and more would be a later release's.
    flags: fc.subarray(Object.values(PoolFlag)).map((some) => some.reduce((all, bit) => all | bit, 0n)),
    pgpNum: fc.integer({ min: 1, max: 7 }),
    pgNumTarget: fc.nat(64),
    pgNumPending: fc.nat(64),
    pgAutoscaleMode: fc.nat(2),
    lastForceResend: fc.nat(100),
    lastForceResendPreluminous: fc.nat(100),
    quotaMaxBytes: fc.nat(),
    quotaMaxObjects: fc.nat(),
    fastRead: fc.boolean(),
    expectedNumObjects: fc.nat(),
    minReadRecencyForPromote: fc.nat(3),
    tiers: fc.constantFrom([], [4n], [4n, 5n]),
    tierOf: fc.constantFrom(-1, 3),
    readTier: fc.constantFrom(-1, 3),
    writeTier: fc.constantFrom(-1, 3),
    cacheMode: fc.nat(6),
    targetMaxBytes: fc.nat(),
    objectHash: fc.constantFrom(1, 2),
    opts,
    removedSnaps: snaps,
    snaps: fc.constantFrom(
      new Map(),
      new Map([[11n, { id: 11n, stamp: { sec: 1_700_000_000, nsec: 5000 }, name: 'a snap' }]]),
    ),
    applicationMetadata: fc.constantFrom(
      new Map(),
      new Map([
        ['rbd', new Map()],
        ['cephfs', new Map([['data', 'fs1']])],
      ]),
    ),
  },
  { requiredKeys: [] },
);

const osdmap: fc.Arbitrary<OsdMap> = fc
  .record({
    epoch: fc.integer({ min: 1, max: 1e6 }),
    modified: stamp,
    flags: bits(OsdMapFlag),
    osdState: fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.constant(OsdState.exists | OsdState.up) },
        { weight: 1, arbitrary: bits(OsdState) },
      ),
      { minLength: base.maxOsd, maxLength: base.maxOsd },
    ),
    osdWeight: fc.array(weight, { minLength: base.maxOsd, maxLength: base.maxOsd }),
    primaryAffinity: fc.oneof(fc.constant([]), fc.array(weight, { minLength: base.maxOsd, maxLength: base.maxOsd })),
    lostAt: fc.nat(2),
    addrs: fc.array(fc.array(addr, { maxLength: 3 }), { minLength: base.maxOsd, maxLength: base.maxOsd }),
    pgTemp: table(fc.array(osd, { minLength: 1, maxLength: 4 })),
    primaryTemp: table(osd),
    pgUpmap: table(fc.uniqueArray(osd, { minLength: 1, maxLength: 4 })),
    pgUpmapItems: table(fc.array(fc.tuple(osd, osd), { minLength: 1, maxLength: 3 })),
    nearfullRatio: fc.float({ min: 0, max: 1, noNaN: true }),
    requireMinCompatClient: fc.nat(16),
    removedSnapsQueue: fc.array(fc.tuple(poolId, snaps), { maxLength: 2 }).map((rows) => new Map(rows)),
    blocklist: fc.oneof(
      fc.constant([]),
      fc.tuple(addr, stamp).map((entry) => [entry]),
    ),
    deviceClassFlags: fc.constantFrom(new Map(), new Map([[0, OsdState.noout]])),
    crushNodeFlags: fc.constantFrom(new Map(), new Map([[-1, OsdState.noup | OsdState.nodown]])),
    changedPool: fc.tuple(poolId, poolChange),
    laggy: fc.float({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ lostAt, addrs, changedPool: [id, change], laggy, ...fields }) => ({
    ...base,
    ...fields,
    clientAddrs: addrs,
    hbFrontAddrs: addrs,
    osdInfo: base.osdInfo.map((info) => ({ ...info, lostAt })),
    osdXInfo: base.osdXInfo.map((xinfo) => ({ ...xinfo, laggyProbability: laggy })),
    pools: new Map([...base.pools, [id, { ...base.pools.get(id)!, ...change }]]),
  }));

const missing = missingTools(['osdmaptool', 'monmaptool']);

describe.skipIf(missing.length > 0)(`Ceph's tools (missing: ${missing.join(' ') || 'none'})`, () => {
  let dir: string;
  let path: string;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'spirula-maps-'));
    path = join(dir, 'map');
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  async function osdmaptool(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await runTool('osdmaptool', [path, ...args]);
    expect(status, stderr).toBe(0);
    return Buffer.from(stdout, 'latin1').toString();
  }

  test('an OSDMap with anything in it is read, printed, dumped and mapped alike', async () => {
    await fc.assert(
      fc.asyncProperty(osdmap, async (map) => {
        const bytes = encodeOsdMap(map);
        writeFileSync(path, bytes);
        const asRead = decodeOsdMap(bytes);
        expect(await osdmaptool('--print')).toBe(printOsdMap(asRead));
        expect(JSON.parse(JSON.stringify(dumpOsdMap(asRead)))).toEqual(JSON.parse(await osdmaptool('--dump', 'json')));
        const placed = (await osdmaptool('--test-map-pgs-dump-all'))
          .split('\n')
          .filter((line) => line.includes(' raw '));
        expect(everyPg(asRead)).toEqual(placed);
      }),
      { numRuns: 15 },
    );
  });

  test('a MonMap of several monitors is read and printed alike', async () => {
    const sample = decodeMonMap(goldenBytes('samples/monmap.1mon.bin'));
    const mon = (name: string, port: number, crushLocation = new Map<string, string>()) =>
      [
        name,
        {
          name,
          addrs: [{ type: 2, nonce: 0, family: 2 as const, ip: '10.0.0.1', port }],
          priority: 0,
          weight: 10,
          crushLocation,
        },
      ] as const;
    const map: MonMap = {
      ...sample,
      fsid: parseUuid('00112233-4455-6677-8899-aabbccddeeff')!,
      epoch: 7,
      mons: new Map([mon('c', 3302, new Map([['datacenter', 'dc1']])), mon('a', 3300), mon('b', 3301)]),
      ranks: ['b', 'a', 'c'],
      electionStrategy: 3,
      disallowedLeaders: ['a', 'c'],
      removedRanks: [3, 4],
      tiebreaker: 'c',
      stretchMode: true,
    };
    for (const each of [map, { ...map, stretchMode: false }, { ...map, disallowedLeaders: [], stretchMode: false }]) {
      writeFileSync(path, encodeMonMap(each));

      const { status, stdout } = await runTool('monmaptool', ['--print', path]);

      expect(status).toBe(0);
      expect(stdout).toBe(`monmaptool: monmap file ${path}\n${printMonMap(each)}`);
    }
  });
});

function everyPg(map: OsdMap): string[] {
  const first = (osds: readonly number[]) => osds.find((each) => each !== NONE) ?? -1;
  return [...map.pools].flatMap(([pool, { pgNum }]) =>
    Array.from({ length: pgNum }, (_, seed) => {
      const raw = mapPgRaw(map, { pool, seed });
      const { up, upPrimary, acting, actingPrimary } = mapPg(map, { pool, seed });
      return `${pool}.${seed.toString(16)} raw ([${raw}], p${first(raw)}) up ([${up}], p${upPrimary}) acting ([${acting}], p${actingPrimary})`;
    }),
  );
}
