/**
 * Copies by our `rbd` beside those by Debian's, of images with snapshots, stripes, parents and pools of their own, in our cluster and in a
 * real one; room given back; measuring; images that are only read.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IoCtx } from '@spirula/rados';
import { Image } from '@spirula/rbd';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClusterConnection } from '../../packages/cli/src/ceph/connect.ts';
import { must, RBD_TOOLS, startOurs, startTheirs } from './rbd-clusters.ts';
import { type BusyImages, makeBusyImages } from './rbd-data/busy-images.ts';
import type { RbdPair } from './rbd-pair.ts';
import { missingTools } from './real-ceph.ts';
import { PYTHON } from './run-tool.ts';

const missing = missingTools([...RBD_TOOLS, PYTHON]);
const REAL_PORT_BASE = 24_400;
const SEED = process.env['SEED'] ?? '21';
const MIB = 1 << 20;

/** SNAP stands for the second snapshot of the image. */
const COPIES = [
  'cp images/child@SNAP images/COPY --object-size 64K --stripe-unit 4K --stripe-count 2 --sparse-size 64K --data-pool far',
  'deep cp images/whole images/COPY',
  'deep cp images/striped@SNAP images/COPY --object-size 512K --stripe-unit 32K --stripe-count 2',
  'deep cp images/apart images/COPY --image-feature layering --image-feature exclusive-lock',
  'deep cp images/child images/COPY',
  'deep cp images/mixed images/COPY',
  'deep cp images/mixed images/COPY --flatten --object-size 2M --stripe-unit 64K --stripe-count 3',
  'deep cp images/grandchild images/COPY --flatten',
];

const REFUSED = [
  ...['cp images/whole images/child', 'deep cp images/whole images/child', 'cp images/none images/x', 'deep cp'],
  ...['cp images/whole@none images/x', 'cp images/whole', 'cp images/whole none/x', 'deep cp images/whole images/x@y'],
  ...['cp images/whole images/x --object-size 64M', 'cp images/whole images/x --image-feature object-map'],
  ...['sparsify images/whole --sparse-size 100', 'sparsify images/whole --sparse-size 2M', 'sparsify images/none'],
  ...['sparsify images/whole@s0', 'bench images/whole', 'bench images/whole --io-type x', 'bench'],
  ...['bench images/whole --io-type write --io-size 0', 'bench images/whole --io-type write --io-threads 0'],
  ...['bench images/whole --io-type rw --rw-mix-read 101', 'bench images/whole --io-type read --io-size 100M'],
  ...['bench images/whole --io-type read --io-pattern x', 'bench images/whole@s0 --io-type write'],
];

describe.skipIf(missing.length > 0).each([
  ['our cluster', startOurs()],
  ['a real cluster', startTheirs(REAL_PORT_BASE)],
])(`copies of images in %s (skipped without: ${missing.join(' ')})`, { concurrent: true }, (_, start) => {
  const dir = mkdtempSync(join(tmpdir(), 'rbd-copies-'));
  let images: BusyImages;
  let pair: RbdPair;
  let connection: ClusterConnection;
  let io: IoCtx;

  const theirs = async (line: string) => (await must(pair.theirs(...line.split(' ')), line)).stdout;
  const open = (name: string, snapshot?: string) => Image.open(connection.rados, io, name, snapshot);
  const bytesOf = async (name: string) => {
    const path = join(dir, 'bytes');
    rmSync(path, { force: true });
    await theirs(`export images/${name} ${path} --no-progress`);
    return readFileSync(path);
  };
  /** What `info` says, but for names, ids and times; the object map was looked at before. */
  const infoOf = async (name: string, snapshot: string) => {
    await pair.ours('object-map', 'check', `images/${name}${snapshot}`);
    const { stdout } = await pair.ours('info', `images/${name}${snapshot}`);
    return stdout.replace(/rbd image .*|(id|block_name_prefix|\w+_timestamp): .*/g, '');
  };

  beforeAll(async () => {
    images = await makeBusyImages(start, dir, SEED);
    ({ pair, connection, io } = images);
  }, 120_000);
  afterAll(async () => {
    await images?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  test.sequential.each(COPIES)(
    '%s',
    async (line) => {
      const [, source = ''] = /images\/(\w+)/.exec(line)!;
      const [first, second = first] = [...(await open(source)).header.snapshots].reverse();
      const words = (copy: string) => line.replace('SNAP', second!.name).replace('COPY', copy).split(' ');
      const id = COPIES.indexOf(line);
      const [expected, own] = [`theirs${id}`, `ours${id}`];
      const said = await pair.theirs(...words(expected));
      expect(said).toMatchObject({ status: 0 });

      expect(await pair.ours(...words(own))).toEqual(said);
      const namesOf = async (name: string) => (await open(name)).header.snapshots.map((snapshot) => snapshot.name);
      const snapshots = await namesOf(expected);
      expect(await namesOf(own)).toEqual(snapshots);
      for (const snapshot of [undefined, ...snapshots]) {
        const at = snapshot === undefined ? '' : `@${snapshot}`;
        expect(await infoOf(own, at), at).toBe(await infoOf(expected, at));
        const [a, b] = [await open(expected, snapshot), await open(own, snapshot)];
        expect(Buffer.compare(await a.read(0, a.size), await b.read(0, b.size)), at).toBe(0);
      }
      const copy = await open(own);
      expect((await bytesOf(own)).equals(await copy.read(0, copy.size))).toBe(true);
    },
    60_000,
  );

  test.sequential('zeros give their room back', async () => {
    const bytes = Buffer.alloc(5 * MIB + 1000);
    bytes.fill(7, 0, 5000);
    bytes.fill(8, MIB + 70_000, MIB + 80_000);
    bytes.fill(9, 3 * MIB, 3 * MIB + 1);
    const path = join(dir, 'sparse');
    writeFileSync(path, bytes);
    for (const how of ['', ' --sparse-size 64K']) {
      for (const tool of ['theirs', 'ours'] as const) {
        const name = `sparse-${tool}${how.length}`;
        await theirs(`import ${path} images/${name} --object-size 1M --sparse-size 0`);
        await must(pair[tool]('sparsify', `images/${name}`, ...how.split(' ').slice(1)), name);
        expect((await bytesOf(name)).equals(bytes)).toBe(true);
        expect(await infoOf(name, '')).toMatch(/^\tflags: $/m);
      }
      const usedOf = async (tool: string) => {
        const stats = JSON.parse(await theirs(`du images/sparse-${tool}${how.length} --format json`)) as {
          images: { used_size: number }[];
        };
        return stats.images[0]!.used_size;
      };
      expect(await usedOf('ours')).toBe(await usedOf('theirs'));
      expect(await usedOf('ours')).toBe(3 * MIB);
    }
  }, 60_000);

  test.sequential('what a benchmark says has the same form', async () => {
    for (const line of [
      'bench images/whole --io-type write --io-size 8K --io-total 2M --io-pattern rand',
      'bench images/whole --io-type read --io-size 4096 --io-total 1M --io-threads 4',
      'bench images/child --io-type rw --io-size 4K --io-total 1M --rw-mix-read 30 --io-pattern full-seq',
    ]) {
      const form = (text: string) =>
        text
          .replace(/^ +\d+ .*\n/gm, '') // A row a second: whether there is one depends on how busy the machine is.
          .replace(/^elapsed: \d+/gm, 'elapsed: N')
          .replace(/[\d.]+( .iB)?(?=( |\/s|$))/gm, 'N');
      const said = await pair.theirs(...line.split(' '));
      const own = await pair.ours(...line.split(' '));
      expect({ ...own, stdout: form(own.stdout) }).toEqual({ ...said, stdout: form(said.stdout) });
      expect(own.stdout.split('\n')[0]).toBe(said.stdout.split('\n')[0]);
      expect(own.stdout).toMatch(/^elapsed: \d+ {3}ops: (256|512) /m);
    }
  }, 60_000);

  test.sequential('an image that keeps a journal is read, and why it is not written is said', async () => {
    await theirs('create images/logged --size 3M --image-feature exclusive-lock --image-feature journaling');
    await theirs('bench images/logged --io-type write --io-size 64K --io-total 512K');
    for (const line of ['export images/logged - --no-progress', 'diff images/logged', 'du images/logged']) {
      expect(await pair.ours(...line.split(' '))).toEqual(await pair.theirs(...line.split(' ')));
    }
    expect(await pair.ours('resize', 'images/logged', '--size', '4M')).toEqual({
      status: 30,
      stdout: '',
      stderr:
        'rbd: images with journaling are only read here\nrbd: error opening image logged: (30) Read-only file system\n',
    });
    expect(await pair.ours('cp', 'images/logged', 'images/copy')).toMatchObject({ status: 95 });
    expect(await pair.ours('cp', 'images/logged', 'images/copy', '--image-feature', 'layering')).toMatchObject({
      status: 0,
    });
    expect((await bytesOf('copy')).equals(await bytesOf('logged'))).toBe(true);
  }, 60_000);

  test.sequential('what cannot be is refused alike', async () => {
    for (const line of REFUSED) {
      const expected = await pair.theirs(...line.split(' '));
      expect({ line, ...(await pair.ours(...line.split(' '))) }).toEqual({ line, ...expected });
    }
  }, 60_000);
});
