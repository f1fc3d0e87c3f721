/**
 * What our `rbd` does with the data of images, beside Debian's, in our cluster and in a real one: the images are librbd's, what both
 * print is the same, and so are the bytes they write.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeRbdBitVector } from '@spirula/cls';
import { Decoder, Encoder } from '@spirula/encoding';
import { type IoCtx, ObjectOperation } from '@spirula/rados';
import { Image } from '@spirula/rbd';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ClusterConnection, connectByConf } from '../../packages/cli/src/ceph/connect.ts';
import { type ImageCluster, makePools, must, RBD_TOOLS, startOurs, startTheirs } from './rbd-clusters.ts';
import { type RbdPair, rbdPair } from './rbd-pair.ts';
import { missingTools } from './real-ceph.ts';
import { runTool } from './run-tool.ts';

const PYTHON = '/usr/bin/python3';
const missing = missingTools([...RBD_TOOLS, PYTHON]);
const REAL_PORT_BASE = 24_200;
const BUSY = new URL('rbd-data/busy.py', import.meta.url).pathname;
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

describe.skipIf(missing.length > 0).each([
  ['our cluster', startOurs()],
  ['a real cluster', startTheirs(REAL_PORT_BASE)],
])(`data of images in %s (skipped without: ${missing.join(' ')})`, (_, start) => {
  const dir = mkdtempSync(join(tmpdir(), 'rbd-data-'));
  let cluster: ImageCluster;
  let pair: RbdPair;
  let connection: ClusterConnection;
  let io: IoCtx;

  const sameOf = async (line: string) => {
    const words = line.split(' ');
    const expected = await pair.theirs(...words);
    expect({ line, ...(await pair.ours(...words)) }).toEqual({ line, ...expected });
  };
  const snapshotsOf = async (name: string) => {
    const { header } = await Image.open(connection.rados, io, name);
    return header.snapshots.map((snapshot) => snapshot.name).reverse();
  };

  beforeAll(async () => {
    cluster = await start();
    await makePools(cluster);
    await must(runTool(PYTHON, ['-B', BUSY, cluster.conf, SEED], { timeoutSeconds: 60 }), BUSY);
    pair = rbdPair(cluster, dir);
    connection = await connectByConf(
      { dir, stdout: () => {}, stderr: () => {} },
      new Map([['conf', cluster.conf]]),
      60,
    );
    io = await connection.rados.ioctx('images');
  }, 120_000);
  afterAll(async () => {
    await connection?.close();
    await cluster?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  test('what differs between snapshots, and what room they take, is shown alike', async () => {
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
    const some = lines.filter((_, i) => i % 16 === Number(SEED) % 16);
    expect(some.length).toBeGreaterThan(25);
    for (const line of [...some, ...ODD]) await sameOf(line);
  }, 120_000);

  test('object maps that hide objects are found out, and rebuilt', async () => {
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
