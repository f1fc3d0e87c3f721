/** CRUSH mappings per CPU second beside `crushtool --test`, same map, one run, interleaved. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  addBucket,
  addSimpleRule,
  type CrushMap,
  CrushMapper,
  createOrMove,
  DEFAULT_TYPES,
  decodeCrushMap,
  emptyCrushMap,
  encodeCrushMap,
} from '@spirula/crush';
import { missingTools } from '../../test/interop/real-ceph.ts';
import { printTable } from './table.ts';

const REPLICAS = 3;
const INPUTS = 200_000;
const ROUNDS = 3;
const IN = 0x10000;

interface Shape {
  readonly name: string;
  readonly racks: number;
  readonly hosts: number;
  readonly osds: number;
  readonly weight: (osd: number) => number;
}

const shapes: readonly Shape[] = [
  { name: '10 x 10 x 10 OSDs, equal', racks: 10, hosts: 10, osds: 10, weight: () => IN },
  { name: '10 x 10 x 10 OSDs, unequal', racks: 10, hosts: 10, osds: 10, weight: (osd) => IN * (4 + (osd % 5) * 3) },
  { name: '3 x 4 x 10 OSDs, unequal', racks: 3, hosts: 4, osds: 10, weight: (osd) => IN * (4 + (osd % 5) * 3) },
];

function makeMap(shape: Shape): CrushMap {
  const [withRoot, root] = addBucket(emptyCrushMap(), 'default', DEFAULT_TYPES.indexOf('root'));
  let map = addSimpleRule(withRoot, 'replicated_rule', root, 'host', 'firstn');
  let osd = 0;
  for (let rack = 0; rack < shape.racks; rack++) {
    for (let host = 0; host < shape.hosts; host++) {
      const location = new Map([
        ['root', 'default'],
        ['rack', `rack${rack}`],
        ['host', `host${rack}-${host}`],
      ]);
      for (let i = 0; i < shape.osds; i++, osd++) map = createOrMove(map, osd, shape.weight(osd), location);
    }
  }
  // As read from a file, so that nothing of how it was built is left in memory.
  return decodeCrushMap(encodeCrushMap(map));
}

function ours(map: CrushMap, inputs: number): number {
  const mapper = new CrushMapper(map);
  const weights = new Uint32Array(map.maxDevices).fill(IN);
  const before = process.cpuUsage();
  for (let x = 0; x < inputs; x++) mapper.doRule(0, x, REPLICAS, weights);
  const { user, system } = process.cpuUsage(before);
  return inputs / ((user + system) / 1e6);
}

function theirs(path: string, inputs: number): number {
  const args = [
    '-i',
    path,
    '--test',
    '--rule',
    '0',
    '--num-rep',
    String(REPLICAS),
    '--min-x',
    '0',
    '--max-x',
    String(inputs - 1),
  ];
  const script =
    'import os,subprocess,sys\nsubprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL)\nt=os.times()\nprint(t.children_user+t.children_system)';
  const run = spawnSync('python3', ['-c', script, 'crushtool', ...args], { encoding: 'utf8' });
  return inputs / Number(run.stdout);
}

/** Prints the table. */
export async function benchCrush(): Promise<void> {
  const missing = missingTools(['crushtool', 'python3']);
  const dir = mkdtempSync(join(tmpdir(), 'spirula-crush-'));
  const rows = [['map, chooseleaf firstn 3 host', 'spirula k/s', 'crushtool k/s', 'ratio']];
  for (const shape of shapes) {
    const map = makeMap(shape);
    const path = join(dir, 'map');
    writeFileSync(path, encodeCrushMap(map));
    ours(map, INPUTS / 10);
    const results = Array.from(
      { length: ROUNDS },
      () => [ours(map, INPUTS), missing.length > 0 ? Number.NaN : theirs(path, INPUTS)] as const,
    );
    const mean = (at: 0 | 1) => results.reduce((sum, each) => sum + each[at], 0) / ROUNDS;
    const thousands = (value: number) => (Number.isNaN(value) ? 'not installed' : (value / 1000).toFixed(0));
    rows.push([
      shape.name,
      thousands(mean(0)),
      thousands(mean(1)),
      Number.isNaN(mean(1)) ? '-' : (mean(0) / mean(1)).toFixed(2),
    ]);
  }
  rmSync(dir, { recursive: true, force: true });
  printTable(`CRUSH mappings per CPU second, ${INPUTS} inputs, mean of ${ROUNDS} interleaved rounds`, rows);
}
