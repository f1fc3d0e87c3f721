/**
 * Storage classes on one cluster of ours, with Debian's unmodified `radosgw` beside our gateway: what one stores in a class, or moves
 * there, the other reads. The classes are made as docs/storage-classes.md says.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { type RunningS3Cluster, startCluster } from '@spirula/cli';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { radosgwAdmin } from '../../packages/cli/src/radosgw-admin.ts';
import { missingTools } from './real-ceph.ts';
import { runOwn } from './run-own.ts';
import { runTool } from './run-tool.ts';
import { s3Of } from './s3-of.ts';

const missing = missingTools(['ceph', 'rados', 'radosgw', 'radosgw-admin']);
const PORT = 26_084;
const GATEWAY = 'client.rgw.real';
const MIB = 1 << 20;
const PAGE = readFileSync(new URL('../../docs/storage-classes.md', import.meta.url), 'utf8');
/** As the page has it. */
const COLD_POOL = 'default.rgw.cold.data';
const STANDARD_POOL = 'default.rgw.buckets.data';
/** A day of lifecycle rules. */
const DAY_SECONDS = 2;
const Enabled = 'Enabled' as const;
/** The SDK knows AWS's names only. */
const COLD = 'COLD' as 'GLACIER';

describe.skipIf(missing.length > 0)(`storage classes (skipped without: ${missing.join(' ')})`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'classes-'));
  const keyring = join(dir, 'keyring');
  let cluster: RunningS3Cluster;
  let gateway: ChildProcess;
  let ours: S3Client;
  let theirs: S3Client;
  let made = 0;

  const theirTool = async (...args: string[]) =>
    await runTool('radosgw-admin', ['-c', cluster.cephConf, '-n', GATEWAY, '-k', keyring, ...args], {
      timeoutSeconds: 120,
    });
  const ourTool = async (...args: string[]) => await runOwn(radosgwAdmin, ['-c', cluster.cephConf, ...args]);
  const oids = async (pool: string) =>
    (await runTool('rados', ['-c', cluster.cephConf, '-p', pool, 'ls'])).stdout.split('\n').filter((oid) => oid !== '');

  beforeAll(async () => {
    cluster = await startCluster({
      osds: 3,
      store: 'memory',
      rgw: true,
      config: { rgw_lc_debug_interval: DAY_SECONDS, rgw_gc_obj_min_wait: 1, rgw_crypt_require_ssl: false },
    });
    const caps = ['mon', 'allow rw', 'osd', 'allow rwx', 'mgr', 'allow rw'];
    await runTool('ceph', ['-c', cluster.cephConf, 'auth', 'get-or-create', GATEWAY, ...caps, '-o', keyring]);
    await followPage();
    const target = ['--placement-id', 'default-placement', '--storage-class'];
    for (const [name, compression] of [
      ['ZIPPED', 'zlib'],
      ['SNAPPED', 'snappy'],
    ] as const) {
      expect(await theirTool('zonegroup', 'placement', 'add', ...target, name)).toMatchObject({ status: 0 });
      const pool = ['--data-pool', `default.rgw.${name.toLowerCase()}`, '--compression', compression];
      expect(await theirTool('zone', 'placement', 'add', ...target, name, ...pool)).toMatchObject({ status: 0 });
    }
    await cluster.kill('rgw.a');
    await cluster.start('rgw.a');
    gateway = spawn(
      'radosgw',
      [
        ...['-c', cluster.cephConf, '-n', GATEWAY, '-k', keyring, '--rgw-data', dir, '--run-dir', dir],
        ...['--rgw-frontends', `beast endpoint=127.0.0.1:${PORT}`, '--log-file', join(dir, 'log'), '-f'],
        // Rounds are ours, or of radosgw-admin.
        ...['--rgw_enable_lc_threads=false', '--rgw_enable_gc_threads=false', '--rgw_crypt_require_ssl=false'],
      ],
      { stdio: 'ignore' },
    );
    await vi.waitFor(() => fetch(`http://127.0.0.1:${PORT}/`), { timeout: 120_000, interval: 500 });
    const { endpoint, accessKeyId, secretAccessKey } = cluster.s3;
    const key = { accessKey: accessKeyId, secret: secretAccessKey };
    ours = s3Of(endpoint, key);
    theirs = s3Of(`http://127.0.0.1:${PORT}`, key);
  }, 300_000);
  afterAll(async () => {
    ours?.destroy();
    theirs?.destroy();
    gateway?.kill('SIGKILL');
    await cluster?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Runs the first commands of the page, on this cluster. */
  async function followPage(): Promise<void> {
    const [, block = ''] = /```sh\n(.*?)```/s.exec(PAGE) ?? [];
    const lines = block.trim().split('\n');
    expect(lines).toHaveLength(4);
    for (const line of lines) {
      const [, command = '', ...args] = line.split(' ');
      if (command === 'kill') await cluster.kill(args[0]!);
      else if (command === 'start') await cluster.start(args[0]!);
      else expect([command, await ourTool(...args)]).toMatchObject(['radosgw-admin', { status: 0 }]);
    }
  }

  async function newBucket(by: S3Client): Promise<string> {
    const Bucket = `classes-${made++}`;
    await by.send(new CreateBucketCommand({ Bucket }));
    return Bucket;
  }

  async function get(by: S3Client, Bucket: string, Key: string, more = {}): Promise<Buffer> {
    const { Body } = await by.send(new GetObjectCommand({ Bucket, Key, ...more }));
    return Buffer.from(await Body!.transformToByteArray());
  }

  async function uploadParts(
    by: S3Client,
    Bucket: string,
    Key: string,
    parts: readonly Buffer[],
    more = {},
    each = {},
  ) {
    const { UploadId } = await by.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }));
    const Parts = [];
    for (const [i, Body] of parts.entries()) {
      const PartNumber = i + 1;
      const { ETag } = await by.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ...each }));
      Parts.push({ ETag, PartNumber });
    }
    const listed = await by.send(new ListPartsCommand({ Bucket, Key, UploadId }));
    await by.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
    return listed;
  }

  const classOf = async (by: S3Client, Bucket: string, Key: string, more = {}) =>
    (await by.send(new HeadObjectCommand({ Bucket, Key, ...more }))).StorageClass;
  const listed = async (by: S3Client, Bucket: string) =>
    (await by.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key, Size, StorageClass }) => [
      Key,
      Size,
      StorageClass,
    ]);

  /** Each way: who writes, who reads. */
  const ways = [
    ['ours writes, theirs reads', () => [ours, theirs] as const],
    ['theirs writes, ours reads', () => [theirs, ours] as const],
  ] as const;

  test('placements are listed as by radosgw-admin, and commands say the same', async () => {
    const target = ['--placement-id', 'default-placement'];
    for (const words of [
      ['zonegroup', 'placement', 'list'],
      ['zone', 'placement', 'list'],
      ['zone', 'get'],
      ['zone', 'placement', 'add', ...target, '--storage-class', 'NOPE', '--data-pool', 'p'],
      ['zone', 'placement', 'add', '--placement-id', 'nope', '--data-pool', 'p'],
      ['zone', 'placement', 'add', ...target, '--compression', 'brotli'],
      ['zonegroup', 'placement', 'default', '--placement-id', 'nope'],
      ['zonegroup', 'placement', 'add'],
      ['zonegroup', 'placement', 'add', '--placement-id', 'second', '--storage-class', 'X', '--tags', 'b,a'],
      ['zone', 'placement', 'add', '--placement-id', 'second', '--storage-class', 'X', '--data-pool', 'x'],
      ['zonegroup', 'placement', 'modify', '--placement-id', 'second', '--tags-rm', 'a', '--tags-add', 'c'],
      ['zonegroup', 'placement', 'rm', '--placement-id', 'second'],
      ['period', 'update', '--commit'],
    ]) {
      const their = await theirTool(...words);
      expect([words, await ourTool(...words)]).toEqual([words, their]);
    }
  }, 240_000);

  describe.each(ways)('%s', (_, pick) => {
    test('objects of a class: data in its pool, the head without any', async () => {
      const [writer, reader] = pick();
      const Bucket = await newBucket(writer);
      const StorageClass = COLD;
      const bodies = new Map([
        ['empty', Buffer.alloc(0)],
        ['small', randomBytes(1000)],
        ['big', randomBytes(9 * MIB + 5)],
      ]);
      for (const [Key, Body] of bodies) {
        await writer.send(new PutObjectCommand({ Bucket, Key, Body, StorageClass, Metadata: { color: 'red' } }));
      }
      const parts = [randomBytes(5 * MIB + 1), randomBytes(7)];
      await uploadParts(writer, Bucket, 'parts', parts, { StorageClass });
      bodies.set('parts', Buffer.concat(parts));
      await writer.send(new PutObjectCommand({ Bucket, Key: 'standard', Body: 'here' }));

      for (const [Key, body] of bodies) {
        expect([Key, await classOf(reader, Bucket, Key)]).toEqual([Key, StorageClass]);
        expect([Key, (await get(reader, Bucket, Key)).equals(body)]).toEqual([Key, true]);
        if (body.length === 0) continue;
        const middle = Math.floor(body.length / 2);
        const Range = `bytes=${middle - 3}-${middle + 2}`;
        expect(await get(reader, Bucket, Key, { Range })).toEqual(body.subarray(middle - 3, middle + 3));
        const head = (await oids(STANDARD_POOL)).find((oid) => oid.endsWith(`_${Key}`) && !oid.includes('__'))!;
        const { stdout } = await runTool('rados', ['-c', cluster.cephConf, '-p', STANDARD_POOL, 'stat', head]);
        expect(stdout).toMatch(/size 0\s*$/);
      }
      expect(await listed(reader, Bucket)).toEqual([
        ...['big', 'empty', 'parts', 'small'].map((Key) => [Key, bodies.get(Key)!.length, 'COLD']),
        ['standard', 4, 'STANDARD'],
      ]);
      const before = (await oids(COLD_POOL)).length;
      expect(before).toBeGreaterThanOrEqual(1 + 3 + 3);
      for (const Key of bodies.keys()) await reader.send(new DeleteObjectCommand({ Bucket, Key }));
    }, 120_000);

    test('copies between classes', async () => {
      const [writer, reader] = pick();
      const Bucket = await newBucket(writer);
      const body = randomBytes(5 * MIB);
      const CopySource = `${Bucket}/a`;
      await writer.send(new PutObjectCommand({ Bucket, Key: 'a', Body: body }));
      const copy = (Key: string, more = {}) => reader.send(new CopyObjectCommand({ Bucket, Key, CopySource, ...more }));
      await expect(copy('a')).rejects.toMatchObject({ name: 'InvalidRequest' });
      await copy('a', { StorageClass: COLD });
      await expect(copy('a', { StorageClass: COLD })).rejects.toMatchObject({ name: 'InvalidRequest' });
      await copy('b', { StorageClass: COLD });
      await copy('c', { StorageClass: 'STANDARD' });
      for (const by of [writer, reader]) {
        for (const [Key, StorageClass] of [
          ['a', 'COLD'],
          ['b', 'COLD'],
          ['c', 'STANDARD'],
        ] as const) {
          expect([Key, await classOf(by, Bucket, Key)]).toEqual([Key, StorageClass]);
          expect((await get(by, Bucket, Key)).equals(body)).toBe(true);
        }
      }
      await writer.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
      await reader.send(new DeleteObjectCommand({ Bucket, Key: 'c' }));
      await collect();
      expect((await get(reader, Bucket, 'b')).equals(body)).toBe(true);
    }, 120_000);
  });

  /** Both their queues, and our entries. */
  async function collect(): Promise<void> {
    expect(await theirTool('gc', 'process', '--include-all')).toMatchObject({ status: 0 });
    expect(await ourTool('gc', 'process', '--include-all')).toMatchObject({ status: 0 });
  }

  test('data that a copy of radosgw shares stay when the original goes, and go with the copy', async () => {
    const Bucket = await newBucket(ours);
    const body = randomBytes(9 * MIB);
    await ours.send(new PutObjectCommand({ Bucket, Key: 'a', Body: body }));
    await theirs.send(new CopyObjectCommand({ Bucket, Key: 'b', CopySource: `${Bucket}/a` }));
    await ours.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    await collect();
    for (const by of [ours, theirs]) expect((await get(by, Bucket, 'b')).equals(body)).toBe(true);

    await ours.send(new DeleteObjectCommand({ Bucket, Key: 'b' }));
    await collect();
    const { stdout } = await theirTool('bucket', 'stats', '--bucket', Bucket);
    const { marker } = JSON.parse(stdout) as { marker: string };
    expect((await oids(STANDARD_POOL)).filter((oid) => oid.startsWith(`${marker}_`))).toEqual([]);
  }, 120_000);

  test('a class that is not there is refused; parts and forms know theirs', async () => {
    const Bucket = await newBucket(ours);
    const StorageClass = 'NOPE' as 'GLACIER';
    const refused = { name: 'InvalidStorageClass', $metadata: { httpStatusCode: 400 } };
    await expect(ours.send(new PutObjectCommand({ Bucket, Key: 'a', StorageClass }))).rejects.toMatchObject(refused);
    const upload = new CreateMultipartUploadCommand({ Bucket, Key: 'a', StorageClass });
    await expect(ours.send(upload)).rejects.toMatchObject(refused);
    const parts = await uploadParts(ours, Bucket, 'a', [randomBytes(10)], { StorageClass: 'COLD' });
    expect(parts).toMatchObject({ StorageClass: 'COLD' });
    const location = { CreateBucketConfiguration: { LocationConstraint: ':nope' as 'EU' } };
    await expect(ours.send(new CreateBucketCommand({ Bucket: 'elsewhere', ...location }))).rejects.toMatchObject({
      name: 'InvalidLocationConstraint',
    });
  });

  test('what radosgw has compressed with zlib is read, all and in part; by snappy it is refused', async () => {
    const Bucket = await newBucket(theirs);
    const body = Buffer.from('compressible '.repeat(MIB));
    const StorageClass = 'ZIPPED' as 'GLACIER';
    await theirs.send(new PutObjectCommand({ Bucket, Key: 'z', Body: body, StorageClass }));
    const part = body.subarray(0, 5 * MIB + 3);
    await uploadParts(theirs, Bucket, 'parts', [part, part], { StorageClass });

    expect(await listed(ours, Bucket)).toEqual([
      ['parts', 2 * part.length, 'ZIPPED'],
      ['z', body.length, 'ZIPPED'],
    ]);
    expect((await get(ours, Bucket, 'z')).equals(body)).toBe(true);
    for (const [from, to] of [
      [0, 0],
      [4 * MIB - 5, 4 * MIB + 5],
      [body.length - 7, body.length - 1],
    ] as const) {
      const Range = `bytes=${from}-${to}`;
      expect(await get(ours, Bucket, 'z', { Range })).toEqual(body.subarray(from, to + 1));
    }
    expect((await get(ours, Bucket, 'parts')).equals(Buffer.concat([part, part]))).toBe(true);
    expect((await get(ours, Bucket, 'parts', { PartNumber: 2 })).equals(part)).toBe(true);
    await ours.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/z` }));
    expect((await get(theirs, Bucket, 'copy')).equals(body)).toBe(true);

    const SNAPPED = 'SNAPPED' as 'GLACIER';
    await theirs.send(new PutObjectCommand({ Bucket, Key: 's', Body: body, StorageClass: SNAPPED }));
    await expect(get(ours, Bucket, 's')).rejects.toMatchObject({ $metadata: { httpStatusCode: 501 } });
    expect(await ours.send(new HeadObjectCommand({ Bucket, Key: 's' }))).toMatchObject({ ContentLength: body.length });
  }, 120_000);

  /** As the gateways' rounds, or without ours those of radosgw-admin. */
  const movers = ['our gateway', 'radosgw-admin'] as const;

  describe.each(movers)('transitions by %s', (mover) => {
    /** Of the bucket, until `isDone`. */
    async function move(Bucket: string, rules: readonly object[], isDone: () => Promise<boolean>): Promise<void> {
      const Rules = rules.map((rule, i) => ({ ID: `r${i}`, Status: Enabled, Filter: { Prefix: '' }, ...rule }));
      if (mover === 'radosgw-admin') await cluster.kill('rgw.a');
      const by = mover === 'radosgw-admin' ? theirs : ours;
      await by.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
      if (mover === 'radosgw-admin') {
        await new Promise((resolve) => setTimeout(resolve, 3 * DAY_SECONDS * 1000));
        expect(await theirTool('lc', 'process')).toMatchObject({ status: 0 });
        await cluster.start('rgw.a');
      }
      await vi.waitFor(async () => expect(await isDone()).toBe(true), { timeout: 60_000, interval: 1000 });
    }

    test('bytes, times and all that is said of an object stay', async () => {
      const Bucket = await newBucket(ours);
      const key = randomBytes(32);
      const secret = {
        SSECustomerAlgorithm: 'AES256',
        SSECustomerKey: key.toString('base64'),
        SSECustomerKeyMD5: createHash('md5').update(key).digest('base64'),
      };
      const bodies = { small: randomBytes(100), big: randomBytes(9 * MIB), secret: randomBytes(5 * MIB) };
      const said = { Metadata: { color: 'red' }, Tagging: 'move=yes', ContentType: 'text/plain' };
      for (const [Key, Body] of Object.entries(bodies)) {
        await ours.send(new PutObjectCommand({ Bucket, Key, Body, ...said, ...(Key === 'secret' && secret) }));
      }
      await ours.send(new PutObjectCommand({ Bucket, Key: 'stays', Body: 'here' }));
      const keys = Object.keys(bodies);
      const looks = async (by: S3Client) =>
        await Promise.all(
          keys.map(async (Key) => {
            const head = await by.send(new HeadObjectCommand({ Bucket, Key, ...(Key === 'secret' && secret) }));
            const { LastModified, ETag, ContentLength, ContentType, Metadata } = head;
            return { LastModified, ETag, ContentLength, ContentType, Metadata };
          }),
        );
      const before = await looks(theirs);
      const Transitions = [{ Days: 1, StorageClass: 'COLD' }];
      await move(Bucket, [{ Filter: { Tag: { Key: 'move', Value: 'yes' } }, Transitions }], async () =>
        ((await listed(ours, Bucket)) ?? []).every(([Key, , name]) => (name === 'COLD') === (Key !== 'stays')),
      );

      for (const by of [ours, theirs]) {
        expect(await looks(by)).toEqual(before);
        for (const [Key, body] of Object.entries(bodies)) {
          const found = await get(by, Bucket, Key, Key === 'secret' ? secret : {});
          expect([Key, found.equals(body)]).toEqual([Key, true]);
          const { TagSet } = await by.send(new GetObjectTaggingCommand({ Bucket, Key }));
          expect(TagSet).toEqual([{ Key: 'move', Value: 'yes' }]);
        }
      }
      await collect();
      expect((await get(theirs, Bucket, 'big')).equals(bodies.big)).toBe(true);
      for (const Key of keys) await ours.send(new DeleteObjectCommand({ Bucket, Key }));
      await collect();
    }, 180_000);

    // radosgw 16.2 leaves version null where it is.
    test.skipIf(mover === 'radosgw-admin')(
      'versions move by themselves, and stay in their order',
      async () => {
        const Bucket = await newBucket(ours);
        const Key = 'a';
        await ours.send(new PutObjectCommand({ Bucket, Key, Body: 'null' }));
        const VersioningConfiguration = { Status: Enabled };
        await ours.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
        const ids = ['null'];
        for (const Body of ['1', '2', '3']) {
          ids.unshift((await ours.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId!);
        }
        await ours.send(new PutObjectCommand({ Bucket, Key: 'hidden', Body: 'x' }));
        await ours.send(new DeleteObjectCommand({ Bucket, Key: 'hidden' }));
        const versions = async (by: S3Client) => {
          const { Versions = [], DeleteMarkers = [] } = await by.send(new ListObjectVersionsCommand({ Bucket }));
          const shown = Versions.map((each) => [each.Key, each.VersionId, each.IsLatest, each.StorageClass as string]);
          return [...shown, ...DeleteMarkers.map((each) => [each.Key, 'marker', each.IsLatest])];
        };
        const NoncurrentVersionTransitions = [{ NoncurrentDays: 1, StorageClass: 'COLD' }];
        await move(Bucket, [{ NoncurrentVersionTransitions }], async () =>
          (await versions(ours)).filter(([, , isLatest]) => !isLatest).every(([, , , name]) => name === 'COLD'),
        );

        for (const by of [ours, theirs]) {
          expect((await versions(by)).filter(([name]) => name === Key)).toEqual(
            ids.map((id, i) => [Key, id, i === 0, i === 0 ? 'STANDARD' : 'COLD']),
          );
          const texts = await Promise.all(
            ids.map(async (VersionId) => String(await get(by, Bucket, Key, { VersionId }))),
          );
          expect(texts).toEqual(['3', '2', '1', 'null']);
          expect(String(await get(by, Bucket, Key))).toBe('3');
          expect((await versions(by)).at(-1)).toEqual(['hidden', 'marker', true]);
        }
        for (const VersionId of ids.slice(0, 2)) await theirs.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
        expect(String(await get(ours, Bucket, Key))).toBe('1');
        for (const VersionId of ids.slice(2)) await ours.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
        expect((await versions(theirs)).filter(([name]) => name === Key)).toEqual([]);
      },
      180_000,
    );
  });

  test('what was uploaded in parts and encrypted is moved part by part', async () => {
    const Bucket = await newBucket(ours);
    const key = randomBytes(32);
    const secret = {
      SSECustomerAlgorithm: 'AES256',
      SSECustomerKey: key.toString('base64'),
      SSECustomerKeyMD5: createHash('md5').update(key).digest('base64'),
    };
    const parts = [randomBytes(5 * MIB + 3), randomBytes(5 * MIB), randomBytes(77)];
    await uploadParts(ours, Bucket, 'parts', parts, secret, secret);
    const Transitions = [{ Days: 1, StorageClass: 'COLD' as const }];
    const Rules = [{ ID: 'r', Status: Enabled, Filter: { Prefix: '' }, Transitions: Transitions as never }];
    await ours.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
    await vi.waitFor(async () => expect(await classOf(ours, Bucket, 'parts', secret)).toBe('COLD'), {
      timeout: 60_000,
      interval: 1000,
    });

    for (const by of [ours, theirs]) {
      expect((await get(by, Bucket, 'parts', secret)).equals(Buffer.concat(parts))).toBe(true);
    }
    expect((await get(ours, Bucket, 'parts', { ...secret, PartNumber: 2 })).equals(parts[1]!)).toBe(true);
  }, 120_000);
});
