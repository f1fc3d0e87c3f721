/** `spirula osdmaptool` beside Ceph's tool: same arguments, same bytes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeOsdMap, encodeOsdMap } from '@spirula/maps';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { osdmaptool } from '../../packages/cli/src/osdmaptool.ts';
import { goldenBytes, goldenJson, goldenNames } from '../golden-data.ts';
import { missingTools } from '../interop/real-ceph.ts';
import { runTool } from '../interop/run-tool.ts';

function ours(args: readonly string[], readFile: (path: string) => Uint8Array = readFileSync) {
  const text = { stdout: '', stderr: '' };
  const status = osdmaptool(args, {
    stdout: (more) => {
      text.stdout += more;
    },
    stderr: (more) => {
      text.stderr += more;
    },
    readFile,
  });
  return { status, ...text };
}

const maps = goldenNames('osdmap').filter((name) => !name.endsWith('.json'));

function mapBytes(name: string): Uint8Array {
  const file = goldenNames(`osdmap/${name}`).find((each) => each.startsWith('osdmap.bin'));
  return goldenBytes(`osdmap/${name}/${file}`);
}

type PgRow = [raw: number[], rawPrimary: number, up: number[], upPrimary: number, acting: number[], primary: number];

test.each(maps)('the PGs of the golden map %s are listed as recorded', (name) => {
  const { pools } = goldenJson<{ pools: Record<string, { pgs: PgRow[] }> }>(`osdmap/${name}/pgs.json.gz`);
  const recorded = Object.entries(pools).flatMap(([pool, { pgs }]) =>
    pgs.map(
      ([raw, rawPrimary, up, upPrimary, acting, primary], seed) =>
        `${pool}.${seed.toString(16)} raw ([${raw}], p${rawPrimary}) up ([${up}], p${upPrimary}) acting ([${acting}], p${primary})`,
    ),
  );

  const { status, stdout } = ours(['map', '--test-map-pgs-dump-all'], () => mapBytes(name));

  expect(status).toBe(0);
  expect(stdout.split('\n').filter((line) => line.includes(' raw '))).toEqual(recorded);
});

test('a file that is no map is refused in one line that names the field', () => {
  const { status, stderr } = ours(['map', '--print'], () => new Uint8Array([8, 7, 1, 0, 0, 0, 0]));

  expect(status).toBe(255);
  expect(stderr).toContain("osdmaptool: error decoding osdmap 'map': osdmap.crc at offset");
});

const missing = missingTools(['osdmaptool']);

describe.skipIf(missing.length > 0)(`beside Ceph's osdmaptool (missing: ${missing.join(' ') || 'none'})`, () => {
  let dir: string;
  const paths = new Map<string, string>();

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'spirula-osdmaptool-'));
    const base = decodeOsdMap(mapBytes('base'));
    const allOut = encodeOsdMap({ ...base, osdWeight: base.osdWeight.map(() => 0) });
    const noPools = encodeOsdMap({ ...base, pools: new Map(), poolNames: new Map() });
    const contents = [
      ...maps.map((name) => [name, mapBytes(name)] as const),
      ['all-out', allOut],
      ['no-pools', noPools],
    ];
    for (const [name, bytes] of contents as [string, Uint8Array][]) {
      paths.set(name, join(dir, name));
      writeFileSync(paths.get(name)!, bytes);
    }
    writeFileSync(join(dir, 'damaged'), mapBytes('base').with(500, 1));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  // Maps that differ in kind; the recorded PGs above cover the rest.
  const told = [
    'base',
    'down',
    'temps',
    'upmap-items',
    'weight-set-pools',
    'tunables-legacy',
    'simple-12',
    'all-out',
    'no-pools',
  ];
  test.each(told)('the map %s gives the same text, statistics included', async (name) => {
    for (const action of ['--test-map-pgs', '--test-map-pgs-dump', '--test-map-pgs-dump-all', '--print']) {
      const args = [paths.get(name)!, action];
      expect(ours(args), action).toEqual(await runTool('osdmaptool', args));
    }
  });

  test.each([
    ['--test-map-pgs-dump-all', '--pool', '8'],
    ['--test-map-pgs-dump-all', '--pool=2'],
    ['--test_map_pgs_dump_all', '--pool', '-1'],
    ['--test-map-pgs-dump-all', '--pool', '99'],
    ['--test-map-pgs-dump', '--test-map-pgs-dump-all', '--pool', '1'],
    ['--test-map-pgs-dump-all', '--print', '--pool', '9'],
    ['--test-map-pgs-dump-all', '--pool', 'x'],
    ['--test-map-pgs-dump-all', '--pool'],
  ])('the arguments %s %s %s %s do the same', async (...options) => {
    const args = [paths.get('base')!, ...options];

    expect(ours(args)).toEqual(await runTool('osdmaptool', args));
  });

  test('a missing file is refused in the same words', async () => {
    const args = [join(dir, 'nowhere'), '--print'];

    expect(ours(args)).toEqual(await runTool('osdmaptool', args));
  });

  test.each([[['damaged', '--print']], [['base']], [['base', 'extra', '--print']], [[]]])(
    '%s fails with the same status',
    async (words) => {
      const args = words.map((word) => (word.startsWith('--') ? word : join(dir, word)));

      expect(ours(args).status).toBe((await runTool('osdmaptool', args)).status);
    },
  );
});
