/** Object lock, through the AWS SDK for JavaScript. */
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type S3Gateway, s3ClientOf, startS3Gateway } from './s3-gateway.ts';

const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Math.floor(Date.now() / 1000) * 1000 + days * DAY_MS);

let gateway: S3Gateway;
let client: S3Client;
let made = 0;

beforeAll(async () => {
  gateway = await startS3Gateway(30_400);
  client = s3ClientOf(gateway);
}, 180_000);
afterAll(async () => {
  client?.destroy();
  await gateway?.stop();
});

async function newBucket(ObjectLockEnabledForBucket = true): Promise<string> {
  const Bucket = `locked-${made++}`;
  await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket }));
  return Bucket;
}

async function put(Bucket: string, more = {}) {
  const { VersionId } = await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x', ...more }));
  return { Bucket, Key: 'a', VersionId };
}

async function outcome(request: Promise<unknown>): Promise<string> {
  return await request.then(
    () => 'ok',
    ({ name, $metadata }) => `${$metadata?.httpStatusCode} ${name}`,
  );
}

const remove = (version: object, more = {}) =>
  outcome(client.send(new DeleteObjectCommand({ ...version, ...more } as never)));
const bypass = { BypassGovernanceRetention: true };
const retain = (version: object, Mode: 'GOVERNANCE' | 'COMPLIANCE', days: number, more = {}) =>
  outcome(
    client.send(
      new PutObjectRetentionCommand({
        ...version,
        Retention: { Mode, RetainUntilDate: inDays(days) },
        ...more,
      } as never),
    ),
  );

test('a bucket with object lock keeps versions, and a default', async () => {
  const Bucket = await newBucket();
  const rule = { DefaultRetention: { Mode: 'GOVERNANCE' as const, Days: 3 } };
  const configure = (Bucket: string, Rule?: object) =>
    outcome(
      client.send(
        new PutObjectLockConfigurationCommand({
          Bucket,
          ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', ...(Rule && { Rule }) },
        }),
      ),
    );
  const read = async (Bucket: string) =>
    (await client.send(new GetObjectLockConfigurationCommand({ Bucket }))).ObjectLockConfiguration;
  const suspend = new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } });

  expect((await client.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe('Enabled');
  expect(await outcome(client.send(suspend))).toBe('409 InvalidBucketState');
  expect(await read(Bucket)).toEqual({ ObjectLockEnabled: 'Enabled' });
  expect(await configure(Bucket, rule)).toBe('ok');
  expect(await read(Bucket)).toEqual({ ObjectLockEnabled: 'Enabled', Rule: rule });
  expect(await configure(Bucket, { DefaultRetention: { Mode: 'GOVERNANCE', Days: 0 } })).toBe(
    '400 InvalidRetentionPeriod',
  );
  expect(await configure(Bucket, { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1, Years: 1 } })).toBe(
    '400 MalformedXML',
  );

  const { ObjectLockMode, ObjectLockRetainUntilDate } = await client.send(new HeadObjectCommand(await put(Bucket)));
  expect(ObjectLockMode).toBe('GOVERNANCE');
  expect(Math.abs(ObjectLockRetainUntilDate!.getTime() - inDays(3).getTime())).toBeLessThan(60_000);

  const other = await newBucket(false);
  expect(await outcome(read(other))).toBe('404 ObjectLockConfigurationNotFoundError');
  expect(await configure(other)).toBe('409 InvalidBucketState');
  expect(await outcome(put(other, { ObjectLockLegalHoldStatus: 'ON' }))).toBe('400 InvalidRequest');
});

test('a bucket that keeps versions may be given a lock, and keeps them from then on', async () => {
  const Bucket = await newBucket(false);
  const rule = { DefaultRetention: { Mode: 'GOVERNANCE' as const, Days: 3 } };
  const version = (Status: 'Enabled' | 'Suspended') =>
    outcome(client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } })));
  const configure = () => {
    const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled' as const, Rule: rule };
    return outcome(client.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration })));
  };

  expect([await version('Suspended'), await configure()]).toEqual(['ok', '409 InvalidBucketState']);
  expect([await version('Enabled'), await configure(), await version('Suspended')]).toEqual([
    'ok',
    'ok',
    '409 InvalidBucketState',
  ]);
  const locked = await put(Bucket);
  expect((await client.send(new HeadObjectCommand(locked))).ObjectLockMode).toBe('GOVERNANCE');
  expect(await remove(locked)).toBe('403 AccessDenied');
});

test('governance is bypassed by who says so; compliance by nobody', async () => {
  const Bucket = await newBucket();
  const until = { ObjectLockRetainUntilDate: inDays(1) };
  const governed = await put(Bucket, { ObjectLockMode: 'GOVERNANCE', ...until });
  const complying = await put(Bucket, { ObjectLockMode: 'COMPLIANCE', ...until });

  expect([await remove(governed), await remove(complying)]).toEqual(['403 AccessDenied', '403 AccessDenied']);
  const { Errors } = await client.send(
    new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'a', VersionId: governed.VersionId! }] } }),
  );
  expect(Errors).toMatchObject([{ Key: 'a', Code: 'AccessDenied' }]);
  expect([await remove(governed, bypass), await remove(complying, bypass)]).toEqual(['ok', '403 AccessDenied']);
  // A delete marker hides what is locked, and takes nothing away.
  expect(await remove({ Bucket, Key: 'a' })).toBe('ok');
  expect((await client.send(new HeadObjectCommand(complying))).ObjectLockMode).toBe('COMPLIANCE');
});

test('a retention is made longer by anybody, and weaker by who may bypass it', async () => {
  const version = await put(await newBucket());
  const read = async () => (await client.send(new GetObjectRetentionCommand(version as never))).Retention;

  expect(await outcome(read())).toBe('404 NoSuchObjectLockConfiguration');
  expect(await retain(version, 'GOVERNANCE', -1)).toBe('400 InvalidArgument');
  expect(await retain(version, 'GOVERNANCE', 2)).toBe('ok');
  expect(await retain(version, 'GOVERNANCE', 3)).toBe('ok');
  const { Mode, RetainUntilDate } = (await read())!;
  expect(Mode).toBe('GOVERNANCE');
  expect(Math.abs(RetainUntilDate!.getTime() - inDays(3).getTime())).toBeLessThan(60_000);
  expect(await retain(version, 'GOVERNANCE', 1)).toBe('403 AccessDenied');
  expect(await retain(version, 'GOVERNANCE', 1, bypass)).toBe('ok');
  expect(await retain(version, 'COMPLIANCE', 2, bypass)).toBe('ok');
  expect(await retain(version, 'GOVERNANCE', 3, bypass)).toBe('403 AccessDenied');
  expect(await retain(version, 'COMPLIANCE', 1, bypass)).toBe('403 AccessDenied');
});

test('a legal hold keeps a version until it is taken away', async () => {
  const Bucket = await newBucket();
  const version = await put(Bucket, { ObjectLockLegalHoldStatus: 'ON' });
  const hold = (Status: 'ON' | 'OFF') =>
    client.send(new PutObjectLegalHoldCommand({ ...version, LegalHold: { Status } } as never));
  const read = async () => (await client.send(new GetObjectLegalHoldCommand(version as never))).LegalHold?.Status;

  expect([await read(), await remove(version, bypass)]).toEqual(['ON', '403 AccessDenied']);
  await hold('OFF');
  expect([await read(), await remove(version)]).toEqual(['OFF', 'ok']);
});

test('what holds a copy is its own', async () => {
  const Bucket = await newBucket();
  await put(Bucket, { ObjectLockLegalHoldStatus: 'ON' });
  const copy = (Key: string, more = {}) =>
    client.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/a`, ...more }));
  await copy('free');
  await copy('held', { ObjectLockLegalHoldStatus: 'ON' });
  const held = async (Key: string) =>
    (await client.send(new HeadObjectCommand({ Bucket, Key }))).ObjectLockLegalHoldStatus;

  expect([await held('free'), await held('held')]).toEqual([undefined, 'ON']);
});
