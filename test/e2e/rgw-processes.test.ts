/**
 * Objects while processes of gateways and OSDs die by SIGKILL: no half object is ever seen, nothing acknowledged is lost, and what is listed
 * is what there is.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';

const run = promisify(execFile);
const SPIRULA = fileURLToPath(new URL('../../packages/cli/bin/spirula.mjs', import.meta.url));
const PORT_BASE = 21_200;
const Bucket = 'kept';
const KEYS = 12;
const MIB = 1 << 20;
const WORK_MS = 25_000;
const NOTHING = 'nothing';

const dir = mkdtempSync(join(tmpdir(), 'spirula-rgw-processes-'));
const spirula = (...args: string[]) =>
  run(process.execPath, [SPIRULA, ...args, '--dir', join(dir, 'cluster')], { timeout: 180_000 });
let clients: S3Client[] = [];

beforeAll(async () => {
  const size = ['--mons', '1', '--osds', '3', '--rgws', '2', '--processes', '--port-base', String(PORT_BASE)];
  const { stdout } = await spirula('up', '--detach', ...size);
  const endpoints = [...stdout.matchAll(/http:\/\/127\.0\.0\.1:\d+/g)].map(([endpoint]) => endpoint);
  const credentials = readFileSync(join(dir, 'cluster', 'aws-credentials'), 'utf8');
  const read = (name: string) => new RegExp(`${name} = (\\S+)`).exec(credentials)![1]!;
  const keys = { accessKeyId: read('aws_access_key_id'), secretAccessKey: read('aws_secret_access_key') };
  clients = [...new Set(endpoints)].map(
    (endpoint) =>
      new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: keys, maxAttempts: 1 }),
  );
  expect(clients).toHaveLength(2);
  await clients[0]!.send(new CreateBucketCommand({ Bucket }));
}, 240_000);
afterAll(async () => {
  for (const client of clients) client.destroy();
  await spirula('down').catch(() => undefined);
  rmSync(dir, { recursive: true, force: true });
}, 60_000);

const nameOf = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');

/** What a key may hold: what was acknowledged last, and what nobody knows of since. */
class Key {
  readonly #possible = new Set([NOTHING]);

  async change(content: string, work: () => Promise<unknown>): Promise<boolean> {
    this.#possible.add(content);
    const isDone = await work().then(
      () => true,
      () => false,
    );
    if (!isDone) return false;
    this.#possible.clear();
    this.#possible.add(content);
    return true;
  }

  allows(content: string): boolean {
    return this.#possible.has(content);
  }
}

test('what is acknowledged is there whole, whoever is killed', async () => {
  const keys = new Map(Array.from({ length: KEYS }, (_, i) => [`key-${i}`, new Key()]));
  const end = Date.now() + WORK_MS;
  const done = { put: 0, upload: 0, remove: 0, read: 0, failed: 0 };

  const put = (client: S3Client, name: string, key: Key, body: Buffer) =>
    key.change(nameOf(body), () => client.send(new PutObjectCommand({ Bucket, Key: name, Body: body })));
  const upload = (client: S3Client, name: string, key: Key, body: Buffer) =>
    key.change(nameOf(body), async () => {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: name }));
      const Parts = [];
      for (const [i, Body] of [body.subarray(0, 5 * MIB), body.subarray(5 * MIB)].entries()) {
        const part = { Bucket, Key: name, UploadId, PartNumber: i + 1, Body };
        const { ETag, ChecksumCRC32 } = await client.send(new UploadPartCommand(part));
        Parts.push({ PartNumber: i + 1, ETag, ChecksumCRC32 });
      }
      const complete = { Bucket, Key: name, UploadId, MultipartUpload: { Parts } };
      await client.send(new CompleteMultipartUploadCommand(complete));
    });
  const remove = (client: S3Client, name: string, key: Key) =>
    key.change(NOTHING, () => client.send(new DeleteObjectCommand({ Bucket, Key: name })));
  const contentOf = async (client: S3Client, name: string) => {
    try {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: name }));
      return nameOf(await Body!.transformToByteArray());
    } catch (error) {
      if ((error as Error).name === 'NoSuchKey') return NOTHING;
      throw error;
    }
  };

  /** The only one who changes its keys. */
  const worker = async (own: readonly string[], seed: number) => {
    for (let i = seed; Date.now() < end; i++) {
      const client = clients[i % clients.length]!;
      const name = own[i % own.length]!;
      const key = keys.get(name)!;
      const kind = (['put', 'read', 'upload', 'put', 'remove'] as const)[(i * 7) % 5]!;
      const body = Buffer.alloc(kind === 'upload' ? 6 * MIB : (i % 3) * 3 * MIB + 100, `${name} ${i} `);
      if (kind === 'read') {
        const content = await contentOf(client, name).catch(() => undefined);
        if (content === undefined) done.failed += 1;
        else expect(key.allows(content), `${name}, read amid it`).toBe(true);
        done.read += 1;
        continue;
      }
      const isDone =
        kind === 'put'
          ? await put(client, name, key, body)
          : kind === 'upload'
            ? await upload(client, name, key, body)
            : await remove(client, name, key);
      done[isDone ? kind : 'failed'] += 1;
      if (!isDone) await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };
  const names = [...keys.keys()];
  const strike = async () => {
    for (const daemon of ['rgw.a', 'osd.1', 'rgw.b', 'rgw.a', 'osd.2', 'rgw.b']) {
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await spirula('kill', daemon);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await spirula('start', daemon);
    }
  };
  await Promise.all([strike(), ...[0, 1, 2, 3].map((n) => worker(names.slice(3 * n, 3 * n + 3), 100 * n))]);

  for (const client of clients) {
    const found: string[] = [];
    for (const [name, key] of keys) {
      const content = await contentOf(client, name);
      expect(key.allows(content), name).toBe(true);
      if (content !== NOTHING) found.push(name);
    }
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents.map(({ Key }) => Key)).toEqual(found.sort());
  }
  expect(Math.min(done.put, done.upload, done.remove, done.read), JSON.stringify(done)).toBeGreaterThan(3);
  expect(done.failed, JSON.stringify(done)).toBeGreaterThan(0);
}, 240_000);
