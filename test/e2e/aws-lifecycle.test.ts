/** Lifecycle rules, through the AWS SDK for JavaScript, where a day is a second (rgw_lc_debug_interval). */
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketLifecycleCommand,
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  HeadObjectCommand,
  type LifecycleRule,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type S3Gateway, s3ClientOf, startS3Gateway } from './s3-gateway.ts';

let gateway: S3Gateway;
let client: S3Client;
let made = 0;

beforeAll(async () => {
  gateway = await startS3Gateway(29_600, 'rgw_lc_debug_interval=1');
  client = s3ClientOf(gateway);
}, 180_000);
afterAll(async () => {
  client?.destroy();
  await gateway?.stop();
});

async function newBucket(...Rules: LifecycleRule[]): Promise<string> {
  const Bucket = `lifecycle-${made++}`;
  await client.send(new CreateBucketCommand({ Bucket }));
  if (Rules.length > 0) await setRules(Bucket, ...Rules);
  return Bucket;
}

const setRules = (Bucket: string, ...Rules: LifecycleRule[]) =>
  client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
const put = (Bucket: string, Key: string, more = {}) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body: Key, ...more }));

async function keysOf(Bucket: string): Promise<(string | undefined)[]> {
  return ((await client.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key }) => Key);
}

async function refusal(request: Promise<unknown>): Promise<string> {
  return await request.then(
    () => 'accepted',
    ({ name, $metadata }) => `${$metadata?.httpStatusCode} ${name}`,
  );
}

const SOON = { timeout: 60_000, interval: 300 };
const Enabled = 'Enabled' as const;

test('rules are kept as they were given, and go', async () => {
  const rules: LifecycleRule[] = [
    { ID: 'a', Status: Enabled, Filter: { Prefix: 'logs/' }, Expiration: { Days: 30 } },
    {
      ID: 'b',
      Status: 'Disabled',
      Filter: { Tag: { Key: 'k', Value: 'v' } },
      Expiration: { Date: new Date('2030-01-01T00:00:00Z') },
    },
    {
      ID: 'c',
      Status: Enabled,
      Filter: {
        And: {
          Prefix: 'x',
          Tags: [
            { Key: 'k', Value: 'v' },
            { Key: 'l', Value: 'w' },
          ],
        },
      },
      NoncurrentVersionExpiration: { NoncurrentDays: 3 },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 },
      Expiration: { Days: 1 },
    },
  ];
  const Bucket = await newBucket(...rules);
  const read = () => client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));

  expect((await read()).Rules).toEqual(rules);
  await client.send(new DeleteBucketLifecycleCommand({ Bucket }));
  expect(await refusal(read())).toBe('404 NoSuchLifecycleConfiguration');
});

test.each<[string, LifecycleRule[], string]>([
  ['no action', [{ ID: 'a', Status: Enabled, Filter: { Prefix: '' } }], '400 MalformedXML'],
  ['no days', [{ ID: 'a', Status: Enabled, Filter: { Prefix: '' }, Expiration: { Days: 0 } }], '400 InvalidArgument'],
  [
    'a wrong status',
    [{ ID: 'a', Status: 'enabled' as never, Filter: { Prefix: '' }, Expiration: { Days: 1 } }],
    '400 MalformedXML',
  ],
  [
    'an id twice',
    [1, 2].map((Days) => ({ ID: 'a', Status: Enabled, Filter: { Prefix: '' }, Expiration: { Days } })),
    '400 InvalidArgument',
  ],
])('rules with %s are refused', async (_, rules, answer) => {
  const Bucket = await newBucket();

  expect(await refusal(setRules(Bucket, ...rules))).toBe(answer);
});

test('objects end by prefix and tags; what is announced comes', async () => {
  const Bucket = await newBucket(
    { ID: 'logs', Status: Enabled, Filter: { Prefix: 'logs/' }, Expiration: { Days: 2 } },
    { ID: 'tagged', Status: Enabled, Filter: { Tag: { Key: 'keep', Value: 'no' } }, Expiration: { Days: 2 } },
    { ID: 'never', Status: Enabled, Filter: { Prefix: 'kept' }, Expiration: { Days: 10_000 } },
  );
  const { Expiration } = await put(Bucket, 'logs/1');
  expect(Expiration).toMatch(/^expiry-date="\w{3}, \d\d \w{3} \d{4} 00:00:00 GMT", rule-id="logs"$/);
  await put(Bucket, 'a', { Tagging: 'keep=no' });
  await put(Bucket, 'b', { Tagging: 'keep=yes' });
  await put(Bucket, 'kept');

  await vi.waitFor(async () => expect(await keysOf(Bucket)).toEqual(['b', 'kept']), SOON);
  const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'kept' }));
  expect(head.Expiration).toContain('rule-id="never"');
  expect((await client.send(new HeadObjectCommand({ Bucket, Key: 'b' }))).Expiration).toBeUndefined();
});

test('where there are versions objects are hidden, then old versions and lonely markers go', async () => {
  const Bucket = await newBucket();
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  for (const Key of ['a', 'a', 'b']) await put(Bucket, Key);
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'b' }));
  const versions = async () => {
    const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    return [Versions.map(({ Key }) => Key), DeleteMarkers.map(({ Key }) => Key)];
  };
  expect(await versions()).toEqual([['a', 'a', 'b'], ['b']]);

  const scope = { Status: Enabled, Filter: { Prefix: '' } };
  await setRules(Bucket, { ID: 'hide', ...scope, Expiration: { Days: 1 } });
  await vi.waitFor(
    async () =>
      expect(await versions()).toEqual([
        ['a', 'a', 'b'],
        ['a', 'b'],
      ]),
    SOON,
  );
  await setRules(Bucket, {
    ID: 'end',
    ...scope,
    NoncurrentVersionExpiration: { NoncurrentDays: 1 },
    Expiration: { ExpiredObjectDeleteMarker: true },
  });
  await vi.waitFor(async () => expect(await versions()).toEqual([[], []]), SOON);
});

test('uploads that nobody completes are given up', async () => {
  const Bucket = await newBucket({
    ID: 'uploads',
    Status: Enabled,
    Filter: { Prefix: 'a' },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
  });
  for (const Key of ['a', 'b']) await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const uploads = async () =>
    (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads?.map(({ Key }) => Key);

  await vi.waitFor(async () => expect(await uploads()).toEqual(['b']), SOON);
});
