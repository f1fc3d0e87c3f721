/** CRUSH mappings per CPU second, by the engine and by its twin in JavaScript, beside `crushtool --test`: same map, one run, interleaved. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  addBucket,
  addSimpleRule,
  type BatchMapper,
  type CrushMap,
  createOrMove,
  DEFAULT_TYPES,
  decodeCrushMap,
  emptyCrushMap,
  encodeCrushMap,
  engineMapper,
  PlainBatchMapper,
} from '@spirula/crush';
import { missingTools } from '../../test/interop/real-ceph.ts';
import { printTable } from './table.ts';

const ROUNDS = 3;
const IN = 0x10000;
const HALF = 0.5;

interface Shape {
  readonly name: string;
  readonly racks: number;
  readonly hosts: number;
  readonly osds: number;
  readonly weight: (osd: number) => number;
  readonly mode: 'firstn' | 'indep';
  readonly replicas: number;
  /** Every so many devices have half a reweight. */
  readonly reweighted?: number;
  readonly inputs: number;
}

const equal = () => IN;
const unequal = (osd: number) => IN * (4 + (osd % 5) * 3);
const thousand = {
  racks: 10,
  hosts: 10,
  osds: 10,
  weight: equal,
  mode: 'firstn',
  replicas: 3,
  inputs: 200_000,
} as const;
const tenThousand = { ...thousand, racks: 100, inputs: 50_000 } as const;

const shapes: readonly Shape[] = [
  { ...thousand, name: '10 x 10 x 10 OSDs, equal: firstn 3' },
  { ...thousand, name: '10 x 10 x 10 OSDs, unequal: firstn 3', weight: unequal },
  { ...thousand, name: '10 x 10 x 10 OSDs, a tenth reweighted: firstn 3', reweighted: 10 },
  { ...thousand, name: '10 x 10 x 10 OSDs: indep 6', mode: 'indep', replicas: 6 },
  { ...thousand, name: '3 x 4 x 10 OSDs, unequal: firstn 3', racks: 3, hosts: 4, weight: unequal },
  { ...tenThousand, name: '100 x 10 x 10 OSDs: firstn 3' },
  { ...tenThousand, name: '100 x 10 x 10 OSDs, a tenth reweighted: firstn 3', reweighted: 10 },
  { ...tenThousand, name: '100 x 10 x 10 OSDs: indep 6', mode: 'indep', replicas: 6 },
];

function makeMap(shape: Shape): CrushMap {
  const [withRoot, root] = addBucket(emptyCrushMap(), 'default', DEFAULT_TYPES.indexOf('root'));
  let map = addSimpleRule(withRoot, 'rule', root, 'host', shape.mode);
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

function isReweighted({ reweighted }: Shape, osd: number): boolean {
  return reweighted !== undefined && osd % reweighted === 0;
}

function ours(mapper: BatchMapper, map: CrushMap, shape: Shape, inputs: number): number {
  const reweights = Uint32Array.from(
    { length: map.maxDevices },
    (_, osd) => IN * (isReweighted(shape, osd) ? HALF : 1),
  );
  const before = process.cpuUsage();
  mapper.map(
    0,
    Int32Array.from({ length: inputs }, (_, x) => x),
    shape.replicas,
    reweights,
  );
  const { user, system } = process.cpuUsage(before);
  return inputs / ((user + system) / 1e6);
}

function theirs(path: string, map: CrushMap, shape: Shape): number {
  const what = [
    '--rule',
    '0',
    '--num-rep',
    String(shape.replicas),
    '--min-x',
    '0',
    '--max-x',
    String(shape.inputs - 1),
  ];
  const osds = Array.from({ length: map.maxDevices }, (_, osd) => osd).filter((osd) => isReweighted(shape, osd));
  const reweights = osds.flatMap((osd) => ['--weight', String(osd), String(HALF)]);
  const script =
    'import os,subprocess,sys\nsubprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL)\nt=os.times()\nprint(t.children_user+t.children_system)';
  const args = ['-c', script, 'crushtool', '-i', path, '--test', ...what, ...reweights];
  return shape.inputs / Number(spawnSync('python3', args, { encoding: 'utf8' }).stdout);
}

/** Prints the table. */
export async function benchCrush(): Promise<void> {
  const isThere = missingTools(['crushtool', 'python3']).length === 0;
  const dir = mkdtempSync(join(tmpdir(), 'spirula-crush-'));
  const rows = [['map, chooseleaf to hosts', 'engine k/s', 'JavaScript k/s', 'crushtool k/s', 'ratio', 'JavaScript']];
  for (const shape of shapes) {
    const map = makeMap(shape);
    const path = join(dir, 'map');
    writeFileSync(path, encodeCrushMap(map));
    const [engine, plain] = [engineMapper(map)!, new PlainBatchMapper(map)];
    for (const mapper of [engine, plain]) ours(mapper, map, shape, shape.inputs / 10);
    const rates = Array.from({ length: ROUNDS }, () => [
      ours(engine, map, shape, shape.inputs),
      ours(plain, map, shape, shape.inputs / 4),
      isThere ? theirs(path, map, shape) : Number.NaN,
    ]);
    const [byEngine, byPlain, byCrushtool] = [0, 1, 2].map(
      (at) => rates.reduce((sum, each) => sum + each[at]!, 0) / ROUNDS,
    ) as [number, number, number];
    const thousands = (rate: number) => (Number.isNaN(rate) ? 'not installed' : (rate / 1000).toFixed(0));
    const ratio = (rate: number) => (isThere ? (rate / byCrushtool).toFixed(2) : '-');
    rows.push([shape.name, ...[byEngine, byPlain, byCrushtool].map(thousands), ratio(byEngine), ratio(byPlain)]);
  }
  rmSync(dir, { recursive: true, force: true });
  printTable(`CRUSH mappings per CPU second, one thread, mean of ${ROUNDS} interleaved rounds`, rows);
}
