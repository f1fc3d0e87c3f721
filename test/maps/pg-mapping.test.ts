import { type RawString, rawFromBytes, rawFromText } from '@spirula/encoding';
import {
  applyIncremental,
  decodeOsdMap,
  emptyIncremental,
  encodeOsdMap,
  mapPg,
  mapPgRaw,
  mapPool,
  type OsdMap,
  OsdState,
  objectHash,
  objectToPg,
  type PgSets,
  type Pool,
  strHashLinux,
  strHashRjenkins,
} from '@spirula/maps';
import { expect, test } from 'vitest';
import { goldenBytes, goldenJson, goldenNames } from '../golden-data.ts';

type PgRow = [
  raw: number[],
  rawPrimary: number,
  up: number[],
  upPrimary: number,
  acting: number[],
  actingPrimary: number,
];

interface GoldenPgs {
  readonly pools: Record<string, { readonly pgNum: number; readonly pgs: PgRow[] }>;
}

function goldenOsdMap(folder: string): OsdMap {
  return decodeOsdMap(goldenBytes(`${folder}/${goldenNames(folder).find((file) => file.startsWith('osdmap.bin'))}`));
}

const maps = goldenNames('osdmap').filter((name) => !name.endsWith('.json'));

test.each(maps)('every PG of the map %s goes where osdmaptool says', (name) => {
  const map = goldenOsdMap(`osdmap/${name}`);
  const golden = goldenJson<GoldenPgs>(`osdmap/${name}/pgs.json.gz`);

  for (const [pool, { pgs }] of Object.entries(golden.pools)) {
    const found = pgs.map((_, seed) => {
      const pg = { pool: Number(pool), seed };
      const raw = mapPgRaw(map, pg);
      const { up, upPrimary, acting, actingPrimary } = mapPg(map, pg);
      return [raw, raw.find((osd) => osd !== 0x7fffffff) ?? -1, up, upPrimary, acting, actingPrimary];
    });
    expect(found).toEqual(pgs);
  }
});

function listed({ size, osds, counts, primaries }: PgSets): [osds: number[], primary: number][] {
  return Array.from(counts, (count, i) => [Array.from(osds.subarray(i * size, i * size + count)), primaries[i]!]);
}

test.each(maps)('the PGs of a pool of the map %s, all at a time, go where osdmaptool says', (name) => {
  const map = goldenOsdMap(`osdmap/${name}`);
  const golden = goldenJson<GoldenPgs>(`osdmap/${name}/pgs.json.gz`);

  for (const [pool, { pgs }] of Object.entries(golden.pools)) {
    const { up, acting } = mapPool(map, Number(pool));
    expect(listed(up)).toEqual(pgs.map(([, , osds, primary]) => [osds, primary]));
    expect(listed(acting)).toEqual(pgs.map(([, , , , osds, primary]) => [osds, primary]));
  }
});

/** Where all PGs of a map's pools go. */
function placements(map: OsdMap) {
  return [...map.pools].flatMap(([pool, { pgNum }]) =>
    Array.from({ length: pgNum }, (_, seed) => [mapPgRaw(map, { pool, seed }), mapPg(map, { pool, seed })]),
  );
}

test.each(['simple-12', 'upmap', 'weight-set-pools'])(
  'after any change of the map %s its PGs go where they go in one that is read anew',
  (name) => {
    let map = goldenOsdMap(`osdmap/${name}`);
    const [id] = map.pools.keys() as Iterable<number>;
    const change = (pool: Partial<Pool>) => ({ newPools: new Map([[id!, { ...map.pools.get(id!)!, ...pool }]]) });
    const changes: (() => Partial<ReturnType<typeof emptyIncremental>>)[] = [
      () => ({ newWeight: new Map([[0, 0x4000]]) }),
      () => ({ newState: new Map([[1, OsdState.up]]) }),
      () => ({ newWeight: new Map([[2, 0]]) }),
      () => change({ pgpNum: 3 }),
      () => change({ flags: 0n }),
      () => change({ size: 2 }),
    ];

    for (const next of changes) {
      placements(map);
      map = applyIncremental(map, { ...emptyIncremental(map.fsid, map.epoch + 1), ...next() });
      expect(placements(map)).toEqual(placements(decodeOsdMap(encodeOsdMap(map))));
    }
  },
);

test('the string hashes are those of Ceph', () => {
  const { rows } = goldenJson<{ rows: [string, number, number][] }>('hash/str-hash.json.gz');

  for (const [hex, rjenkins, linux] of rows) {
    const raw = rawFromBytes(Buffer.from(hex, 'hex'));
    expect(strHashRjenkins(raw)).toBe(rjenkins);
    expect(strHashLinux(raw)).toBe(linux);
  }
});

/**
 * A name as the real monitor saw it: `ceph` sends characters beyond the basic plane as two escapes, and 16.2 makes three
 * bytes of each (CESU-8).
 */
function asMonitorReads(name: string): RawString {
  return Array.from({ length: name.length }, (_, i) => {
    const unit = name.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdfff) return rawFromText(name[i]!);
    return String.fromCharCode(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  }).join('');
}

interface ObjectRow {
  readonly poolId: number;
  readonly namespace: string;
  readonly name: string;
  readonly key?: string;
  readonly hash?: number;
  readonly rawPgid?: string;
  readonly pgid: string;
  readonly up?: number[];
  readonly upPrimary?: number;
  readonly acting?: number[];
  readonly actingPrimary?: number;
}

test.each(['objects-base', 'objects-degraded'])('the objects of %s go where the monitor says', (name) => {
  const golden = goldenJson<{ osdmap: string; objects: ObjectRow[] }>(`hash/${name}.json.gz`);
  const map = goldenOsdMap(golden.osdmap);

  for (const row of golden.objects) {
    const place = { nspace: asMonitorReads(row.namespace), key: '', name: asMonitorReads(row.name) };
    const pg = objectToPg(map, row.poolId, place)!;
    expect(`${pg.pool}.${pg.seed.toString(16)}`).toBe(row.pgid);
    const { up, upPrimary, acting, actingPrimary } = mapPg(map, pg);
    expect({ up, upPrimary, acting, actingPrimary }).toEqual({
      up: row.up,
      upPrimary: row.upPrimary,
      acting: row.acting,
      actingPrimary: row.actingPrimary,
    });
  }
});

test.each(['12', '150', '1000'])('the objects of objects-simple-%s go where osdmaptool says', (size) => {
  const golden = goldenJson<{ osdmap: string; objects: ObjectRow[] }>(`hash/objects-simple-${size}.json.gz`);
  const map = goldenOsdMap(golden.osdmap);

  for (const row of golden.objects) {
    const pg = objectToPg(map, 1, { nspace: '', key: '', name: rawFromText(row.name) })!;
    expect(`${pg.pool}.${pg.seed.toString(16)}`).toBe(row.pgid);
    expect(mapPg(map, pg).acting).toEqual(row.acting);
  }
});

test('objects that real OSDs stored carry the hash and lie in the PG computed here', () => {
  const map = decodeOsdMap(goldenBytes('real/osdmap.bin'));
  const golden = goldenJson<ObjectRow[] | { objects: ObjectRow[] }>('real/objects.json.gz');

  for (const row of Array.isArray(golden) ? golden : golden.objects) {
    const place = { nspace: rawFromText(row.namespace), key: rawFromText(row.key ?? ''), name: rawFromText(row.name) };
    expect(objectHash(map.pools.get(row.poolId)!, place)).toBe(row.hash);
    const pg = objectToPg(map, row.poolId, place)!;
    expect(row.pgid.startsWith(`${pg.pool}.${pg.seed.toString(16)}`)).toBe(true);
  }
});
