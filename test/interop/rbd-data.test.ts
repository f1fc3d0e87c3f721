/**
 * What our `rbd` does with the data of images, beside Debian's, in our cluster and in a real one: the images are librbd's, what both
 * print is the same, and so are the bytes they write.
 */
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { decodeRbdBitVector } from '@spirula/cls';
import { Decoder, Encoder } from '@spirula/encoding';
import { type IoCtx, ObjectOperation } from '@spirula/rados';
import { Image } from '@spirula/rbd';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClusterConnection } from '../../packages/cli/src/ceph/connect.ts';
import { type ImageCluster, must, RBD_TOOLS, startOurs, startTheirs } from './rbd-clusters.ts';
import { type BusyImages, makeBusyImages } from './rbd-data/busy-images.ts';
import type { RbdPair } from './rbd-pair.ts';
import { missingTools } from './real-ceph.ts';
import { PYTHON, runTool } from './run-tool.ts';

const missing = missingTools([...RBD_TOOLS, PYTHON]);
const REAL_PORT_BASE = 24_200;
const SPIRULA = new URL('../../packages/cli/bin/spirula.mjs', import.meta.url).pathname;
const SEED = process.env['SEED'] ?? '11';
const IMAGES = ['whole', 'plain', 'striped', 'apart', 'base', 'child', 'mixed', 'bare', 'grandchild', 'empty'];

/** What is refused, or shows nothing. */
const ODD = [
  ...['diff images/whole --from-snap none', 'diff images/whole --from-snap none --format json', 'diff'],
  ...['diff images/whole@none', 'diff images/none', 'diff images/empty', 'diff images/empty --format json'],
  ...['du --pool images', 'du --pool images --format json', 'du images/none', 'du images/whole@none', 'du none/x'],
  ...['du images/whole --from-snap none', 'du --from-snap x', 'du --pool far', 'du --pool far --format json'],
  ...['object-map check images/plain', 'object-map rebuild images/plain', 'object-map check images/whole@none'],
];

const ODD_FILES = [
  ...['import DIR/nothing images/z', 'import DIR images/z', 'import DIR/none images/z', 'import DIR/junk images/whole'],
  ...['import DIR/junk images/z --export-format 2', 'import DIR/junk images/z --export-format 3', 'import DIR/junk'],
  ...['import', 'import DIR/junk images/z@s', 'import DIR/junk none/z', 'import DIR/junk images/z --order 40'],
  ...['import DIR/junk images/z --image-feature none', 'import DIR/junk images/z --sparse-size x'],
  ...['import-diff DIR/junk images/whole', 'import-diff DIR/none images/whole', 'import-diff DIR/nothing images/whole'],
  ...['import-diff DIR/junk images/none', 'import-diff', 'import-diff DIR/junk', 'import-diff DIR/cut images/empty'],
  ...[
    'import-diff DIR/odd images/empty',
    'export images/whole DIR/junk',
    'export images/whole',
    'export images/whole -',
  ],
  ...[
    'export-diff images/whole DIR/junk',
    'export-diff images/whole DIR/z --from-snap none',
    'export-diff images/whole',
  ],
  ...[
    'export-diff images/none DIR/z',
    'export-diff images/whole@none DIR/z',
    'export-diff images/whole - --no-progress',
  ],
  ...['merge-diff', 'merge-diff a', 'merge-diff a b', 'merge-diff DIR/none b c', 'merge-diff DIR/junk DIR/none c'],
  ...['merge-diff DIR/nothing DIR/junk DIR/z', 'merge-diff DIR/cut DIR/junk DIR/z', 'merge-diff DIR/odd DIR/odd DIR/z'],
];

describe.skipIf(missing.length > 0).each([
  ['our cluster', startOurs()],
  ['a real cluster', startTheirs(REAL_PORT_BASE)],
])(`data of images in %s (skipped without: ${missing.join(' ')})`, { concurrent: true }, (_, start) => {
  const dir = mkdtempSync(join(tmpdir(), 'rbd-data-'));
  let images: BusyImages;
  let cluster: ImageCluster;
  let pair: RbdPair;
  let connection: ClusterConnection;
  let io: IoCtx;

  const sameOf = async (line: string) => {
    const words = line.split(' ');
    let [expected, own] = [await pair.theirs(...words), await pair.ours(...words)];
    // OSDs may still be trimming what removed snapshots had: compared is what both say while Debian's says it twice.
    while (words[0] === 'du' && !isDeepStrictEqual(own, expected)) {
      const again = await pair.theirs(...words);
      if (isDeepStrictEqual(again, expected)) break;
      [expected, own] = [again, await pair.ours(...words)];
    }
    expect({ line, ...own }).toEqual({ line, ...expected });
  };
  const snapshotsOf = async (name: string) => {
    const { header } = await Image.open(connection.rados, io, name);
    return header.snapshots.map((snapshot) => snapshot.name).reverse();
  };

  beforeAll(async () => {
    images = await makeBusyImages(start, dir, SEED);
    ({ cluster, pair, connection, io } = images);
  }, 120_000);
  afterAll(async () => {
    await images?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  test.sequential('what differs between snapshots, and what room they take, is shown alike', async () => {
    const lines: string[] = [];
    for (const name of IMAGES) {
      const snapshots = await snapshotsOf(name);
      const ends = [`images/${name}`, ...snapshots.map((snapshot) => `images/${name}@${snapshot}`)];
      for (const end of ends) {
        for (const how of ['', ' --whole-object', ' --format json']) {
          lines.push(`diff ${end}${how}`, ...snapshots.map((from) => `diff ${end} --from-snap ${from}${how}`));
        }
      }
      const [first = '', ...others] = snapshots;
      const last = others.at(-1);
      for (const how of ['', ' --exact', ' --merge-snapshots', ' --format json', ' --format json --pretty-format']) {
        lines.push(`du images/${name}${how}`);
        if (last) lines.push(`du images/${name}@${last} --from-snap ${first}${how}`);
      }
      if (last)
        lines.push(`du images/${name}@${first} --from-snap ${last}`, `du images/${name}@${last} --from-snap ${last}`);
    }
    // There are hundreds: each run sees others.
    const some = lines.filter((_, i) => i % 20 === Number(SEED) % 20);
    expect(some.length).toBeGreaterThan(20);
    for (const line of [...some, ...ODD]) await sameOf(line);
  }, 120_000);

  test.sequential('object maps that hide objects are found out, and rebuilt', async () => {
    for (const name of ['whole', 'mixed']) {
      const { header } = await Image.open(connection.rados, io, name);
      const snapshot = header.snapshots[0]!;
      const suffix = `.${snapshot.id.toString(16).padStart(16, '0')}`;
      for (const [place, map] of [
        [name, `rbd_object_map.${header.id}`],
        [`${name}@${snapshot.name}`, `rbd_object_map.${header.id}${suffix}`],
      ] as const) {
        const load = () => io.exec(map, 'rbd', 'object_map_load');
        await pair.theirs('object-map', 'rebuild', `images/${place}`);
        const states = decodeRbdBitVector(new Decoder(await load()));
        const hidden = Array.from({ length: states.size }, (_, i) => i).filter((object) => states.get(object) !== 0);
        expect(hidden.length).toBeGreaterThan(1);
        const outcomes: unknown[] = [];
        for (const tool of [pair.theirs, pair.ours]) {
          for (const object of hidden.slice(-2)) await setState(io, map, object, 0);
          const checked = await tool('object-map', 'check', `images/${place}`);
          const told = (await pair.theirs('info', `images/${place}`)).stdout;
          const rebuilt = await tool('object-map', 'rebuild', `images/${place}`);
          const after = Buffer.from(await load()).toString('hex');
          outcomes.push({ checked, told: /flags:.*/.exec(told)?.[0], rebuilt, after });
          expect((await pair.theirs('info', `images/${place}`)).stdout).toMatch(/^\tflags: $/m);
        }
        expect(outcomes[1]).toEqual(outcomes[0]);
        expect(outcomes[0]).toMatchObject({ told: 'flags: object map invalid, fast diff invalid' });
        await sameOf(`object-map check images/${place}`);
        await sameOf(`du images/${name}`);
      }
    }
  }, 60_000);

  /** Debian's writes into `theirs`, ours into `ours`: both say the same, and the files are the same. */
  const sameFile = async (line: string) => {
    const [expected, own] = [join(dir, 'theirs'), join(dir, 'ours')];
    for (const path of [expected, own]) rmSync(path, { force: true });
    const said = await pair.theirs(...line.replace('FILE', expected).split(' '));
    expect({ line, ...(await pair.ours(...line.replace('FILE', own).split(' '))) }).toEqual({ line, ...said });
    expect(existsSync(own), line).toBe(existsSync(expected));
    if (existsSync(own)) expect(readFileSync(own).equals(readFileSync(expected)), line).toBe(true);
  };
  /** All that there is of an image, as Debian's exports it. */
  const allOf = async (name: string) => {
    const path = join(dir, 'all');
    rmSync(path, { force: true });
    await must(pair.theirs('export', `images/${name}`, path, '--export-format', '2', '--no-progress'), name);
    return readFileSync(path);
  };
  /** Made by Debian's, and by ours: they are the same, and the object maps are right. */
  const sameImages = async (theirs: string, own: string) => {
    expect((await allOf(own)).equals(await allOf(theirs)), own).toBe(true);
    await pair.theirs('object-map', 'check', `images/${own}`);
    expect((await pair.theirs('info', `images/${own}`)).stdout).not.toContain('invalid');
  };
  const at = (name: string) => join(dir, name);

  test.sequential('exported images are the same files, and each imports what the other exported', async () => {
    for (const name of ['striped', 'mixed', 'apart']) {
      for (const how of ['', ' --export-format 2']) await sameFile(`export images/${name} FILE${how}`);
      rmSync(at('image'), { force: true });
      await pair.ours('export', `images/${name}`, at('image'), '--export-format', '2', '--no-progress');
      const [theirs, own] = [`${name}-theirs`, `${name}-ours`];
      await must(pair.theirs('import', at('image'), `images/${theirs}`, '--export-format', '2'), theirs);
      await sameFile(`export images/${theirs} FILE --export-format 2`);
      await must(pair.ours('import', at('image'), `images/${own}`, '--export-format', '2'), own);
      await sameImages(theirs, own);
    }
    const bytes = at('bytes');
    await pair.ours('export', 'images/whole', bytes);
    const how = '--object-size 64K --sparse-size 1000 --image-feature layering --image-feature exclusive-lock';
    for (const tool of ['theirs', 'ours'] as const) {
      await must(pair[tool]('import', bytes, `images/small-${tool}`, ...how.split(' ')), tool);
      const piped = tool === 'theirs' ? ['rbd'] : [process.execPath, SPIRULA, 'rbd'];
      const words = ['-c', cluster.conf, 'import', '-', `images/piped-${tool}`, '--object-size', '1M', '--no-progress'];
      const input = readFileSync(bytes);
      await must(runTool(piped[0]!, [...piped.slice(1), ...words], { input, timeoutSeconds: 60 }), tool);
    }
    await sameImages('small-theirs', 'small-ours');
    await sameImages('piped-theirs', 'piped-ours');
  }, 120_000);

  test.sequential('differences are the same files, go into images alike, and make one together', async () => {
    for (const name of ['whole', 'child']) {
      const steps = [...(await snapshotsOf(name)), ''];
      const [theirs, own] = [`${name}-built-theirs`, `${name}-built-ours`];
      for (const each of [theirs, own]) await must(pair.theirs('create', `images/${each}`, '--size', '1M'), each);
      const files: string[] = [];
      for (const [i, step] of steps.entries()) {
        const from = i === 0 ? '' : ` --from-snap ${steps[i - 1]}`;
        const line = `export-diff images/${name}${step === '' ? '' : `@${step}`} FILE${from}`;
        await sameFile(`${line} --whole-object`);
        await sameFile(line);
        files.push(at(`diff-${name}-${i}`));
        renameSync(at('ours'), files.at(-1)!);
        for (const _ of [1, 2]) {
          // The second time the snapshot that it ends with is there.
          const said = await pair.theirs('import-diff', files.at(-1)!, `images/${theirs}`);
          expect(await pair.ours('import-diff', files.at(-1)!, `images/${own}`)).toEqual(said);
        }
      }
      await sameImages(theirs, own);
      for (const [i, file] of files.slice(1).entries()) await sameFile(`merge-diff ${files[i]} ${file} FILE`);
      await sameFile(`merge-diff ${files[0]} ${files[2]} FILE`);
      await sameOf(`import-diff ${files[1]} images/empty`);
    }
    writeFileSync(at('nothing'), '');
    writeFileSync(at('junk'), Buffer.alloc(100, 0xf3));
    writeFileSync(at('cut'), readFileSync(at('diff-whole-0')).subarray(0, -1));
    writeFileSync(at('odd'), 'rbd diff v1\nq');
    for (const line of ODD_FILES) await sameOf(line.replace(/DIR/g, dir));
  }, 120_000);
});

/** Whatever is true. */
async function setState(io: IoCtx, map: string, object: number, state: number): Promise<void> {
  const input = new Encoder(32);
  input.u64(object);
  input.u64(object + 1);
  input.u8(state);
  input.optional(undefined, () => {});
  await io.operate(map, new ObjectOperation().exec('rbd', 'object_map_update', input.finish(), 'write'));
}
