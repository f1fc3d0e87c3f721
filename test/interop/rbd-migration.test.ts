/** Images that go elsewhere, by Debian's `rbd` and by ours in turns, while both read and write them, in our cluster and in a real one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IoCtx } from '@spirula/rados';
import { Image, WritableImage } from '@spirula/rbd';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClusterConnection } from '../../packages/cli/src/ceph/connect.ts';
import { imageWorld } from '../../packages/cli/src/rbd/image-world.ts';
import { type ImageCluster, must, RBD_TOOLS, startOurs, startTheirs } from './rbd-clusters.ts';
import { type BusyImages, makeBusyImages } from './rbd-data/busy-images.ts';
import type { RbdPair } from './rbd-pair.ts';
import { missingTools } from './real-ceph.ts';
import { PYTHON, runTool } from './run-tool.ts';

const missing = missingTools([...RBD_TOOLS, PYTHON]);
const REAL_PORT_BASE = 24_500;
const CHANGE = new URL('rbd-data/change.py', import.meta.url).pathname;
const MIB = 1 << 20;
const SEED = process.env['SEED'] ?? '31';

type Tool = keyof RbdPair;
/** Offset, length, and the byte that is there from then on; null: none. */
type Change = readonly [number, number, number | null];

/** Of what image, by whom it is prepared and executed, and who ends it how. */
const MIGRATIONS: readonly (readonly [string, Tool, string, Tool, Tool, 'commit' | 'abort'])[] = [
  ['whole', 'theirs', '--object-size 4M', 'ours', 'ours', 'commit'],
  ['child', 'ours', '--data-pool far', 'theirs', 'theirs', 'commit'],
  ['grandchild', 'ours', '--flatten', 'ours', 'theirs', 'commit'],
  ['child', 'theirs', '', 'theirs', 'ours', 'abort'],
  ['striped', 'ours', '--object-size 2M --stripe-unit 64K --stripe-count 2', 'ours', 'ours', 'abort'],
];

describe.skipIf(missing.length > 0).each([
  ['our cluster', startOurs()],
  ['a real cluster', startTheirs(REAL_PORT_BASE)],
])(`images that go elsewhere in %s (skipped without: ${missing.join(' ')})`, { concurrent: true }, (_, start) => {
  const dir = mkdtempSync(join(tmpdir(), 'rbd-migration-'));
  let images: BusyImages;
  let cluster: ImageCluster;
  let pair: RbdPair;
  let connection: ClusterConnection;
  let io: IoCtx;

  const run = async (tool: Tool, line: string) => await must(pair[tool](...line.split(' ').filter(Boolean)), line);
  const read = async (name: string, snapshot?: string) => {
    const image = await Image.open(connection.rados, io, name, snapshot);
    return Buffer.from(await image.read(0, image.size));
  };
  const readTheirs = async (name: string) =>
    Buffer.from((await run('theirs', `export images/${name} - --no-progress`)).stdout, 'latin1');
  const snapshotsOf = async (name: string) =>
    (await Image.open(connection.rados, io, name)).header.snapshots.map((snapshot) => snapshot.name);
  const apply = async (tool: Tool, name: string, changes: readonly Change[], bytes: Buffer) => {
    for (const [offset, length, byte] of changes) bytes.fill(byte ?? 0, offset, offset + length);
    if (tool === 'theirs') {
      const changing = runTool(PYTHON, ['-B', CHANGE, cluster.conf, name, JSON.stringify(changes)], {
        timeoutSeconds: 60,
      });
      await must(changing, CHANGE);
      return;
    }
    const image = await WritableImage.open(connection.rados, io, name, imageWorld);
    for (const [offset, length, byte] of changes) {
      if (byte === null) await image.discard(offset, length);
      else await image.write(offset, new Uint8Array(length).fill(byte));
    }
    await image.close();
  };

  beforeAll(async () => {
    images = await makeBusyImages(start, dir, SEED);
    ({ cluster, pair, connection, io } = images);
  }, 120_000);
  afterAll(async () => {
    await images?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  test.sequential.each(MIGRATIONS.map((each, i) => [i, ...each] as const))(
    '%i: %s, by %s %s, %s, %s %s',
    async (i, source, preparing, options, executing, ending, end) => {
      const [from, to] = [`from${i}`, `to${i}`];
      await run('theirs', `deep cp images/${source} images/${from} --no-progress`);
      const expected = new Map<string, Buffer>();
      for (const snapshot of await snapshotsOf(from)) expected.set(snapshot, await read(from, snapshot));
      const head = await read(from);
      const draw = random(i);
      // librbd leaves what a discard has of less than 64 KiB.
      const some = (tool: Tool) =>
        Array.from({ length: 8 }, (): Change => {
          const offset = draw(head.length);
          const [start, kind] = [offset - (offset % MIB), draw(4)];
          if (kind === 0 && start + MIB <= head.length) return [start, MIB, null];
          const length = Math.min(1 + draw(100_000), head.length - offset);
          return [offset, length, kind === 1 && tool === 'ours' ? null : 1 + draw(255)];
        });
      const change = (tool: Tool, name: string) => apply(tool, name, some(tool), head);
      const check = async (name: string) => {
        expect((await read(name)).equals(head)).toBe(true);
        for (const [snapshot, bytes] of expected)
          expect((await read(name, snapshot)).equals(bytes), snapshot).toBe(true);
      };
      const checkTheirs = async (name: string) => {
        expect((await readTheirs(name)).equals(head)).toBe(true);
        for (const [snapshot, bytes] of expected) {
          expect((await readTheirs(`${name}@${snapshot}`)).equals(bytes), snapshot).toBe(true);
        }
      };

      await run(preparing, `migration prepare images/${from} images/${to} ${options}`);
      await check(to);
      expect(await pair.ours('status', `images/${to}`)).toEqual(await pair.theirs('status', `images/${to}`));
      await change('ours', to);
      await check(to);
      await change('theirs', to);
      await check(to);
      expect((await readTheirs(to)).equals(head)).toBe(true);
      if (end === 'commit') {
        await run(i % 2 === 0 ? 'ours' : 'theirs', `snap create images/${to}@new --no-progress`);
        expected.set('new', Buffer.from(head));
        await change('ours', to);
        if (executing === 'theirs') await change('theirs', to);
        await check(to);
      }
      if (end === 'commit' || i % 2 === 0) {
        await run(executing, `migration execute images/${to} --no-progress`);
        await change('ours', to);
        await check(to);
      }
      await run(ending, `migration ${end} images/${to} --no-progress`);
      const name = end === 'commit' ? to : from;
      await check(name);
      await checkTheirs(name);
      // Maps of images that get snapshots while librbd copies their objects are wrong, in a real cluster as well.
      if (source !== 'plain' && (executing === 'ours' || end === 'abort')) {
        for (const snapshot of [undefined, ...expected.keys()]) {
          const spec = `images/${name}${snapshot === undefined ? '' : `@${snapshot}`}`;
          await run('theirs', `object-map check ${spec} --no-progress`);
          expect((await run('theirs', `info ${spec}`)).stdout, spec).toMatch(/^\tflags: $/m);
        }
      }
      const left = (await run('theirs', 'ls images')).stdout.split('\n').filter((each) => /^(from|to)\d/.test(each));
      expect(left.filter((each) => each.endsWith(String(i)))).toEqual([name]);
      expect((await run('theirs', 'trash ls --all images')).stdout).not.toContain(` ${from}\n`);
      for (const snapshot of expected.keys()) await pair.theirs('snap', 'unprotect', `images/${name}@${snapshot}`);
      await run('theirs', `snap purge images/${name} --no-progress`);
      await run('theirs', `rm images/${name} --no-progress`);
    },
    120_000,
  );
});

function random(seed: number): (below: number) => number {
  let state = (seed + 1) * 7919;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}
