/** PGs balanced by upmaps to a deviation of one, beside `osdmaptool --upmap` where it is installed: how even, how many moves, how long. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  addUpmaps,
  applyIncremental,
  balancePgs,
  decodeOsdMap,
  emptyIncremental,
  encodeOsdMap,
  type OsdMap,
} from '@spirula/maps';
import { missingTools } from '../../test/interop/real-ceph.ts';
import { deviations, makeMap, placements, squares } from '../../test/maps/upmap-maps.ts';
import { printTable } from './table.ts';

const HOST = { rule: 0, isErasure: false, size: 3, out: [] } as const;
/** From 1 to 16, without an order. */
const UNEVEN = Array.from({ length: 1000 }, (_, osd) => 1 + ((osd * 7919) % 1500) / 100);
const MANY = 100_000;

const shapes = [
  { ...HOST, name: '12 hosts x 4 OSDs, 256 PGs', hosts: 12, osdsPerHost: 4, weights: [1, 2, 1.5, 0.7, 3], pgNum: 256 },
  { ...HOST, name: '50 x 20 OSDs, 4,000 PGs', hosts: 50, osdsPerHost: 20, weights: UNEVEN, pgNum: 4000 },
  { ...HOST, name: '50 x 20 OSDs, 32,000 PGs', hosts: 50, osdsPerHost: 20, weights: UNEVEN, pgNum: 32_000 },
];

interface Balanced {
  readonly map: OsdMap;
  readonly cpuSeconds: number;
}

function ours(bytes: Uint8Array): Balanced {
  const before = process.cpuUsage();
  const map = decodeOsdMap(bytes);
  const inc = emptyIncremental(map.fsid, map.epoch + 1);
  addUpmaps(balancePgs(map, { maxDeviation: 1, maxChanges: MANY, pools: [1] }), inc);
  const { user, system } = process.cpuUsage(before);
  return { map: applyIncremental(map, inc), cpuSeconds: (user + system) / 1e6 };
}

function theirs(bytes: Uint8Array, dir: string): Balanced {
  const path = join(dir, 'map');
  writeFileSync(path, bytes);
  const words = ['--upmap', join(dir, 'commands'), '--upmap-deviation', '1', '--upmap-max', String(MANY), '--save'];
  const script =
    'import os,subprocess,sys\nsubprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL)\nt=os.times()\nprint(t.children_user+t.children_system)';
  const { stdout } = spawnSync('python3', ['-c', script, 'osdmaptool', path, ...words], { encoding: 'utf8' });
  return { map: decodeOsdMap(readFileSync(path)), cpuSeconds: Number(stdout) };
}

function evenness(map: OsdMap): string {
  const off = [...deviations(map).values()];
  const worst = Math.max(...off.map(Math.abs));
  return `${Math.sqrt(squares(off) / off.length).toFixed(2)} (${worst.toFixed(2)})`;
}

function describe(before: OsdMap, { map, cpuSeconds }: Balanced): string[] {
  const was = placements(before);
  const moves = placements(map).flatMap((osds, seed) => osds.filter((osd) => !was[seed]!.includes(osd))).length;
  return [evenness(map), String(moves), cpuSeconds.toFixed(2)];
}

/** Prints the table. */
export async function benchUpmap(): Promise<void> {
  const isThere = missingTools(['osdmaptool', 'python3']).length === 0;
  const dir = mkdtempSync(join(tmpdir(), 'spirula-upmap-'));
  const rows = [['map, size 3 over hosts', 'before', 'spirula', 'moves', 'CPU s', 'osdmaptool', 'moves', 'CPU s']];
  for (const { name, ...shape } of shapes) {
    const map = makeMap(shape);
    const bytes = encodeOsdMap(map);
    const cephs = isThere ? describe(map, theirs(bytes, dir)) : ['not installed', '-', '-'];
    rows.push([name, evenness(map), ...describe(map, ours(bytes)), ...cephs]);
  }
  rmSync(dir, { recursive: true, force: true });
  printTable('Balancing by upmaps: standard deviation of PGs from what is due (the worst), one run', rows);
}
