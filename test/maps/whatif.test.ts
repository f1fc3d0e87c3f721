import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeOsdMap, mapPool, type OsdMap } from '@spirula/maps';
import { applyChange, CannotChange, type Movement, movementBetween, spreadOf } from '@spirula/placement';
import { afterAll, describe, expect, test } from 'vitest';
import { goldenBytes, goldenPath } from '../golden-data.ts';

const NONE = 0x7fffffff;
const dir = mkdtempSync(join(tmpdir(), 'spirula-whatif-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function golden(name: string): OsdMap {
  const map = decodeOsdMap(goldenBytes(`osdmap/${name}/osdmap.bin`));
  return { ...map, pgTemp: new Map(), primaryTemp: new Map() };
}

const sumOf = ({ pools }: Movement, what: 'movedCopies' | 'movedPgs' | 'degradedPgs') =>
  pools.reduce((sum, pool) => sum + pool[what], 0);

/** The acting sets that Ceph's osdmaptool gives for all PGs, by PG. */
function byOsdmaptool(name: string, ...flags: string[]): Map<string, number[]> {
  const path = join(dir, name);
  writeFileSync(path, goldenBytes(`osdmap/${name}/osdmap.bin`));
  const output = execFileSync('osdmaptool', [path, '--clear-temp', ...flags, '--test-map-pgs-dump'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const lines = output.matchAll(/^(\d+\.[0-9a-f]+)\t\[([^\]]*)\]/gm);
  return new Map([...lines].map(([, pg, osds]) => [pg!, osds === '' ? [] : osds!.split(',').map(Number)]));
}

test.each(['base', 'simple-150', 'reweight'])(
  'of the map %s as much moves as between two answers of osdmaptool',
  (name) => {
    const map = golden(name);
    const [before, after] = [byOsdmaptool(name), byOsdmaptool(name, '--mark-out', '3')];
    const isErasure = (pg: string) => map.pools.get(Number(pg.split('.')[0]))!.type === 3;
    let [copies, pgs] = [0, 0];
    for (const [pg, osds] of after) {
      const was = before.get(pg)!;
      const moved = osds.filter(
        (osd, place) => osd !== NONE && (isErasure(pg) ? was[place] !== osd : !was.includes(osd)),
      ).length;
      copies += moved;
      pgs += moved > 0 ? 1 : 0;
    }

    const movement = movementBetween(map, applyChange(map, 'out osd.3'));

    expect(copies).toBeGreaterThan(0);
    expect([sumOf(movement, 'movedCopies'), sumOf(movement, 'movedPgs')]).toEqual([copies, pgs]);
  },
);

test('nothing moves where nothing changes, and what has moved away and comes back is where it was', () => {
  const map = golden('simple-12');
  expect(sumOf(movementBetween(map, map), 'movedCopies')).toBe(0);
  const back = applyChange(applyChange(map, 'out osd.3'), `reweight osd.3 ${map.osdWeight[3]! / 0x10000}`);
  expect(sumOf(movementBetween(map, back), 'movedCopies')).toBe(0);
});

test('pieces of PGs that are split or merged move from where their PG was', () => {
  const stored = golden('base');
  // Everything is there, so that sets are full.
  const map = { ...stored, osdState: stored.osdState.map(() => 3), osdWeight: stored.osdWeight.map(() => 0x10000) };
  const name = 'rep3';
  const id = [...map.poolNames].find(([, each]) => each === name)![0];
  const pool = map.pools.get(id)!;
  const bytesOf = () => 100;
  const split = applyChange(map, `pg-num ${name} ${2 * pool.pgNum}`);
  const unplaced = applyChange(split, `pgp-num ${name} ${pool.pgNum}`);

  // As long as pgp_num stays, PGs are split where they are.
  expect(sumOf(movementBetween(map, unplaced, bytesOf), 'movedCopies')).toBe(0);
  const there = movementBetween(map, split, bytesOf).pools.find((each) => each.pool === id);
  const back = movementBetween(split, map, () => 50).pools.find((each) => each.pool === id);
  expect(there!.movedBytes).toBeGreaterThan(0);
  expect(back!.movedBytes).toBeCloseTo(there!.movedBytes!, 6);
});

test('what PGs hold is counted for each copy, and as parts where they are erasure-coded', () => {
  const map = golden('base');
  const bytesOf = () => 1000;
  const { before, pools } = movementBetween(map, map, bytesOf);
  const expected = [...map.pools].reduce((sum, [id, { type }]) => {
    const k = Number(map.erasureCodeProfiles.get(map.pools.get(id)!.erasureCodeProfile)?.get('k') ?? 1);
    const { acting } = mapPool(map, id);
    const copies = acting.osds.filter((osd) => osd !== NONE).length;
    return sum + (copies * 1000) / (type === 3 ? k : 1);
  }, 0);
  const held = [...before.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  expect(held).toBeCloseTo(expected, 3);
  expect(pools.every(({ movedBytes }) => movedBytes === 0)).toBe(true);
});

test('what is removed is gone, with all below it, and its PGs have a copy less until it is made', () => {
  const map = golden('base');
  const after = applyChange(map, 'remove host1');
  const movement = movementBetween(map, after);
  expect([...after.crush.names.values()]).not.toContain('host1');
  expect(sumOf(movement, 'degradedPgs')).toBeGreaterThan(0);
  for (const [id] of after.pools) {
    const { up } = mapPool(after, id);
    for (const osd of new Set(up.osds)) if (osd !== NONE) expect(after.osdState[osd]).toBeGreaterThan(0);
  }
});

test('OSDs that are added get a share of the PGs by their weight, and hardly more than that moves', () => {
  const map = golden('simple-150');
  const after = applyChange(map, 'add-osds 10 weight 1 host=new root=default');
  const [pool] = movementBetween(map, after).pools;
  expect(after.maxOsd).toBe(map.maxOsd + 10);
  expect(pool!.movedCopies / pool!.leastCopies).toBeGreaterThan(0.7);
  expect(pool!.movedCopies / pool!.leastCopies).toBeLessThan(1.6);
});

test('a pool that gets another failure domain has its copies there', () => {
  const map = golden('base');
  const after = applyChange(map, 'failure-domain rep2np2 rack');
  const id = [...after.poolNames].find(([, name]) => name === 'rep2np2')![0];
  const { up } = mapPool(after, id);
  const rackOf = (osd: number) => {
    for (let item = osd; ; ) {
      const parent = after.crush.buckets.find((bucket) => bucket?.items.includes(item))!;
      if (after.crush.typeNames.get(parent.type) === 'rack') return parent.id;
      item = parent.id;
    }
  };
  for (let seed = 0; seed < up.counts.length; seed++) {
    const osds = [...up.osds.subarray(seed * up.size, seed * up.size + up.counts[seed]!)];
    expect(new Set(osds.map(rackOf)).size).toBe(osds.length);
  }
});

describe('changes that cannot be made', () => {
  test.each([
    ['explode osd.3', "there is no change 'explode'"],
    ['out', "'out' is not understood: out ITEM"],
    ['out osd.3 osd.4', 'is not understood'],
    ['out osd.999', "the CRUSH map has no 'osd.999'"],
    ['reweight osd.3 2', 'is not understood: reweight ITEM 0..1'],
    ['add-osds 0 weight 1 host=a', 'is not understood'],
    ['add-osds 1 weight 1 root=default', 'is not understood'],
    ['add-osds 1 weight 1 host=a planet=b', "there is no type 'planet'"],
    ['size none 3', "there is no pool 'none'"],
    ['size ec42 3', 'the size of an erasure-coded pool'],
    ['pg-num rep3 1.5', 'is not understood'],
    ['rule rep3 none', "there is no rule 'none'"],
    ['failure-domain rep3 planet', "there is no type 'planet'"],
  ])('%s', (change, message) => {
    const map = golden('base');
    expect(() => applyChange(map, change)).toThrow(CannotChange);
    expect(() => applyChange(map, change)).toThrow(message);
  });
});

test('how evenly something lies is said in plain numbers', () => {
  expect(spreadOf([1, 2, 3, 6])).toEqual({ count: 4, min: 1, max: 6, mean: 3, stddev: Math.sqrt(3.5) });
  expect(spreadOf([])).toEqual({ count: 0, min: 0, max: 0, mean: 0, stddev: 0 });
});

test('the command says what moves, step by step and at once', () => {
  const cli = new URL('../../packages/cli/bin/spirula.mjs', import.meta.url).pathname;
  const path = goldenPath('osdmap/base/osdmap.bin');
  const plan = join(dir, 'plan');
  writeFileSync(plan, '# first\nout osd.3   # it smokes\n\nremove osd.3\n');
  const dump = join(dir, 'pgs.json');
  const stats = [...golden('base').pools].flatMap(([pool, { pgNum }]) =>
    Array.from({ length: pgNum }, (_, seed) => ({
      pgid: `${pool}.${seed.toString(16)}`,
      stat_sum: { num_bytes: 2 ** 30 },
    })),
  );
  writeFileSync(dump, JSON.stringify({ pg_map: { pg_stats: stats } }));
  const args = [cli, 'whatif', '--osdmap', path, '--plan', plan, '--pg-dump', dump];

  const text = execFileSync(process.execPath, args, { encoding: 'utf8' });
  const { steps, whole } = JSON.parse(
    execFileSync(process.execPath, [...args, '-f', 'json'], { encoding: 'utf8' }),
  ) as {
    steps: { change: string; pools: { name: string; moved_copies: number; moved_bytes: number }[] }[];
    whole: { pools: unknown[] };
  };

  expect(text).toMatch(/^epoch 75: 13 pools, 367 PGs; 14 OSDs up, 16 in\n\nstep 1: out osd\.3\n/);
  expect(text).toContain('\nstep 2: remove osd.3\n');
  expect(text).toContain('\nall of it, made at once\n');
  expect(steps.map(({ change }) => change)).toEqual(['out osd.3', 'remove osd.3']);
  const rep3 = steps[0]!.pools.find(({ name }) => name === 'rep3')!;
  expect(rep3).toMatchObject({ moved_copies: 6, moved_bytes: 6 * 2 ** 30 });
  expect(whole.pools).toHaveLength(13);
});
