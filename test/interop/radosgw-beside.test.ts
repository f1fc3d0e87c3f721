/**
 * Debian's unmodified `radosgw` beside our gateway, on one cluster of ours, of one zone: what a client puts through one it finds
 * through the other, byte for byte and attribute for attribute.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketCorsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketPolicyCommand,
  GetBucketWebsiteCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  GetObjectTaggingCommand,
  GetPublicAccessBlockCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketCorsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutBucketWebsiteCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { type RunningS3Cluster, startCluster } from '@spirula/cli';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { EventReceiver, type ReceivedEvent } from '../e2e/event-receiver.ts';
import { pageOfSite } from '../e2e/site-page.ts';
import { sns } from '../e2e/sns-client.ts';
import { STS_OPTIONS, testIamBeside } from './iam-beside.ts';
import { missingTools } from './real-ceph.ts';
import { runTool } from './run-tool.ts';
import { testSubusersBeside } from './s3/subusers.ts';
import { s3Of } from './s3-of.ts';
import { makeAccessUsers, testSwiftAccessBeside } from './swift/access.ts';
import { compareSwift } from './swift/compare.ts';

const missing = missingTools(['ceph', 'radosgw', 'radosgw-admin']);
const PORT = 26_081;
const GATEWAY = 'client.rgw.real';
const MIB = 1 << 20;
/** Hosts below it show web sites. */
const SITES = 'web.test';
/** A subuser of one of its own. */
const SWIFT_USER = 'ada:swift';
const SWIFT_KEY = 'secret of ada';
const SPIRULA = fileURLToPath(new URL('../../packages/cli/bin/spirula.mjs', import.meta.url));
const KMS_KEY = `testkey-1=${randomBytes(32).toString('base64')}`;

function bytes(length: number): Uint8Array {
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, (_, i) => Math.imul(i + 1, 2654435761));
  return new Uint8Array(words.buffer, 0, length);
}

describe.skipIf(missing.length > 0)(`radosgw beside ours (skipped without: ${missing.join(' ')})`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'radosgw-'));
  const keyring = join(dir, 'keyring');
  let cluster: RunningS3Cluster;
  let gateway: ChildProcess;
  let ours: S3Client;
  let theirs: S3Client;
  let made = 0;

  beforeAll(async () => {
    cluster = await startCluster({
      osds: 3,
      store: 'memory',
      rgw: true,
      config: {
        rgw_crypt_s3_kms_encryption_keys: KMS_KEY,
        rgw_enable_static_website: true,
        rgw_dns_s3website_name: SITES,
        rgw_objexp_gc_interval: 2,
        rgw_swift_versioning_enabled: true,
        ...STS_OPTIONS,
      },
    });
    const caps = ['mon', 'allow rw', 'osd', 'allow rwx', 'mgr', 'allow rw'];
    await runTool('ceph', ['-c', cluster.cephConf, 'auth', 'get-or-create', GATEWAY, ...caps, '-o', keyring]);
    gateway = spawn(
      'radosgw',
      [
        ...['-c', cluster.cephConf, '-n', GATEWAY, '-k', keyring, '--rgw-data', dir, '--run-dir', dir],
        ...['--rgw-frontends', `beast endpoint=127.0.0.1:${PORT}`, '--log-file', join(dir, 'log'), '-f'],
        ...[
          '--rgw_crypt_require_ssl=false',
          '--rgw_enable_static_website=true',
          `--rgw_dns_s3website_name=${SITES}`,
          '--rgw_crypt_s3_kms_backend=testing',
          '--rgw_objexp_gc_interval=2',
          '--rgw_swift_versioning_enabled=true',
          `--rgw_crypt_s3_kms_encryption_keys=${KMS_KEY}`,
          ...Object.entries(STS_OPTIONS).map(([name, value]) => `--${name}=${value}`),
        ],
      ],
      { stdio: 'ignore' },
    );
    await vi.waitFor(() => fetch(`http://127.0.0.1:${PORT}/`), { timeout: 60_000, interval: 500 });
    await admin('user', 'create', '--uid', 'ada', '--display-name', 'Ada');
    const swift = ['--subuser', SWIFT_USER, '--access', 'full', '--key-type', 'swift', '--secret-key', SWIFT_KEY];
    expect(await admin('subuser', 'create', '--uid', 'ada', ...swift)).toMatchObject({ status: 0 });
    const { endpoint, accessKeyId, secretAccessKey } = cluster.s3;
    const key = { accessKey: accessKeyId, secret: secretAccessKey };
    ours = s3Of(endpoint, key);
    theirs = s3Of(`http://127.0.0.1:${PORT}`, key);
  }, 120_000);
  afterAll(async () => {
    ours?.destroy();
    theirs?.destroy();
    gateway?.kill('SIGKILL');
    await cluster?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const admin = (...args: string[]) =>
    runTool('radosgw-admin', ['-c', cluster.cephConf, '-n', GATEWAY, '-k', keyring, ...args]);

  async function newBucket(by: S3Client): Promise<string> {
    const Bucket = `beside-${made++}`;
    await by.send(new CreateBucketCommand({ Bucket }));
    return Bucket;
  }

  async function get(by: S3Client, Bucket: string, Key: string, more = {}): Promise<Uint8Array> {
    const { Body } = await by.send(new GetObjectCommand({ Bucket, Key, ...more }));
    return await Body!.transformToByteArray();
  }

  /** Each way: who writes, who reads. */
  const ways = [
    ['ours writes, theirs reads', () => [ours, theirs] as const],
    ['theirs writes, ours reads', () => [theirs, ours] as const],
  ] as const;

  describe.each(ways)('%s', (_, pick) => {
    test('objects, with their headers, metadata and ACLs', async () => {
      const [writer, reader] = pick();
      const Bucket = await newBucket(writer);
      for (const size of [0, 1, 4096, 5 * MIB + 1]) {
        const Key = `dir/${size} ü`;
        await writer.send(
          new PutObjectCommand({
            Bucket,
            Key,
            Body: bytes(size),
            ContentType: 'text/plain',
            CacheControl: 'no-cache',
            Metadata: { color: 'red' },
            Tagging: 'shape=round',
            ACL: 'public-read',
          }),
        );
        const head = await reader.send(new HeadObjectCommand({ Bucket, Key }));
        expect(head).toMatchObject({
          ContentLength: size,
          ContentType: 'text/plain',
          CacheControl: 'no-cache',
          Metadata: { color: 'red' },
        });
        expect(Buffer.compare(await get(reader, Bucket, Key), bytes(size))).toBe(0);
        const { TagSet } = await reader.send(new GetObjectTaggingCommand({ Bucket, Key }));
        expect(TagSet).toEqual([{ Key: 'shape', Value: 'round' }]);
        const grants = async (by: S3Client) => (await by.send(new GetObjectAclCommand({ Bucket, Key }))).Grants;
        expect(await grants(reader)).toEqual(await grants(writer));
      }
      const list = async (by: S3Client) =>
        (await by.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key, Size, ETag }) => [Key, Size, ETag]);
      expect(await list(reader)).toEqual(await list(writer));
      await reader.send(new DeleteObjectCommand({ Bucket, Key: 'dir/0 ü' }));
      expect(await list(writer)).toHaveLength(3);
    });

    test('uploads in parts', async () => {
      const [writer, reader] = pick();
      const Bucket = await newBucket(reader);
      const parts = [bytes(5 * MIB + 3), bytes(5 * MIB), bytes(77)];
      const Key = 'parts';
      const { UploadId } = await writer.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      const Parts = [];
      for (const [i, Body] of parts.entries()) {
        const PartNumber = i + 1;
        // Parts may come through either of them.
        const by = i === 1 ? reader : writer;
        const { ETag } = await by.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
        Parts.push({ ETag, PartNumber });
      }
      await writer.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));

      const whole = Buffer.concat(parts);
      expect(Buffer.compare(await get(reader, Bucket, Key), whole)).toBe(0);
      const Range = `bytes=${5 * MIB - 1}-${5 * MIB + 10}`;
      expect(Buffer.compare(await get(reader, Bucket, Key, { Range }), whole.subarray(5 * MIB - 1, 5 * MIB + 11))).toBe(
        0,
      );
    });

    test('versions and delete markers', async () => {
      const [writer, reader] = pick();
      const Bucket = await newBucket(writer);
      await writer.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
      const ids = [];
      for (const [i, by] of [writer, reader, writer].entries()) {
        ids.push((await by.send(new PutObjectCommand({ Bucket, Key: 'a', Body: `${i}` }))).VersionId!);
      }
      const text = async (by: S3Client, more = {}) => Buffer.from(await get(by, Bucket, 'a', more)).toString();
      expect([await text(reader), await text(writer)]).toEqual(['2', '2']);
      expect(await Promise.all(ids.map((VersionId) => text(reader, { VersionId })))).toEqual(['0', '1', '2']);
      await writer.send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId: ids[2]! }));
      expect(await text(reader)).toBe('1');
      await reader.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));

      const listed = async (by: S3Client) => {
        const { Versions, DeleteMarkers } = await by.send(new ListObjectVersionsCommand({ Bucket }));
        return [
          Versions?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest]),
          DeleteMarkers?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest]),
        ];
      };
      expect(await listed(reader)).toEqual(await listed(writer));
      expect((await listed(reader))[1]).toHaveLength(1);
    });

    test('encrypted objects', async () => {
      const [writer, reader] = pick();
      const Bucket = await newBucket(writer);
      const key = randomBytes(32);
      const sse = {
        SSECustomerAlgorithm: 'AES256',
        SSECustomerKey: key.toString('base64'),
        SSECustomerKeyMD5: createHash('md5').update(key).digest('base64'),
      };
      const kms = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'testkey-1' } as const;
      for (const size of [1, 16, 4097, 5 * MIB + 5]) {
        await writer.send(new PutObjectCommand({ Bucket, Key: `c${size}`, Body: bytes(size), ...sse }));
        await writer.send(new PutObjectCommand({ Bucket, Key: `k${size}`, Body: bytes(size), ...kms }));
        expect(Buffer.compare(await get(reader, Bucket, `c${size}`, sse), bytes(size)), `SSE-C ${size}`).toBe(0);
        expect(Buffer.compare(await get(reader, Bucket, `k${size}`), bytes(size)), `SSE-KMS ${size}`).toBe(0);
      }
    });

    test('locks of versions', async () => {
      const [writer, reader] = pick();
      const Bucket = `beside-${made++}`;
      await writer.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
      const Rule = { DefaultRetention: { Mode: 'COMPLIANCE' as const, Years: 1 } };
      const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled' as const, Rule };
      await writer.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
      const ObjectLockRetainUntilDate = new Date('2100-01-02T03:04:05Z');
      const locks = {
        ObjectLockMode: 'GOVERNANCE',
        ObjectLockRetainUntilDate,
        ObjectLockLegalHoldStatus: 'ON',
      } as const;
      const { VersionId } = await writer.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x', ...locks }));

      expect(await reader.send(new HeadObjectCommand({ Bucket, Key: 'a' }))).toMatchObject(locks);
      const configured = await reader.send(new GetObjectLockConfigurationCommand({ Bucket }));
      expect(configured.ObjectLockConfiguration).toEqual(ObjectLockConfiguration);
      const removal = reader.send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId }));
      await expect(removal).rejects.toMatchObject({ name: 'AccessDenied' });
    });

    test('what buckets are set to', async () => {
      const [writer, reader] = pick();
      const Bucket = await newBucket(writer);
      const Policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` }],
      });
      await writer.send(new PutBucketPolicyCommand({ Bucket, Policy }));
      // radosgw 16.2 takes no objects at all once it blocks public ACLs.
      await writer.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'seen by all' }));
      const block = {
        BlockPublicAcls: true,
        IgnorePublicAcls: false,
        BlockPublicPolicy: true,
        RestrictPublicBuckets: false,
      };
      await writer.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: block }));
      const CORSRules = [{ AllowedMethods: ['GET'], AllowedOrigins: ['https://*.example.com'], MaxAgeSeconds: 60 }];
      await writer.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));
      const Rules = [
        { ID: 'a', Status: 'Enabled' as const, Filter: { Prefix: 'logs/' }, Expiration: { Days: 30 } },
        {
          ID: 'b',
          Status: 'Enabled' as const,
          Filter: { Prefix: 'x' },
          NoncurrentVersionExpiration: { NoncurrentDays: 3 },
        },
      ];
      await writer.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));

      expect((await reader.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toBe(Policy);
      const { PublicAccessBlockConfiguration } = await reader.send(new GetPublicAccessBlockCommand({ Bucket }));
      expect(PublicAccessBlockConfiguration).toEqual(block);
      expect((await reader.send(new GetBucketCorsCommand({ Bucket }))).CORSRules).toMatchObject(CORSRules);
      expect((await reader.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))).Rules).toEqual(Rules);
      const endpoint = reader === theirs ? `http://127.0.0.1:${PORT}` : cluster.s3.endpoint;
      expect(await (await fetch(`${endpoint}/${Bucket}/a`)).text()).toBe('seen by all');
    });
  });

  describe.each(ways)('Swift: %s', (_, pick) => {
    const urlOf = (by: S3Client) => (by === theirs ? `http://127.0.0.1:${PORT}` : cluster.s3.endpoint);

    test('tokens, containers, objects, segments', async () => {
      const [writer, reader] = pick().map(urlOf);
      const login = { 'x-auth-user': SWIFT_USER, 'x-auth-key': SWIFT_KEY };
      const granted = await fetch(`${writer}/auth/v1.0`, { headers: login });
      const token = granted.headers.get('x-auth-token')!;
      const ask = async (at: string | undefined, method: string, path: string, headers = {}, body?: string) => {
        const init = {
          method,
          headers: { 'x-auth-token': token, ...headers },
          ...(body !== undefined && { body: Buffer.from(body) }),
        };
        const answer = await fetch(`${at}/swift/v1/${path}`, init);
        return { status: answer.status, headers: answer.headers, text: await answer.text() };
      };
      const name = `swift-${made++}`;
      const meta = { 'x-container-meta-color': 'red', 'x-container-read': '.r:*,.rlistings' };
      expect((await ask(writer, 'PUT', name, meta)).status).toBe(201);
      for (const [object, text] of [
        ['s/1', 'abc'],
        ['s/2', 'defg'],
      ] as const) {
        await ask(writer, 'PUT', `${name}/${object}`, { 'x-object-meta-size': 'xl', 'content-type': 'text/x' }, text);
      }
      await ask(writer, 'PUT', `${name}/dynamic`, { 'x-object-manifest': `${name}/s/` }, '');
      const list = ['abc', 'defg'].map((text, i) => ({
        path: `/${name}/s/${i + 1}`,
        etag: createHash('md5').update(text).digest('hex'),
        size_bytes: text.length,
      }));
      const put = await ask(writer, 'PUT', `${name}/static?multipart-manifest=put`, {}, JSON.stringify(list));
      expect(put.status).toBe(201);

      const container = (await ask(reader, 'HEAD', name)).headers;
      expect(container.get('x-container-meta-color')).toBe('red');
      expect(container.get('x-container-read')).toMatch(/\.r:\*/);
      const { text, headers } = await ask(reader, 'GET', `${name}/s/1`);
      expect([text, headers.get('x-object-meta-size'), headers.get('content-type')]).toEqual(['abc', 'xl', 'text/x']);
      expect(await (await fetch(`${reader}/swift/v1/${name}/s/2`)).text()).toBe('defg');
      expect((await ask(reader, 'GET', `${name}/dynamic`)).text).toBe('abcdefg');
      expect((await ask(reader, 'GET', `${name}/static`)).text).toBe('abcdefg');
      // By S3, too, both say the same.
      for (const Key of ['dynamic', 'static']) {
        const read = async (by: S3Client, Range?: string) => {
          const answer = await by.send(new GetObjectCommand({ Bucket: name, Key, Range }));
          return [await answer.Body!.transformToString(), answer.ContentLength, answer.ContentRange, answer.ETag];
        };
        const whole = await read(ours);
        expect(whole.slice(0, 2)).toEqual(['abcdefg', 7]);
        expect(whole).toEqual(await read(theirs));
        // radosgw names the range as if it began at 0.
        expect((await read(ours, 'bytes=2-4')).slice(0, 3)).toEqual(['cde', 3, 'bytes 2-4/7']);
        expect((await read(theirs, 'bytes=2-4')).slice(0, 2)).toEqual(['cde', 3]);
      }
      const names = async (at: string | undefined) => (await ask(at, 'GET', name)).text.trim();
      expect(await names(reader)).toBe(await names(writer));

      await ask(writer, 'PUT', `${name}/ending`, { 'x-delete-after': '3' }, 'x');
      expect(Number((await ask(reader, 'HEAD', `${name}/ending`)).headers.get('x-delete-at'))).toBeGreaterThan(0);
      // One or the other removes it.
      const isListed = async () => (await names(reader)).includes('ending');
      await vi.waitUntil(async () => !(await isListed()), { timeout: 60_000, interval: 500 });
      expect((await ask(reader, 'GET', `${name}/ending`)).status).toBe(404);
    });
  });

  /** What of a record does not change from one time, or one gateway, to another. */
  function lasting({ eventName, userIdentity, s3, opaqueData }: ReceivedEvent) {
    const { sequencer: _, versionId: __, metadata, ...object } = s3.object;
    // radosgw 16.2 tells headers of the request, too; and no versions of copies.
    return {
      ...{ eventName, userIdentity, opaqueData },
      s3: { ...s3, object: { ...object, metadata: metadata.filter(({ key }) => key.startsWith('x-amz-meta-')) } },
    };
  }

  describe.each(ways)('events: %s', (_, pick) => {
    let receiver: EventReceiver;
    beforeAll(async () => {
      receiver = await EventReceiver.listen();
    });
    afterAll(async () => await receiver.close());

    const at = (by: S3Client) => {
      const { endpoint, accessKeyId: accessKey, secretAccessKey: secretKey } = cluster.s3;
      return { endpoint: by === ours ? endpoint : `http://127.0.0.1:${PORT}`, accessKey, secretKey };
    };
    async function newTopic(by: S3Client, attributes: Record<string, string> = {}): Promise<string> {
      const Name = `beside-${made++}`;
      const { body } = await sns(
        at(by),
        { Action: 'CreateTopic', Name },
        { 'push-endpoint': receiver.url, ...attributes },
      );
      return /<TopicArn>([^<]+)</.exec(body)![1]!;
    }
    const notify = (by: S3Client, Bucket: string, TopicArn: string) =>
      by.send(
        new PutBucketNotificationConfigurationCommand({
          Bucket,
          NotificationConfiguration: {
            TopicConfigurations: [{ Id: 'n', TopicArn, Events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'] }],
          },
        }),
      );

    test('topics and notifications that one has set are told by the other in the same words', async () => {
      const [writer, reader] = pick();
      const Bucket = await newBucket(writer);
      const TopicArn = await newTopic(writer, { OpaqueData: 'mine', 'verify-ssl': 'false' });
      await notify(writer, Bucket, TopicArn);

      for (const Action of ['GetTopic', 'GetTopicAttributes', 'ListTopics']) {
        const [own, others] = await Promise.all([writer, reader].map((by) => sns(at(by), { Action, TopicArn })));
        const shown = (body: string) => body.replace(/<RequestId>.*?<\/RequestId>/, '');
        expect(shown(others!.body), Action).toBe(shown(own!.body));
        expect(own!.body).toContain(TopicArn);
      }
      const configured = async (by: S3Client) =>
        (await by.send(new GetBucketNotificationConfigurationCommand({ Bucket }))).TopicConfigurations;
      expect(await configured(reader)).toEqual(await configured(writer));
      expect(await configured(reader)).toHaveLength(1);
      const topic = TopicArn.split(':').at(-1)!;
      expect(JSON.parse((await admin('topic', 'get', '--topic', topic)).stdout)).toMatchObject({
        topic: { arn: TopicArn },
      });
    });

    test('each tells of the same changes the same', async () => {
      const [writer, reader] = pick();
      const Bucket = await newBucket(writer);
      await notify(writer, Bucket, await newTopic(writer, { OpaqueData: 'mine' }));
      const told = async (by: S3Client) => {
        const put = { Bucket, Key: 'a b', Body: 'body', Metadata: { color: 'red' }, Tagging: 'shape=round' };
        await by.send(new PutObjectCommand(put));
        await by.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/a%20b` }));
        for (const Key of ['a b', 'copy', 'never']) await by.send(new DeleteObjectCommand({ Bucket, Key }));
        return receiver.take().map(lasting);
      };

      const own = await told(writer);
      expect(own).toHaveLength(5);
      expect(await told(reader)).toEqual(own);
    });

    test('events that either keeps are delivered by whoever has the queue', async () => {
      const [writer, reader] = pick();
      const Bucket = await newBucket(writer);
      await notify(writer, Bucket, await newTopic(writer, { persistent: 'true' }));

      for (const by of [writer, reader, writer])
        await by.send(new PutObjectCommand({ Bucket, Key: `${made++}`, Body: 'x' }));

      await vi.waitFor(() => expect(receiver.events.length).toBeGreaterThanOrEqual(3), {
        timeout: 150_000,
        interval: 500,
      });
      const keys = receiver.take().map(({ s3 }) => s3.object.key);
      expect(new Set(keys)).toEqual(new Set([made - 3, made - 2, made - 1].map(String)));
    }, 180_000);

    test('web sites', async () => {
      const [writer, reader] = pick();
      const Bucket = await newBucket(writer);
      const website = {
        IndexDocument: { Suffix: 'index.html' },
        ErrorDocument: { Key: 'wrong.html' },
        RoutingRules: [
          {
            Condition: { KeyPrefixEquals: 'docs/' },
            Redirect: { ReplaceKeyPrefixWith: 'documents/', HttpRedirectCode: '307' },
          },
        ],
      };
      await writer.send(new PutBucketWebsiteCommand({ Bucket, WebsiteConfiguration: website }));
      for (const Key of ['index.html', 'dir/index.html', 'wrong.html']) {
        await writer.send(
          new PutObjectCommand({ Bucket, Key, Body: Key, ContentType: 'text/html', ACL: 'public-read' }),
        );
      }
      const moved = { Bucket, Key: 'moved', ACL: 'public-read' as const, WebsiteRedirectLocation: '/dir/' };
      await writer.send(new PutObjectCommand({ ...moved, Body: 'gone' }));

      expect(await reader.send(new GetBucketWebsiteCommand({ Bucket }))).toMatchObject(website);
      for (const path of ['/', '/dir', '/dir/', '/none', '/docs/a', '/moved']) {
        const pages = await Promise.all(
          [writer, reader].map((by) => pageOfSite(at(by).endpoint, `${Bucket}.${SITES}`, path)),
        );
        const [own, others] = pages.map(({ type, ...page }) => ({ ...page, type: page.body === '' ? '' : type }));
        expect(others, path).toEqual(own);
      }
    });
  });

  test('Swift: the same requests have the same answers', async () => {
    const gatewayOf = async (endpoint: string, name: string) => {
      const headers = { 'x-auth-user': SWIFT_USER, 'x-auth-key': SWIFT_KEY };
      const granted = await fetch(`${endpoint}/auth/v1.0`, { headers });
      return { endpoint, token: granted.headers.get('x-auth-token')!, name };
    };
    const real = await gatewayOf(`http://127.0.0.1:${PORT}`, 'real');

    expect(await compareSwift(await gatewayOf(cluster.s3.endpoint, 'ours'), real)).toEqual([]);
  }, 300_000);

  test('a quota is for what both have stored', async () => {
    const Bucket = await newBucket(ours);
    for (const args of [['set', '--max-objects', '2'], ['enable']]) {
      expect(await admin('quota', ...args, '--bucket', Bucket)).toMatchObject({ status: 0 });
    }
    const put = (by: S3Client, Key: string) =>
      by.send(new PutObjectCommand({ Bucket, Key, Body: 'x' })).then(
        () => 'stored',
        ({ name }: Error) => name,
      );
    expect([await put(ours, 'a'), await put(theirs, 'b')]).toEqual(['stored', 'stored']);
    expect([await put(ours, 'c'), await put(theirs, 'd')]).toEqual(['QuotaExceeded', 'QuotaExceeded']);
  });

  test('a change through one counts at the other at once, whatever it remembers', async () => {
    const Bucket = await newBucket(ours);
    const status = async (by: S3Client) =>
      (await by.send(new ListObjectsV2Command({ Bucket })).catch(({ name }) => ({ KeyCount: name }))).KeyCount;
    for (const [changing, other] of [
      [ours, theirs],
      [theirs, ours],
    ] as const) {
      expect([await status(changing), await status(other)]).toEqual([0, 0]);
      const Policy = (Effect: string) =>
        JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect, Principal: '*', Action: 's3:ListBucket', Resource: `arn:aws:s3:::${Bucket}` }],
        });
      await changing.send(new PutBucketPolicyCommand({ Bucket, Policy: Policy('Deny') }));
      expect(await status(other)).toBe('AccessDenied');
      await changing.send(new PutBucketPolicyCommand({ Bucket, Policy: Policy('Allow') }));
    }
  });

  test('an index that one reshards is used through both, also meanwhile', async () => {
    const Bucket = await newBucket(ours);
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await ours.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    const put = (by: S3Client, Key: string) => by.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    const versions = async (by: S3Client) => {
      const { Versions = [], DeleteMarkers = [] } = await by.send(new ListObjectVersionsCommand({ Bucket }));
      return [...Versions, ...DeleteMarkers].map(({ Key, VersionId, IsLatest }) => `${Key} ${VersionId} ${IsLatest}`);
    };
    const { UploadId } = await theirs.send(new CreateMultipartUploadCommand({ Bucket, Key: 'whole' }));
    const part = { Bucket, Key: 'whole', UploadId, PartNumber: 1 };
    const { ETag } = await ours.send(new UploadPartCommand({ ...part, Body: 'part' }));
    const commands = { ours: [process.execPath, SPIRULA, 'radosgw-admin', '-c', cluster.cephConf], theirs: undefined };

    let count = 0;
    for (const [who, shards] of [
      ['ours', '13'],
      ['theirs', '5'],
      ['ours', '17'],
    ] as const) {
      for (const by of [ours, theirs]) {
        for (const name of ['_a', 'b/c', `only ${shards}`]) await put(by, name);
        await by.send(new DeleteObjectCommand({ Bucket, Key: 'b/c' }));
        count += 4;
      }
      const args = ['bucket', 'reshard', '--bucket', Bucket, '--num-shards', shards, '--yes-i-really-mean-it'];
      const [program, ...words] = commands[who] ?? [
        'radosgw-admin',
        '-c',
        cluster.cephConf,
        '-n',
        GATEWAY,
        '-k',
        keyring,
      ];
      const [{ status, stdout, stderr }] = await Promise.all([
        runTool(program!, [...words, ...args], { timeoutSeconds: 60 }),
        put(ours, 'meanwhile'),
        put(theirs, 'meanwhile'),
      ]);
      count += 2;

      expect({ status, stderr }).toMatchObject({ status: 0 });
      expect(stdout).toMatch(
        /^tenant: \nbucket name: beside-\d+\nold bucket instance id: .+\nnew .+\ntotal entries: \d+\n$/,
      );
      const listed = await versions(ours);
      expect(listed).toHaveLength(count);
      expect(await versions(theirs)).toEqual(listed);
      expect(await get(theirs, Bucket, 'meanwhile')).toEqual(await get(ours, Bucket, 'meanwhile'));
      const stats = JSON.parse((await admin('bucket', 'stats', '--bucket', Bucket)).stdout);
      expect(stats.num_shards).toBe(Number(shards));
      const counted =
        listed.length - (await theirs.send(new ListObjectVersionsCommand({ Bucket }))).DeleteMarkers!.length;
      expect(stats.usage['rgw.main'].num_objects).toBeGreaterThanOrEqual(counted);
    }
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await theirs.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'whole', UploadId, MultipartUpload }));
    expect(Buffer.from(await get(ours, Bucket, 'whole')).toString()).toBe('part');
    for (const args of [
      ['reshard', 'list'],
      ['reshard', 'stale-instances', 'list'],
    ]) {
      expect(JSON.parse((await admin(...args)).stdout)).toEqual([]);
    }
  }, 120_000);

  describe('who may do what', () => {
    const gateways = () => ({ ours: cluster.s3.endpoint, theirs: `http://127.0.0.1:${PORT}`, admin });
    beforeAll(() => makeAccessUsers(gateways()), 180_000);
    describe('by Swift', () => testSwiftAccessBeside(gateways));
    testSubusersBeside(gateways);
  });

  describe('IAM and STS', () => {
    testIamBeside(() => ({ ours: cluster.s3.endpoint, theirs: `http://127.0.0.1:${PORT}`, admin }));
  });
});
