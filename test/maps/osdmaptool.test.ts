/** `spirula osdmaptool` on recorded maps, and on such as no cluster makes. */
import { MalformedInput } from '@spirula/encoding';
import { decodeOsdMap, encodeOsdMap } from '@spirula/maps';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { osdmaptool } from '../../packages/cli/src/osdmaptool.ts';
import { goldenBytes, goldenJson, goldenNames, goldenText } from '../golden-data.ts';
import { goldenMap, runOurs } from './osdmaptool-pair.ts';
import { sealed } from './sealed.ts';

const maps = goldenNames('osdmap').filter((name) => !name.endsWith('.json'));

type PgRow = [raw: number[], rawPrimary: number, up: number[], upPrimary: number, acting: number[], primary: number];

test.each(maps)('the PGs of the golden map %s are listed as recorded', async (name) => {
  const { pools } = goldenJson<{ pools: Record<string, { pgs: PgRow[] }> }>(`osdmap/${name}/pgs.json.gz`);
  const recorded = Object.entries(pools).flatMap(([pool, { pgs }]) =>
    pgs.map(
      ([raw, rawPrimary, up, upPrimary, acting, primary], seed) =>
        `${pool}.${seed.toString(16)} raw ([${raw}], p${rawPrimary}) up ([${up}], p${upPrimary}) acting ([${acting}], p${primary})`,
    ),
  );

  const { status, stdout } = await runOurs(['map', '--test-map-pgs-dump-all'], { map: goldenMap(name) });

  expect(status).toBe(0);
  expect(stdout.split('\n').filter((line) => line.includes(' raw '))).toEqual(recorded);
});

// The largest has none.
const printed = maps.filter((name) => goldenNames(`osdmap/${name}`).includes('print.txt'));

test.each(printed)('the golden map %s is printed as recorded', async (name) => {
  const { stdout } = await runOurs(['map', '--print'], { map: goldenMap(name) });

  expect(stdout).toBe(goldenText(`osdmap/${name}/print.txt`));
});

test.each(maps)('the dump of the golden map %s is the recorded document', async (name) => {
  const { stdout } = await runOurs(['map', '--dump', 'json'], { map: goldenMap(name) });

  expect(JSON.parse(stdout)).toEqual(goldenJson(`osdmap/${name}/osdmap.json.gz`));
});

interface ObjectRow {
  readonly poolId?: number;
  readonly namespace: string;
  readonly name: string;
  readonly pgid: string;
  readonly acting: number[];
}

test.each(goldenNames('hash').filter((name) => name.startsWith('objects-')))(
  'the objects of %s are mapped as recorded',
  async (file) => {
    const golden = goldenJson<{ osdmap: string; objects: ObjectRow[] }>(`hash/${file}`);
    const folder = golden.osdmap;
    const bytes = goldenBytes(`${folder}/${goldenNames(folder).find((name) => name.startsWith('osdmap.bin'))}`);
    // The tool knows no namespaces; names that it cannot be given as arguments are left out.
    const rows = golden.objects.filter(({ namespace = '', name }) => namespace === '' && /^[ -~]+$/.test(name));

    expect(rows.length).toBeGreaterThan(30);
    for (const { poolId = 1, name, pgid, acting } of rows) {
      const { stdout } = await runOurs(['map', `--test-map-object=${name}`, '--pool', String(poolId)], { map: bytes });

      expect(stdout).toBe(` object '${name}' -> ${pgid} -> [${acting}]\n`);
    }
  },
);

test('--test-crush goes on until its output ends', async () => {
  const lines: string[] = [];
  class HungUp extends Error {}
  const io = {
    stdout: (text: string) => {
      lines.push(...text.split('\n').filter(Boolean));
      if (lines.length > 60_000) throw new HungUp();
    },
    stderr: () => undefined,
    readFile: () => goldenMap('simple-12'),
    pause: async () => undefined,
    env: {},
  };

  await expect(osdmaptool(['map', '--test-crush'], io as never)).rejects.toThrow(HungUp);

  expect(lines.slice(0, 3)).toEqual(['pass 1', '1.0 attempt 0', '1.0 attempt 1']);
  expect(lines[100]).toBe('1.0 attempt 99');
  expect(lines[1 + 192 * 100]).toBe('pass 2');
});

const ACTIONS = ['--test-map-pgs', '--tree', '--health', '--print', '--mark-up-in', '--upmap-cleanup', '-'];

/** More PGs than a test has time for: what a damaged map asks for is done. */
function isHuge(bytes: Uint8Array): boolean {
  try {
    const { pools, maxOsd } = decodeOsdMap(bytes);
    return [...pools.values()].some(({ pgNum, size }) => pgNum * size > 20_000) || maxOsd > 20_000;
  } catch (error) {
    if (error instanceof MalformedInput) return false;
    throw error;
  }
}

test.each(['temps', 'upmap-items', 'weight-set-pools'])(
  'no damage in the map %s brings the tool down',
  { timeout: 120_000 },
  async (name) => {
    const bytes = goldenMap(name);
    const crcAt = bytes.length - 4;
    const damage = fc.array(fc.tuple(fc.integer({ min: 6, max: crcAt - 1 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)), {
      minLength: 1,
      maxLength: 4,
    });
    let read = 0;
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const damaged = bytes.slice();
        for (const [at, value] of changes) damaged[at] = value;
        const map = sealed(damaged, crcAt);
        fc.pre(!isHuge(map));

        const { status } = await runOurs(['map', ...ACTIONS, '--upmap', '-'], { map });

        expect([0, 255]).toContain(status);
        if (status === 0) read += 1;
      }),
      { numRuns: 40 },
    );
    expect(read).toBeGreaterThan(5);
  },
);

test('what is written is read again', async () => {
  const { files } = await runOurs(['new', '--createsimple', '30', '--with-default-pool'], {});
  const bytes = Buffer.from(files['new']!, 'base64');
  const map = decodeOsdMap(bytes);

  expect([map.epoch, map.maxOsd, map.pools.get(1)!.pgNum]).toEqual([1, 30, 1920]);
  expect(Buffer.from(encodeOsdMap(map))).toEqual(bytes);
});
