/** Balancing beside Ceph's tool: it finds nothing wrong with what ours proposes, and does not do better. */
import { decodeOsdMap, encodeOsdMap, type OsdMap } from '@spirula/maps';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { goldenMap, runCephs, runOurs, type ToolRun } from './osdmaptool-pair.ts';
import { deviations, makeMap, placements, shapes, squares } from './upmap-maps.ts';

const EVEN = '--upmap-deviation 1 --upmap-max 100000 --save'.split(' ');

function written(run: ToolRun): OsdMap {
  return decodeOsdMap(Buffer.from(run.files['map']!, 'base64'));
}

function text(run: ToolRun, file: string): string {
  return Buffer.from(run.files[file]!, 'base64').toString();
}

/** The map as both write it, after the commands of ours were checked in Ceph's eyes. */
async function balanced(map: Uint8Array, args: readonly string[]): Promise<ToolRun> {
  const ours = await runOurs(args, { map });
  const saved = Buffer.from(ours.files['map']!, 'base64');
  const checked = await runCephs(['map', '--upmap-cleanup', '-', '--test-map-pgs-dump-all'], { map: saved });

  expect([checked.status, checked.stdout.split('\n')[1]]).toEqual([0, expect.stringMatching(/^pool 1 pg_num/)]);
  expect((await runOurs(['map', '--upmap-cleanup', '-', '--test-map-pgs-dump-all'], { map: saved })).stdout).toBe(
    checked.stdout,
  );
  return ours;
}

test('Ceph finds no upmap of ours invalid, and places PGs by them as we do', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(shapes, async (shape) => {
      await balanced(encodeOsdMap(makeMap(shape)), ['map', '--upmap', 'commands', ...EVEN]);
    }),
    { numRuns: 25 },
  );
});

/** PGs of pool 1 that moved, and how far OSDs are from what they are due. */
function outcome(before: OsdMap, after: OsdMap) {
  const was = placements(before);
  const moves = placements(after).flatMap((osds, seed) => osds.filter((osd) => !was[seed]!.includes(osd))).length;
  const off = [...deviations(after).values()];
  return { moves, maxDeviation: Math.max(...off.map(Math.abs)), stddev: Math.sqrt(squares(off) / off.length) };
}

const shape = { hosts: 12, osdsPerHost: 4, weights: [1, 2, 1.5, 0.7, 3], pgNum: 256, size: 3, rule: 0, out: [] };
const compared: [name: string, map: OsdMap][] = [
  ['twelve hosts', makeMap({ ...shape, isErasure: false })],
  ['twelve hosts, erasure-coded', makeMap({ ...shape, isErasure: true, size: 4 })],
  ['three racks', makeMap({ ...shape, isErasure: false, rule: 1 })],
  ['two hosts in each of two racks', makeMap({ ...shape, isErasure: false, rule: 4, size: 4 })],
  ...['simple-12', 'simple-150'].map((name): [string, OsdMap] => {
    const map = decodeOsdMap(goldenMap(name));
    return [name, { ...map, osdState: map.osdState.map(() => 3), osdWeight: map.osdWeight.map(() => 0x10000) }];
  }),
];

test.each(compared)('on %s ours comes as near, with no more moves where both come to one PG', async (_, map) => {
  const bytes = encodeOsdMap(map);
  const args = ['map', '--upmap', 'commands', ...EVEN];
  const cephs = outcome(map, written(await runCephs(args, { map: bytes })));
  const ours = outcome(map, written(await balanced(bytes, args)));

  expect(ours.moves).toBeGreaterThan(0);
  expect(ours.maxDeviation).toBeLessThanOrEqual(Math.max(1, cephs.maxDeviation));
  if (cephs.maxDeviation <= 1) expect(ours.moves).toBeLessThanOrEqual(cephs.moves);
  else if (ours.maxDeviation > 1) expect(ours.stddev).toBeLessThanOrEqual(cephs.stddev);
});

/** Numbers, PGs, how many of them, and the order of pools apart: Ceph's draws lots. */
function form(run: ToolRun): unknown {
  const lines = (all: string) =>
    all
      .replaceAll(/^pools .*/gm, (line) => line.split(' ').sort().join(' '))
      .replaceAll(/\d+\.[0-9a-f]+( \d+ \d+)+/g, 'PG PAIRS')
      .replaceAll(/^prepared [1-9]\d*/gm, 'prepared N')
      .replaceAll(/^pg_upmap_items .*$/gm, 'ITEMS')
      .replaceAll(/^(.*)(\n\1$)+/gm, '$1')
      .replaceAll(/Time elapsed \S+/gi, 'TIME')
      .replaceAll(/^osd\.\d+ pgs \d+$/gm, 'OSD');
  return { ...run, stdout: lines(run.stdout), files: Object.keys(run.files) };
}

const uneven = encodeOsdMap(makeMap({ ...shape, isErasure: false }));

test.each([
  'map --upmap commands --upmap-max 3',
  'map --upmap - --upmap-max 3',
  'map --upmap - --upmap-max 7 --upmap-deviation 2 --upmap-pool rbd --upmap-pool rbd',
  'map --upmap - --upmap-max 5 --upmap-deviation 1 --save --print --dump plain',
  'map --upmap - --upmap-deviation 100',
  'map --upmap=- --upmap-deviation 100 --upmap-active',
  'map --upmap - --upmap-max 0',
  'map --upmap - --upmap-max -1',
])('osdmaptool %s has the same form', async (line) => {
  const args = line.split(' ');
  const [ours, cephs] = [await runOurs(args, { map: uneven }), await runCephs(args, { map: uneven })];

  expect(form(ours)).toEqual(form(cephs));
});

test('with --upmap-active rounds go on until all is even', async () => {
  const args = 'map --upmap commands --upmap-max 20 --upmap-deviation 1 --upmap-active'.split(' ');
  const run = await runOurs(args, { map: uneven });
  const rounds = run.stdout.match(/^prepared \d+\/20 changes\nTime elapsed \S+ secs$/gm)!.length;

  expect(rounds).toBeGreaterThan(3);
  expect(run.stdout).toMatch(/prepared 0\/20 changes\nTime elapsed \S+ secs\nUnable to find further/);
  expect(run.stdout).toMatch(
    new RegExp(`(^osd\\.\\d+ pgs \\d+\\n){48}Total time elapsed \\S+ secs, ${rounds - 1} rounds\\n$`, 'm'),
  );
  expect(text(run, 'commands')).toMatch(/^(ceph osd pg-upmap-items 1\.[0-9a-f]+( \d+ \d+)+\n)+$/);
});
