/**
 * Our `rbd` beside Debian's, on images that Debian's has made, in our cluster and in a real one: what they print is the same, and
 * the bytes they export are.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rbd } from '../../packages/cli/src/rbd.ts';
import { type ImageCluster, makePools, RBD_TOOLS, realRbd, startOurs, startTheirs } from './rbd-clusters.ts';
import { missingTools } from './real-ceph.ts';

const missing = missingTools(RBD_TOOLS);
const REAL_PORT_BASE = 20_000;
const MIB = 1 << 20;

/** Images of every kind: whole, of stripes, in two pools, clones of both formats, grown, shrunk, in a namespace, in a group. */
const MAKE = [
  'create images/empty --size 40M',
  'create images/striped --size 21M --stripe-unit 65536 --stripe-count 3 --object-size 1M',
  'bench --io-type write --io-size 20000 --io-total 3M --io-pattern rand --io-threads 4 images/striped',
  'import FILE images/base --no-progress',
  'snap create images/base@one --no-progress',
  'snap create images/base@two --no-progress',
  'snap protect images/base@one',
  'clone images/base@one images/child --rbd-default-clone-format 1',
  'clone images/base@two images/second --rbd-default-clone-format 2',
  'bench --io-type write --io-size 5000 --io-total 500K --io-pattern rand images/child',
  'snap create images/child@then --no-progress',
  'resize images/child --size 9M --no-progress',
  'resize images/second --size 3M --allow-shrink --no-progress',
  'snap create images/second@short --no-progress',
  'resize images/second --size 8M --no-progress',
  'create images/far --size 6M --data-pool far',
  'bench --io-type write --io-size 4096 --io-total 200K --io-pattern rand images/far',
  'clone images/child@then images/grandchild --rbd-default-clone-format 2',
  'image-meta set images/base key value',
  'image-meta set images/base other value-2',
  'namespace create images/ns',
  'create images/ns/inside --size 1M',
  'group create images/together',
  'group image add images/together images/empty',
  'group snap create images/together@moment',
  'snap limit set images/striped --limit 3',
];

const SHOW = [
  ...[
    'ls images',
    'ls -l images',
    'ls images --format json',
    'ls -l images --format json',
    'ls images/ns',
    'ls --pool far',
  ],
  ...['info images/empty', 'info images/striped', 'info images/base', 'info images/base@one', 'info images/child'],
  ...[
    'info images/second@short',
    'info images/far',
    'info images/grandchild',
    'info images/ns/inside',
    'info --pool images empty',
  ],
  ...[
    'info images/child --format json',
    'info images/striped --format json --pretty-format',
    'info images/base@two --format json',
  ],
  ...['snap ls images/base', 'snap ls images/base --format json', 'snap ls images/empty', 'snap ls --all images/child'],
  ...[
    'image-meta ls images/base',
    'image-meta ls images/empty',
    'image-meta get images/base key',
    'image-meta get images/base none',
  ],
  ...['info images/none', 'info images/base@none', 'info none/x', 'ls none', 'info x', 'info', 'snap ls images/none'],
];

const IMAGES = [
  'empty',
  'striped',
  'base',
  'base@one',
  'child',
  'child@then',
  'second',
  'second@short',
  'far',
  'grandchild',
];

describe.skipIf(missing.length > 0).each([
  ['our cluster', startOurs()],
  ['a real cluster', startTheirs(REAL_PORT_BASE)],
])(`images in %s (skipped without: ${missing.join(' ')})`, (_, start) => {
  const dir = mkdtempSync(join(tmpdir(), 'rbd-tool-'));
  let cluster: ImageCluster;

  const theirs = (...args: string[]) => realRbd(cluster, ...args);
  const ours = async (...args: string[]) => {
    let stdout = '';
    let stderr = '';
    const env = {
      stdout: (text: string | Uint8Array) => void (stdout += Buffer.from(text).toString('latin1')),
      stderr: (text: string) => void (stderr += text),
      dir,
    };
    return { status: await rbd(['-c', cluster.conf, ...args], env), stdout, stderr };
  };

  beforeAll(async () => {
    cluster = await start();
    const file = join(dir, 'content');
    writeFileSync(file, contentOf(5 * MIB + 12_345));
    await makePools(cluster);
    for (const line of MAKE) {
      const words = line.split(' ').map((word) => (word === 'FILE' ? file : word));
      expect(await theirs(...words), line).toMatchObject({ status: 0 });
    }
  }, 180_000);
  afterAll(async () => {
    await cluster?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  test('are shown alike', async () => {
    for (const line of SHOW) {
      const words = line.split(' ');
      const expected = await theirs(...words);
      const found = await ours(...words);
      expect({ ...found, line }).toEqual({ ...expected, stderr: withoutLogLines(expected.stderr), line });
    }
  }, 120_000);

  test('are exported alike, and what is zero takes no room', async () => {
    for (const name of IMAGES) {
      const [whole, own] = [join(dir, `${name}.theirs`), join(dir, `${name}.ours`)];
      expect(await theirs('export', `images/${name}`, whole, '--no-progress')).toMatchObject({ status: 0 });
      expect(await ours('export', `images/${name}`, own, '--no-progress'), name).toMatchObject({
        status: 0,
        stderr: '',
      });
      expect(readFileSync(own).equals(readFileSync(whole)), name).toBe(true);
    }
    expect(statSync(join(dir, 'empty.ours'))).toMatchObject({ size: 40 * MIB, blocks: 0 });
    const piped = await ours('export', 'images/base', '-');
    expect(Buffer.from(piped.stdout, 'latin1').equals(readFileSync(join(dir, 'content')))).toBe(true);
    expect(await ours('export', 'images/base', join(dir, 'content'))).toMatchObject({ status: 17 });
  }, 120_000);
});

/** What the library logs stands in the same stream. */
function withoutLogLines(text: string): string {
  return text.replace(/^\d{4}-\d\d-\d\dT\S+ \S+ {1,2}-?\d+ .*\n/gm, '');
}

function contentOf(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}
