/**
 * What buckets tell others: notifications, through the AWS SDK for JavaScript and SNS's API, with a server that events are pushed to;
 * and pages of web sites.
 */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteBucketWebsiteCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  type Event,
  GetBucketNotificationConfigurationCommand,
  GetBucketWebsiteCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutBucketWebsiteCommand,
  PutObjectCommand,
  type S3Client,
  type TopicConfiguration,
  UploadPartCommand,
  type WebsiteConfiguration,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { EventReceiver } from './event-receiver.ts';
import { type S3Gateway, s3ClientOf, startS3Gateway } from './s3-gateway.ts';
import { pageOfSite } from './site-page.ts';
import { sns } from './sns-client.ts';

let gateway: S3Gateway;
let client: S3Client;
let receiver: EventReceiver;
let made = 0;
/** Hosts below it show buckets. */
const SITES = 'web.test';

beforeAll(async () => {
  receiver = await EventReceiver.listen();
  gateway = await startS3Gateway(31_500, 'rgw_enable_static_website=true', `rgw_dns_s3website_name=${SITES}`);
  client = s3ClientOf(gateway);
}, 180_000);
afterAll(async () => {
  client?.destroy();
  await gateway?.stop();
  await receiver?.close();
});
beforeEach(() => {
  receiver.status = 200;
  receiver.take();
});

const SOON = { timeout: 90_000, interval: 300 };

async function newTopic(attributes: Record<string, string> = {}): Promise<string> {
  const Name = `topic-${made++}`;
  const { status, body } = await sns(
    gateway,
    { Action: 'CreateTopic', Name },
    { 'push-endpoint': receiver.url, ...attributes },
  );
  expect(status).toBe(200);
  return /<TopicArn>([^<]+)</.exec(body)![1]!;
}

async function newBucket(...TopicConfigurations: TopicConfiguration[]): Promise<string> {
  const Bucket = `events-${made++}`;
  await client.send(new CreateBucketCommand({ Bucket }));
  if (TopicConfigurations.length > 0) await notify(Bucket, ...TopicConfigurations);
  return Bucket;
}

const notify = (Bucket: string, ...TopicConfigurations: TopicConfiguration[]) =>
  client.send(
    new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: { TopicConfigurations } }),
  );
const put = (Bucket: string, Key: string, more = {}) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body: Key, ...more }));
const ALL: Event[] = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'];
const shown = () => receiver.take().map(({ eventName, s3 }) => `${eventName} ${s3.object.key}`);

async function refusal(request: Promise<unknown>): Promise<string> {
  return await request.then(
    () => 'accepted',
    ({ name, $metadata }) => `${$metadata?.httpStatusCode} ${name}`,
  );
}

test('what is told of a new object: by whom, which, what it is', async () => {
  const TopicArn = await newTopic({ OpaqueData: 'of mine' });
  const Bucket = await newBucket({ Id: 'all', TopicArn, Events: ALL });

  const { ETag } = await put(Bucket, 'a b/ü', { Metadata: { color: 'red' }, Tagging: 'project=x' });

  const [event, ...others] = receiver.take();
  expect(others).toEqual([]);
  expect(event).toMatchObject({
    eventVersion: '2.2',
    eventSource: 'ceph:s3',
    eventName: 'ObjectCreated:Put',
    userIdentity: { principalId: 'spirula' },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: 'all',
      bucket: { name: Bucket, arn: `arn:aws:s3:::${Bucket}`, ownerIdentity: { principalId: 'spirula' } },
      object: {
        key: 'a b/ü',
        size: 6,
        eTag: ETag!.replaceAll('"', ''),
        versionId: '',
        metadata: [{ key: 'x-amz-meta-color', val: 'red' }],
        tags: [{ key: 'project', val: 'x' }],
      },
    },
    opaqueData: 'of mine',
  });
  expect(event!.eventTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  expect(event!.s3.object.sequencer).toMatch(/^[0-9A-F]{16}$/);
  expect(event!.responseElements['x-amz-request-id']).toMatch(/^tx/);
});

test('each way to make and to remove objects has its event', async () => {
  const Bucket = await newBucket({ Id: 'all', TopicArn: await newTopic(), Events: ALL });

  await put(Bucket, 'a');
  await client.send(new CopyObjectCommand({ Bucket, Key: 'b', CopySource: `${Bucket}/a` }));
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'c' }));
  const part = { Bucket, Key: 'c', UploadId, PartNumber: 1 };
  const { ETag } = await client.send(new UploadPartCommand({ ...part, Body: 'part' }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  await client.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'c', UploadId, MultipartUpload }));
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'never' }));
  expect(shown()).toEqual([
    'ObjectCreated:Put a',
    'ObjectCreated:Copy b',
    'ObjectCreated:CompleteMultipartUpload c',
    'ObjectRemoved:Delete a',
    'ObjectRemoved:Delete never',
  ]);

  await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'b' }, { Key: 'c' }] } }));
  expect(shown().sort()).toEqual(['ObjectRemoved:Delete b', 'ObjectRemoved:Delete c']);
});

test('of versions: which one, and what a delete marker hides', async () => {
  const Bucket = await newBucket({ Id: 'all', TopicArn: await newTopic(), Events: ALL });
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));

  const { VersionId } = await put(Bucket, 'key');
  const marker = await client.send(new DeleteObjectCommand({ Bucket, Key: 'key' }));
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'key', VersionId }));
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'key', VersionId: marker.VersionId! }));

  const events = receiver.take().map(({ eventName, s3: { object } }) => [eventName, object.versionId, object.size]);
  expect(events).toEqual([
    ['ObjectCreated:Put', VersionId, 3],
    ['ObjectRemoved:DeleteMarkerCreated', marker.VersionId, 3],
    ['ObjectRemoved:Delete', VersionId, 3],
    ['ObjectRemoved:Delete', marker.VersionId, 0],
  ]);
});

test('only what the filters let through is told', async () => {
  const TopicArn = await newTopic();
  const rule = (Name: string, Value: string) => `<FilterRule><Name>${Name}</Name><Value>${Value}</Value></FilterRule>`;
  const FilterRules = [
    { Name: 'prefix' as const, Value: 'img/' },
    { Name: 'suffix' as const, Value: '.jpg' },
  ];
  const Bucket = await newBucket({
    Id: 'pictures',
    TopicArn,
    Events: ['s3:ObjectCreated:Put'],
    Filter: { Key: { FilterRules } },
  });
  for (const key of ['img/a.jpg', 'img/a.png', 'a.jpg']) await put(Bucket, key);
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'img/a.jpg' }));
  expect(shown()).toEqual(['ObjectCreated:Put img/a.jpg']);

  // What S3's model lacks, as Ceph's users write it.
  const document =
    `<NotificationConfiguration><TopicConfiguration><Id>ours</Id><Topic>${TopicArn}</Topic><Filter>` +
    `<S3Key>${rule('regex', '([a-z]+)\\.txt')}</S3Key><S3Metadata>${rule('x-amz-meta-color', 'red')}</S3Metadata>` +
    `<S3Tags>${rule('project', 'x')}</S3Tags></Filter></TopicConfiguration></NotificationConfiguration>`;
  await withBody(Bucket, document);
  await put(Bucket, 'a.txt', { Metadata: { color: 'red' }, Tagging: 'project=x&b=c' });
  await put(Bucket, 'b.txt', { Metadata: { color: 'red' } });
  await put(Bucket, 'c.txt', { Tagging: 'project=x' });
  await put(Bucket, 'd1.txt', { Metadata: { color: 'red' }, Tagging: 'project=x' });
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'a.txt' }));
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'b.txt' }));
  expect(shown()).toEqual(['ObjectCreated:Put a.txt', 'ObjectRemoved:Delete a.txt']);
});

/** The SDK's command with a document of our own. */
async function withBody(Bucket: string, document: string): Promise<void> {
  const command = new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: {} });
  command.middlewareStack.add(
    (next) => (args) => next({ ...args, request: Object.assign(args.request as object, { body: document }) }),
    { step: 'build', priority: 'high' },
  );
  await client.send(command);
}

describe('a topic that keeps events', () => {
  test('delivers them behind the answer, again and again until they are acknowledged', async () => {
    const Bucket = await newBucket({ Id: 'kept', TopicArn: await newTopic({ persistent: 'true' }), Events: ALL });
    receiver.status = 500;

    for (const key of ['1', '2', '3']) await put(Bucket, key);
    expect(shown()).toEqual([]);
    receiver.status = 200;

    await vi.waitFor(() => expect(receiver.events.length).toBeGreaterThanOrEqual(3), SOON);
    expect([...new Set(shown())].sort()).toEqual([1, 2, 3].map((key) => `ObjectCreated:Put ${key}`));
  });
});

test('who does not answer, or says no, does not keep objects from being made', async () => {
  const Bucket = await newBucket({
    Id: 'n',
    TopicArn: await newTopic({ 'push-endpoint': 'http://127.0.0.1:1/' }),
    Events: ALL,
  });
  const Refused = await newBucket({ Id: 'n', TopicArn: await newTopic(), Events: ALL });
  receiver.status = 403;

  expect(await refusal(put(Bucket, 'a'))).toBe('accepted');
  expect(await refusal(put(Refused, 'a'))).toBe('accepted');
});

test('what a bucket notifies of is told, changed and goes; with the bucket, too', async () => {
  const TopicArn = await newTopic();
  const Bucket = await newBucket();
  const get = async () =>
    (await client.send(new GetBucketNotificationConfigurationCommand({ Bucket }))).TopicConfigurations ?? [];
  expect(await get()).toEqual([]);
  await notify(Bucket, { Id: 'one', TopicArn, Events: ['s3:ObjectCreated:Copy'] });
  await notify(Bucket, { Id: 'two', TopicArn, Events: ALL });
  expect(await get()).toEqual([
    { Id: 'one', TopicArn, Events: ['s3:ObjectCreated:Copy'] },
    { Id: 'two', TopicArn, Events: ALL },
  ]);

  expect(await refusal(notify(Bucket, { Id: 'x', TopicArn: `${TopicArn}-none`, Events: ALL }))).toBe('404 NoSuchKey');
  expect(await refusal(notify(Bucket, { Id: 'x', TopicArn: 'hello', Events: ALL }))).toBe('400 InvalidArgument');
  expect(await refusal(notify(Bucket, { Id: 'x', TopicArn, Events: ['s3:Replication:*'] }))).toBe(
    '400 InvalidArgument',
  );
  expect(await refusal(notify(Bucket))).toBe('400 MalformedXML');

  await client.send(new DeleteBucketCommand({ Bucket }));
  await client.send(new CreateBucketCommand({ Bucket }));
  expect(await get()).toEqual([]);
});

const hasSigningCurl = spawnSync('curl', ['--aws-sigv4', 'aws:amz', '--version']).status === 0;

test.skipIf(!hasSigningCurl)(
  'the example of the documentation does what it says (skipped without: curl that signs)',
  async () => {
    const page = readFileSync(new URL('../../docs/notifications-and-websites.md', import.meta.url), 'utf8');
    const [, script] = /```sh\n(.*?)```/s.exec(page)!;
    const env = {
      ...process.env,
      S3: gateway.endpoint,
      KEYS: `${gateway.accessKey}:${gateway.secretKey}`,
      HOOK: receiver.url,
    };

    const { stdout } = await promisify(execFile)('bash', ['-ec', script!], { env });

    expect(stdout).toContain('<TopicArn>arn:aws:sns:default::pictures</TopicArn>');
    await vi.waitFor(() => expect(shown()).toEqual(['ObjectCreated:Put cat.jpg']), SOON);
  },
);

describe('topics', () => {
  test('are listed, told and removed', async () => {
    const TopicArn = await newTopic({ 'verify-ssl': 'false', OpaqueData: '<&>' });
    const name = TopicArn.split(':').at(-1)!;

    expect((await sns(gateway, { Action: 'ListTopics' })).body).toContain(`<TopicArn>${TopicArn}</TopicArn>`);
    const { body } = await sns(gateway, { Action: 'GetTopic', TopicArn });
    expect(body).toContain(`<Name>${name}</Name><EndPoint><EndpointAddress>${receiver.url}</EndpointAddress>`);
    expect(body).toContain('<Persistent>False</Persistent></EndPoint>');
    const attributes = await sns(gateway, { Action: 'GetTopicAttributes', TopicArn });
    expect(attributes.body).toContain('<key>OpaqueData</key><value>&lt;&amp;&gt;</value>');
    expect(await gateway.admin('topic', 'get', '--topic', name)).toMatchObject({ topic: { name, arn: TopicArn } });
    expect((await sns(gateway, { Action: 'DeleteTopic', TopicArn })).status).toBe(200);
    expect((await sns(gateway, { Action: 'GetTopic', TopicArn })).status).toBe(404);
  });

  test('only push to http and https, and are nobody’s without a signature', async () => {
    const create = async (endpoint: string) =>
      await sns(gateway, { Action: 'CreateTopic', Name: 'refused' }, { 'push-endpoint': endpoint });
    for (const endpoint of [
      'amqp://127.0.0.1',
      'kafka://127.0.0.1',
      'file:///etc/passwd',
      'nothing',
      'http://u:p@h/',
    ]) {
      expect(await create(endpoint)).toMatchObject({ status: 400, body: expect.stringContaining('InvalidInput') });
    }
    const wrong = await sns({ ...gateway, secretKey: 'wrong' }, { Action: 'ListTopics' });
    expect(wrong).toMatchObject({ status: 403, body: expect.stringContaining('SignatureDoesNotMatch') });
    const nobody = await fetch(gateway.endpoint, { method: 'POST', body: 'Action=ListTopics' });
    expect(nobody.status).toBe(403);
    const unknown = await sns(gateway, { Action: 'SetTopicAttributes', TopicArn: 'arn:aws:sns:default::x' });
    expect(unknown.status).toBe(405);
  });
});

describe('a web site', () => {
  const page = (bucket: string, path: string, method?: string) =>
    pageOfSite(gateway.endpoint, `${bucket}.${SITES}`, path, method);
  const setWebsite = (Bucket: string, configuration: WebsiteConfiguration) =>
    client.send(new PutBucketWebsiteCommand({ Bucket, WebsiteConfiguration: configuration }));
  const show = (Bucket: string, Key: string, more = {}) =>
    put(Bucket, Key, { ContentType: 'text/html', ACL: 'public-read', ...more });
  const IndexDocument = { Suffix: 'index.html' };

  test('shows pages, folders by their index, and what is wrong; only what is public', async () => {
    const Bucket = await newBucket();
    expect(await page(Bucket, '/')).toMatchObject({
      status: 404,
      body: expect.stringContaining('NoSuchWebsiteConfiguration'),
    });
    await setWebsite(Bucket, { IndexDocument, ErrorDocument: { Key: 'wrong.html' } });
    for (const key of ['index.html', 'dir/index.html', 'a page.html']) await show(Bucket, key);
    await show(Bucket, 'hidden.html', { ACL: 'private' });
    await show(Bucket, 'moved', { WebsiteRedirectLocation: '/a%20page.html' });

    expect(await page(Bucket, '/')).toMatchObject({ status: 200, type: 'text/html', body: 'index.html' });
    expect(await page(Bucket, '/dir/')).toMatchObject({ status: 200, body: 'dir/index.html' });
    expect(await page(Bucket, '/dir')).toMatchObject({ status: 200, body: 'dir/index.html' });
    expect(await page(Bucket, '/a%20page.html?x=y')).toMatchObject({ status: 200, body: 'a page.html' });
    expect(await page(Bucket, '/index.html', 'HEAD')).toMatchObject({ status: 200, body: '' });
    expect(await page(Bucket, '/moved')).toMatchObject({ status: 301, location: '/a%20page.html', body: '' });
    expect(await page(Bucket, '/hidden.html')).toMatchObject({
      status: 403,
      type: 'text/html',
      body: expect.stringContaining('<li>Code: AccessDenied</li>'),
    });
    expect(await page(Bucket, '/?acl')).toMatchObject({ status: 200, body: 'index.html' });
    expect((await page(Bucket, '/index.html', 'PUT')).status).toBe(405);
    expect((await page('no-such-bucket', '/')).status).toBe(404);

    await show(Bucket, 'wrong.html');
    expect(await page(Bucket, '/hidden.html')).toMatchObject({ status: 403, body: 'wrong.html' });
  });

  test('leads elsewhere by its rules, or all of it', async () => {
    const Bucket = await newBucket();
    const RoutingRules = [
      { Condition: { KeyPrefixEquals: 'docs/' }, Redirect: { ReplaceKeyPrefixWith: 'documents/' } },
      {
        Condition: { HttpErrorCodeReturnedEquals: '403' },
        Redirect: {
          HostName: 'other.example',
          Protocol: 'https' as const,
          HttpRedirectCode: '302',
          ReplaceKeyWith: 'none',
        },
      },
    ];
    await setWebsite(Bucket, { IndexDocument, RoutingRules });
    expect(await page(Bucket, '/docs/a%20b')).toMatchObject({
      status: 301,
      location: `http://${Bucket}.${SITES}/documents/a%20b`,
    });
    expect(await page(Bucket, '/missing')).toMatchObject({ status: 302, location: 'https://other.example/none' });
    expect(await client.send(new GetBucketWebsiteCommand({ Bucket }))).toMatchObject({ IndexDocument, RoutingRules });

    await setWebsite(Bucket, { RedirectAllRequestsTo: { HostName: 'example.com', Protocol: 'https' } });
    expect(await page(Bucket, '/a/b?c')).toMatchObject({ status: 301, location: 'https://example.com/a/b' });

    expect(await refusal(setWebsite(Bucket, {}))).toBe('400 InvalidArgument');
    expect(await refusal(setWebsite(Bucket, { IndexDocument: { Suffix: 'a/b' } }))).toBe('400 InvalidArgument');
    await client.send(new DeleteBucketWebsiteCommand({ Bucket }));
    expect(await refusal(client.send(new GetBucketWebsiteCommand({ Bucket })))).toBe('404 NoSuchWebsiteConfiguration');
  });
});
