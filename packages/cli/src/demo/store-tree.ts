import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { FIRST_POOL } from '../cluster/bootstrap.ts';
import { connectClient } from '../cluster/cluster-client.ts';
import { OSD_DEVICE_BYTES } from '../cluster/daemon-factory.ts';
import { serveCluster } from '../cluster/serve.ts';
import type { PoolConnection } from '../library-types.ts';
import { digestReplicas } from './replica-digests.ts';

export interface DemoReport {
  readonly files: number;
  readonly bytes: number;
  readonly kills: number;
  readonly replicas: number;
  readonly storeSeconds: number;
  readonly readSeconds: number;
  /** From the start of the last OSD to all PGs active+clean. */
  readonly healSeconds: number;
  /** One sentence each; empty when all is well. */
  readonly problems: readonly string[];
}

export interface DemoSettings {
  readonly dir: string;
  /** Every regular file below it becomes an object, named by its path. */
  readonly tree: string;
  readonly onEvent?: (text: string) => void;
  readonly onProgress?: (stage: string, done: number, total: number) => void;
}

const IN_FLIGHT = 16;
const PIECE = 4 << 20;
const HEAL_TIMEOUT_SECONDS = 300;

/**
 * Stores a directory tree in a cluster of processes while one OSD after another is killed (SIGKILL) and started again.
 * Then reads every object back and compares its SHA-256, waits for all PGs to be active+clean, stops the cluster and
 * compares every replica of every object as the OSDs' own stores have it.
 */
export async function storeTreeUnderFire(settings: DemoSettings): Promise<DemoReport> {
  const { dir, tree, onEvent = () => {}, onProgress = () => {} } = settings;
  const files = [...regularFiles(tree)];
  const problems: string[] = [];
  const digests = new Map<string, string>();
  let bytes = 0;

  const served = await serveCluster({ dir, processes: true, portBase: 0 });
  let storeSeconds = 0;
  let readSeconds = 0;
  let healSeconds = 0;
  let kills = 0;
  try {
    await served.supervisor.waitForHealth(HEAL_TIMEOUT_SECONDS);
    const client = await connectClient(served.supervisor.confPath);
    try {
      const pool = await client.pool(FIRST_POOL);
      const events = failureSchedule(files.length, served.supervisor.cluster.osds.length);
      let healing = 0;
      const storing = Date.now();
      await inParallel(files, 'storing', onProgress, async (file, index) => {
        const event = events.get(index);
        if (event) {
          onEvent(
            `${event.act === 'kill' ? 'SIGKILL' : 'start'} osd.${event.osd}, ${index} of ${files.length} files sent`,
          );
          if (event.act === 'kill') {
            kills += 1;
            await served.supervisor.kill(`osd.${event.osd}`);
          } else {
            await served.supervisor.start(`osd.${event.osd}`);
            healing = Date.now();
          }
        }
        const data = await readFile(file);
        bytes += data.length;
        digests.set(file, sha256(data));
        await store(pool, relative(tree, file), data);
      });
      storeSeconds = (Date.now() - storing) / 1000;
      onEvent('All files are acknowledged; waiting for every PG to be active+clean.');
      await served.supervisor.waitForHealth(HEAL_TIMEOUT_SECONDS);
      healSeconds = (Date.now() - healing) / 1000;
      const reading = Date.now();
      await inParallel(files, 'reading', onProgress, async (file) => {
        const problem = await compare(pool, relative(tree, file), digests.get(file)!);
        if (problem) problems.push(problem);
      });
      readSeconds = (Date.now() - reading) / 1000;
    } finally {
      await client.close();
    }
  } finally {
    await served.stop();
  }

  onEvent('The cluster is stopped; comparing the replicas on the disks.');
  const expected = Math.min(3, served.supervisor.cluster.osds.length);
  const replicas = await compareReplicas(
    dir,
    served.supervisor.cluster.osds.map((osd) => osd.id),
    files.map((file) => relative(tree, file)),
    expected,
    problems,
  );
  return { files: files.length, bytes, kills, replicas, storeSeconds, readSeconds, healSeconds, problems };
}

function* regularFiles(folder: string): Generator<string> {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* regularFiles(path);
    else if (entry.isFile()) yield path;
  }
}

interface FailureEvent {
  readonly act: 'kill' | 'start';
  readonly osd: number;
}

/** Two OSDs, one after the other, die and come back at fixed fractions of the way. */
function failureSchedule(files: number, osds: number): Map<number, FailureEvent> {
  const at = (fraction: number) => Math.floor(files * fraction);
  if (osds < 3) return new Map();
  return new Map<number, FailureEvent>([
    [at(0.15), { act: 'kill', osd: 1 }],
    [at(0.4), { act: 'start', osd: 1 }],
    [at(0.6), { act: 'kill', osd: 2 }],
    [at(0.85), { act: 'start', osd: 2 }],
  ]);
}

async function inParallel(
  files: readonly string[],
  stage: string,
  onProgress: NonNullable<DemoSettings['onProgress']>,
  work: (file: string, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let done = 0;
  const worker = async () => {
    while (next < files.length) {
      const index = next++;
      await work(files[index]!, index);
      done += 1;
      onProgress(stage, done, files.length);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

/** Writes an object as `rados put` does: piece by piece, so that no request exceeds osd_max_write_size. */
async function store(pool: PoolConnection, name: string, data: Uint8Array): Promise<void> {
  await pool.writeFull(name, data.subarray(0, PIECE));
  for (let at = PIECE; at < data.length; at += PIECE) await pool.write(name, data.subarray(at, at + PIECE), at);
}

async function compare(pool: PoolConnection, name: string, expected: string): Promise<string | undefined> {
  try {
    const found = sha256(await pool.read(name));
    return found === expected ? undefined : `${name}: SHA-256 is ${found}, written was ${expected}`;
  } catch (error) {
    return `${name}: cannot be read (${(error as Error).message})`;
  }
}

/** Returns how many replicas were compared. */
async function compareReplicas(
  dir: string,
  osds: readonly number[],
  names: readonly string[],
  expected: number,
  problems: string[],
): Promise<number> {
  const stores: { readonly osd: number; readonly digests: ReadonlyMap<string, string> }[] = [];
  for (const osd of osds) {
    stores.push({ osd, digests: await digestReplicas(join(dir, `osd.${osd}`), `osd.${osd}`, OSD_DEVICE_BYTES) });
  }
  let replicas = 0;
  for (const name of names) {
    const copies = stores.flatMap(({ osd, digests }) => {
      const digest = digests.get(name);
      return digest === undefined ? [] : [{ osd, digest }];
    });
    replicas += copies.length;
    if (copies.length !== expected) {
      const on = copies.map((each) => `osd.${each.osd}`).join(' ');
      problems.push(`${name}: ${copies.length} replicas instead of ${expected} (on ${on})`);
    } else if (new Set(copies.map((each) => each.digest)).size > 1) {
      problems.push(`${name}: its replicas differ`);
    }
  }
  return replicas;
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
