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
  itemWeight,
  locationOf,
  reweightItem,
  rootsOf,
} from '@spirula/crush';
import { MalformedInput } from '@spirula/encoding';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { goldenBytes, goldenNames } from '../golden-data.ts';
import { missingTools } from '../interop/real-ceph.ts';
import { runTool } from '../interop/run-tool.ts';

const ONE = 0x10000;

/** A new cluster's map with a few hosts, whose last OSD has another weight. */
function cluster(hosts: number, osdsPerHost: number): CrushMap {
  const [withRoot, root] = addBucket(emptyCrushMap(), 'default', DEFAULT_TYPES.indexOf('root'));
  let map = addSimpleRule(withRoot, 'replicated_rule', root, 'host', 'firstn');
  map = addSimpleRule(map, 'spread', root, 'osd', 'indep');
  for (let osd = 0; osd < hosts * osdsPerHost; osd++) {
    const location = new Map([
      ['root', 'default'],
      ['host', `host${osd % hosts}`],
    ]);
    map = createOrMove(map, osd, osd === hosts * osdsPerHost - 1 ? ONE / 2 : ONE, location);
  }
  return map;
}

function mappings(map: CrushMap, rule: number, count: number, size: number): number[][] {
  const mapper = new CrushMapper(map);
  const weights = new Uint32Array(map.maxDevices).fill(ONE);
  return Array.from({ length: count }, (_, x) => mapper.doRule(rule, x, size, weights));
}

test('an OSD that moves keeps its weight, and all above it weighs what stands below', () => {
  const map = createOrMove(
    cluster(3, 2),
    5,
    ONE * 9,
    new Map([
      ['root', 'default'],
      ['host', 'host0'],
    ] as const),
  );

  expect(Object.fromEntries(locationOf(map, 5))).toEqual({ host: 'host0', root: 'default' });
  expect(itemWeight(map, 5)).toBe(ONE / 2);
  expect(rootsOf(map).map(({ weight }) => weight)).toEqual([ONE * 5.5]);
});

test('giving one OSD another weight moves nothing between the others', () => {
  const [withRoot, root] = addBucket(emptyCrushMap(), 'default', DEFAULT_TYPES.indexOf('root'));
  let flat = addSimpleRule(withRoot, 'flat', root, 'osd', 'firstn');
  for (let osd = 0; osd < 8; osd++) flat = createOrMove(flat, osd, ONE, new Map([['root', 'default']]));
  const before = mappings(flat, 0, 500, 1);

  fc.assert(
    fc.property(fc.nat(7), fc.nat(4 * ONE), (osd, weight) => {
      const after = mappings(reweightItem(flat, osd, weight), 0, 500, 1);
      for (const [x, [now]] of after.entries()) {
        const was = before[x]![0];
        // What changed place left the changed OSD, or went to it; which of the two its weight says.
        if (now !== was) expect(weight > ONE ? now : was).toBe(osd);
      }
    }),
    { numRuns: 50 },
  );
});

const missing = missingTools(['crushtool']);

describe.skipIf(missing.length > 0)('the real crushtool', () => {
  let dir = '';
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'crush-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  function stored(name: string, bytes: Uint8Array): string {
    const path = join(dir, name);
    writeFileSync(path, bytes);
    return path;
  }

  test('reads a map built here', async () => {
    const { status, stdout } = await runTool('crushtool', ['-d', stored('built', encodeCrushMap(cluster(3, 2)))]);

    expect(status).toBe(0);
    for (const words of [
      'rule replicated_rule',
      'item osd.5 weight 0.500',
      'item host2 weight 1.500',
      'device 5 osd.5',
    ]) {
      expect(stdout).toContain(words);
    }
  });

  test.each([0, 1])('maps by rule %i of a map built here as our mapper does', async (rule) => {
    const map = cluster(4, 3);
    const range = ['--min-x', '0', '--max-x', '499', '--num-rep', '3', '--rule', String(rule)];
    const { stdout } = await runTool('crushtool', [
      ...['-i', stored('mapped', encodeCrushMap(map)), '--test', '--show-mappings'],
      ...range,
    ]);

    const theirs = [...stdout.matchAll(/ x \d+ (\[.*\])$/gm)].map(([, set]) => JSON.parse(set!) as number[]);
    expect(mappings(map, rule, 500, 3)).toEqual(theirs);
  });

  test.each(
    ['crushmap.rich.bin', 'crushmap.handmade.3host.bin'].filter((name) => goldenNames('samples').includes(name)),
  )(
    'accepts %s cut off where we do, and nowhere else',
    async (name) => {
      const bytes = goldenBytes(`samples/${name}`);
      // Every point of the end, where maps of older releases stop, and some of the rest.
      const step = Math.ceil(bytes.length / 60);
      const lengths = Array.from(bytes.keys()).filter((at) => at % step === 0 || at > bytes.length - 90);

      const theirs: number[] = [];
      for (const length of lengths) {
        const { status } = await runTool('crushtool', ['-d', stored(`cut-${length}`, bytes.subarray(0, length))]);
        if (status === 0) theirs.push(length);
      }
      expect(lengths.filter((length) => isMap(bytes.subarray(0, length)))).toEqual(theirs);
    },
    30_000,
  );
});

function isMap(bytes: Uint8Array): boolean {
  try {
    decodeCrushMap(bytes);
    return true;
  } catch (error) {
    if (error instanceof MalformedInput) return false;
    throw error;
  }
}
