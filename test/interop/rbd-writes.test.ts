/**
 * Images that our client writes beside librbd, in our cluster and in a real one: bytes are those of a model, in the image and in its
 * snapshots; object maps are right; the lock of an image goes back and forth, and comes from who died with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Errno, rawFromText } from '@spirula/encoding';
import type { IoCtx } from '@spirula/rados';
import { cloneImage, createImage, isUserSnapshot, removeImage, WritableImage } from '@spirula/rbd';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ClusterConnection, connectByConf } from '../../packages/cli/src/ceph/connect.ts';
import { imageWorld } from '../../packages/cli/src/rbd/image-world.ts';
import { type ImageCluster, makePools, must, RBD_TOOLS, realRbd, startOurs, startTheirs } from './rbd-clusters.ts';
import { missingTools } from './real-ceph.ts';
import { PYTHON, runTool } from './run-tool.ts';

const missing = missingTools([...RBD_TOOLS, 'python3']);
const REAL_PORT_BASE = 20_300;
const WRITER = new URL('rbd-tool/writer.py', import.meta.url).pathname;
const MIB = 1 << 20;
/** Seconds after which an OSD gives up a watcher; clients show themselves every five. */
const WATCH_TIMEOUT = '12';

const MAKE = [
  'create images/plain --size 20M',
  'create images/plain2 --size 9M --image-feature layering',
  'create images/striped --size 7M --stripe-unit 65536 --stripe-count 3 --object-size 1M',
  'create images/far --size 9M --data-pool far',
  'import FILE images/base --no-progress --object-size 1M',
  'snap create images/base@one --no-progress',
  'snap protect images/base@one',
  'clone images/base@one images/child --object-size 1M',
  'clone images/base@one images/mixed --object-size 512K --stripe-unit 16384 --stripe-count 2',
];

/** The same numbers for the same seed. */
class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }
}

describe.skipIf(missing.length > 0).each([
  ['our cluster', startOurs()],
  ['a real cluster', startTheirs(REAL_PORT_BASE)],
])(`images written in %s (skipped without: ${missing.join(' ')})`, { concurrent: true }, (_, start) => {
  const dir = mkdtempSync(join(tmpdir(), 'rbd-writes-'));
  let cluster: ImageCluster;
  let connection: ClusterConnection;
  let io: IoCtx;

  const rbd = (...args: string[]) => must(realRbd(cluster, ...args), args.join(' '));
  const exported = async (name: string) => {
    const path = join(dir, 'exported');
    rmSync(path, { force: true });
    await rbd('export', `images/${name}`, path, '--no-progress');
    return readFileSync(path);
  };
  const connect = () =>
    connectByConf({ dir, stdout: () => {}, stderr: () => {} }, new Map([['conf', cluster.conf]]), 60);
  const open = (name: string) => WritableImage.open(connection.rados, io, rawFromText(name), imageWorld);

  beforeAll(async () => {
    cluster = await start();
    await must(
      runTool('ceph', ['-c', cluster.conf, 'config', 'set', 'osd', 'osd_client_watch_timeout', WATCH_TIMEOUT]),
      'config',
    );
    await makePools(cluster);
    const file = join(dir, 'content');
    const draw = new Draw(7);
    writeFileSync(
      file,
      Uint8Array.from({ length: 5 * MIB + 4321 }, () => draw.below(256)),
    );
    for (const line of MAKE) await rbd(...line.split(' ').map((word) => (word === 'FILE' ? file : word)));
    connection = await connect();
    io = await connection.rados.ioctx('images');
  }, 180_000);
  afterAll(async () => {
    await connection?.close();
    await cluster?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  test.sequential.each(['plain', 'plain2', 'striped', 'far', 'child', 'mixed'])(
    '%s is what was written to it, and so are its snapshots, which librbd takes meanwhile',
    async (name) => {
      const draw = new Draw(name.length * 31 + name.charCodeAt(0));
      const image = await open(name);
      let model = Buffer.from(await exported(name));
      const snapshots = new Map<string, Buffer>();
      for (let i = 0; i < 48; i++) {
        const offset = draw.below(model.length);
        const length = Math.min(draw.below(draw.below(3) === 0 ? 2 * MIB : 40_000) + 1, model.length - offset);
        const kind = draw.below(10);
        if (i % 16 === 15) {
          const snap = `s${i}`;
          // Taken by either.
          if (i % 32 === 15) await rbd('snap', 'create', `images/${name}@${snap}`, '--no-progress');
          else await image.createSnapshot(rawFromText(snap));
          snapshots.set(snap, Buffer.from(model));
        } else if (kind < 6) {
          const data = Buffer.alloc(length, 1 + draw.below(255));
          await image.write(offset, data);
          data.copy(model, offset);
        } else if (kind < 9) {
          await image.discard(offset, length);
          model.fill(0, offset, offset + length);
        } else {
          const size = Math.max(MIB, model.length + draw.below(3 * MIB) - Math.floor(1.5 * MIB));
          await image.resize(size);
          model = Buffer.concat([model.subarray(0, size), Buffer.alloc(Math.max(0, size - model.length))]);
        }
      }
      expect(Buffer.compare(Buffer.from(await image.read(0, image.size)), model)).toBe(0);
      await image.rollBack(rawFromText('s31'));
      model = Buffer.from(snapshots.get('s31')!);
      await image.write(MIB / 2, Buffer.alloc(100_000, 5));
      model.fill(5, MIB / 2, MIB / 2 + 100_000);
      await image.removeSnapshot(rawFromText('s15'));
      snapshots.delete('s15');
      await image.close();

      const looksRight = async (when: string) => {
        expect(Buffer.compare(await exported(name), model), `${name} ${when}`).toBe(0);
        for (const [snap, bytes] of snapshots) {
          expect(Buffer.compare(await exported(`${name}@${snap}`), bytes), `${name}@${snap} ${when}`).toBe(0);
        }
      };
      await looksRight('as it was left');
      if (name !== 'plain2') {
        for (const each of [name, ...[...snapshots.keys()].map((snap) => `${name}@${snap}`)]) {
          const { stderr } = await rbd('object-map', 'check', `images/${each}`);
          expect(stderr, each).toMatch(/done\.\s*$/);
        }
        expect((await rbd('info', `images/${name}`)).stdout).toMatch(/^\tflags: $/m);
      }
      if (name === 'child' || name === 'mixed') {
        // By either.
        if (name === 'child') await rbd('flatten', `images/${name}`, '--no-progress');
        else {
          const clone = await open(name);
          await clone.flatten();
          await clone.close();
          const { stderr } = await rbd('object-map', 'check', `images/${name}`);
          expect(stderr).toMatch(/done\.\s*$/);
        }
        await looksRight('without its parent');
        expect((await rbd('info', `images/${name}`)).stdout).not.toContain('parent');
      }
    },
    180_000,
  );

  test.sequential('images that ours makes and removes are made and gone for librbd', async () => {
    const world = imageWorld;
    await createImage(io, 'mine', { size: 9 * MIB, order: 20, stripes: { unit: 4096, count: 2 } }, world);
    const mine = await open('mine');
    await mine.write(MIB, Buffer.alloc(2 * MIB, 6));
    await mine.createSnapshot('snap');
    await mine.protectSnapshot('snap');
    await expect(mine.removeSnapshot('snap')).rejects.toMatchObject({ code: Errno.EBUSY });
    await rbd('clone', 'images/mine@snap', 'images/clone', '--rbd-default-clone-format', '1');
    await expect(mine.unprotectSnapshot('snap')).rejects.toMatchObject({ code: Errno.EBUSY });
    expect((await exported('clone'))[MIB]).toBe(6);
    await removeImage(connection.rados, io, 'clone', world);
    await mine.unprotectSnapshot('snap');
    const from = { io, name: 'mine', snapshot: 'snap' };
    const to = { io, name: 'clone' };
    await expect(cloneImage(connection.rados, from, to, { format: 1 }, world)).rejects.toMatchObject({
      code: Errno.EINVAL,
    });
    await cloneImage(connection.rados, from, to, { format: 2, order: 16 }, world);
    expect((await rbd('children', 'images/mine@snap')).stdout).toBe('images/clone\n');
    const clone = await open('clone');
    await clone.write(MIB + 1, Buffer.alloc(10, 9));
    await clone.close();
    expect([...(await exported('clone')).subarray(MIB - 1, MIB + 3)]).toEqual([0, 6, 9, 9]);
    // It stays for the clone, unseen, and goes with it.
    await mine.removeSnapshot('snap');
    expect(mine.header.snapshots.filter(isUserSnapshot)).toEqual([]);
    await removeImage(connection.rados, io, 'clone', world);
    await expect(removeImage(connection.rados, io, 'mine', world)).rejects.toMatchObject({ code: Errno.EBUSY });
    await mine.close();
    await removeImage(connection.rados, io, 'mine', world);
    expect((await rbd('ls', 'images')).stdout).not.toMatch(/^(mine|clone)$/m);
    expect((await must(runTool('rados', ['-c', cluster.conf, '-p', 'images', 'ls']), 'ls')).stdout).not.toContain(
      mine.header.id,
    );
    await rbd('create', 'images/mine', '--size', '1M');
    await rbd('rm', 'images/mine', '--no-progress');
  }, 60_000);

  test.sequential('the lock of an image goes back and forth between librbd and our client', async () => {
    await rbd('create', 'images/shared', '--size', '4M');
    const theirs = new Librbd(cluster.conf, 'shared');
    const ours = await open('shared');
    try {
      expect(await theirs.next()).toBe('open');
      for (let i = 1; i <= 3; i++) {
        expect(await theirs.ask(`write 0 4096 ${i}`)).toBe('written');
        await ours.write(4096, Buffer.alloc(4096, 100 + i));
        expect(await theirs.ask(`read 4096 1`)).toBe((100 + i).toString(16));
        expect([...(await ours.read(0, 1))]).toEqual([i]);
      }
      await ours.resize(6 * MIB);
      expect(await theirs.ask('size')).toBe(String(6 * MIB));
      expect(await theirs.ask('snap meanwhile')).toBe('taken');
      await ours.write(0, Buffer.alloc(4096, 77));
      expect((await exported('shared@meanwhile'))[0]).toBe(3);
      expect((await exported('shared'))[0]).toBe(77);
    } finally {
      await ours.close();
      theirs.end();
    }
  }, 120_000);

  test.sequential('who dies with the lock loses it', async () => {
    await rbd('create', 'images/left', '--size', '4M');
    const theirs = new Librbd(cluster.conf, 'left');
    expect(await theirs.next()).toBe('open');
    expect(await theirs.ask('write 0 4096 1')).toBe('written');
    theirs.kill();
    const ours = await open('left');
    await ours.write(8192, Buffer.alloc(4096, 2));
    await ours.close();
    expect((await exported('left'))[8192]).toBe(2);

    const another = await connect();
    const dying = await WritableImage.open(another.rados, await another.rados.ioctx('images'), 'left', imageWorld);
    await dying.write(0, Buffer.alloc(4096, 3));
    await another.close();
    const next = new Librbd(cluster.conf, 'left');
    expect(await next.next()).toBe('open');
    expect(await next.ask('write 4096 4096 4')).toBe('written');
    next.end();
    const bytes = await exported('left');
    expect([bytes[0], bytes[4096], bytes[8192]]).toEqual([3, 4, 2]);
  }, 180_000);
});

/** A process that has an image open by librbd. */
class Librbd {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting: ((line: string) => void)[] = [];

  constructor(conf: string, image: string) {
    this.#child = spawn(PYTHON, ['-B', WRITER, conf, 'images', image], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface(this.#child.stdout!).on('line', (line) => {
      const waiting = this.#waiting.shift();
      if (waiting) waiting(line);
      else this.#lines.push(line);
    });
  }

  next(): Promise<string> {
    const line = this.#lines.shift();
    if (line !== undefined) return Promise.resolve(line);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  ask(line: string): Promise<string> {
    this.#child.stdin!.write(`${line}\n`);
    return this.next();
  }

  end(): void {
    this.#child.stdin!.end();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
