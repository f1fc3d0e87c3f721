/** Who may do what in whose bucket: policies, public access blocks, CORS, who pays. Through the AWS SDK for JavaScript. */
import {
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCorsCommand,
  DeleteBucketOwnershipControlsCommand,
  DeleteBucketPolicyCommand,
  DeleteBucketTaggingCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  DeletePublicAccessBlockCommand,
  GetBucketAclCommand,
  GetBucketCorsCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetBucketRequestPaymentCommand,
  GetBucketTaggingCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  GetPublicAccessBlockCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ObjectOwnership,
  PutBucketAclCommand,
  PutBucketCorsCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketRequestPaymentCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type S3Gateway, s3ClientOf, startS3Gateway } from './s3-gateway.ts';

let gateway: S3Gateway;
let alice: S3Client;
let bob: S3Client;
let made = 0;

beforeAll(async () => {
  gateway = await startS3Gateway(29_400);
  alice = s3ClientOf(gateway);
  bob = s3ClientOf(gateway, await gateway.createUser('bob'));
}, 180_000);
afterAll(async () => {
  alice?.destroy();
  bob?.destroy();
  await gateway?.stop();
});

/** Of alice, with the objects a/1 and b/1. */
async function newBucket(): Promise<string> {
  const Bucket = `access-${made++}`;
  await alice.send(new CreateBucketCommand({ Bucket }));
  for (const Key of ['a/1', 'b/1']) await alice.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  return Bucket;
}

async function setPolicy(Bucket: string, ...statements: readonly object[]): Promise<void> {
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  await alice.send(new PutBucketPolicyCommand({ Bucket, Policy }));
}

/** `ok`, or the code of the refusal. */
async function outcome(request: Promise<unknown>): Promise<string> {
  try {
    await request;
    return 'ok';
  } catch (error) {
    return (error as Error).name;
  }
}

const get = (client: S3Client, Bucket: string, Key: string) =>
  outcome(client.send(new GetObjectCommand({ Bucket, Key })));
const BOB = { AWS: 'arn:aws:iam:::user/bob' };

describe('a policy', () => {
  test('gives others what it says, and no more', async () => {
    const Bucket = await newBucket();
    const read = { Effect: 'Allow', Principal: BOB, Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/a/*` };
    const list = {
      Effect: 'Allow',
      Principal: BOB,
      Action: 's3:ListBucket',
      Resource: `arn:aws:s3:::${Bucket}`,
      Condition: { StringLike: { 's3:prefix': 'a/*' } },
    };
    const listing = (Prefix: string) => outcome(bob.send(new ListObjectsV2Command({ Bucket, Prefix })));

    expect(await get(bob, Bucket, 'a/1')).toBe('AccessDenied');
    await setPolicy(Bucket, read, list);
    expect([await get(bob, Bucket, 'a/1'), await get(bob, Bucket, 'b/1')]).toEqual(['ok', 'AccessDenied']);
    expect([await listing('a/'), await listing('b/'), await listing('')]).toEqual([
      'ok',
      'AccessDenied',
      'AccessDenied',
    ]);
    expect(await outcome(bob.send(new PutObjectCommand({ Bucket, Key: 'a/2' })))).toBe('AccessDenied');
    expect((await fetch(`${gateway.endpoint}/${Bucket}/a/1`)).status).toBe(403);

    await alice.send(new DeleteBucketPolicyCommand({ Bucket }));
    expect(await get(bob, Bucket, 'a/1')).toBe('AccessDenied');
  });

  test('that denies holds for the owner as well, and says so', async () => {
    const Bucket = await newBucket();
    await setPolicy(Bucket, {
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:DeleteObject',
      Resource: `arn:aws:s3:::${Bucket}/a/*`,
    });

    const { Deleted, Errors } = await alice.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'a/1' }, { Key: 'b/1' }] } }),
    );

    expect(Deleted?.map(({ Key }) => Key)).toEqual(['b/1']);
    expect(Errors).toMatchObject([{ Key: 'a/1', Code: 'AccessDenied', Message: 'A policy denies it' }]);
  });

  test('is read back as it was given; others may neither read nor set it', async () => {
    const Bucket = await newBucket();
    const asked = outcome(alice.send(new GetBucketPolicyCommand({ Bucket })));
    expect(await asked).toBe('NoSuchBucketPolicy');
    await setPolicy(Bucket, {
      Effect: 'Allow',
      Principal: '*',
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::${Bucket}/*`,
    });

    const { Policy } = await alice.send(new GetBucketPolicyCommand({ Bucket }));
    expect(JSON.parse(Policy!).Statement[0].Action).toBe('s3:GetObject');
    expect(await (await fetch(`${gateway.endpoint}/${Bucket}/a/1`)).text()).toBe('a/1');
    expect(await outcome(bob.send(new GetBucketPolicyCommand({ Bucket })))).toBe('AccessDenied');
    expect(await outcome(bob.send(new PutBucketPolicyCommand({ Bucket, Policy })))).toBe('AccessDenied');
    const wrong = alice.send(new PutBucketPolicyCommand({ Bucket, Policy: '{"Statement": [{"Effect": "Maybe"}]}' }));
    await expect(wrong).rejects.toMatchObject({
      name: 'MalformedPolicy',
      message: 'Statement 1: Effect is Allow or Deny',
    });
  });
});

describe('tags', () => {
  const tags = (...keys: string[]) => ({ TagSet: keys.map((Key) => ({ Key, Value: `of ${Key}` })) });

  test('of objects are given, read, changed and taken away, also of versions', async () => {
    const Bucket = await newBucket();
    const Key = 'a/1';
    await alice.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const { VersionId } = await alice.send(new PutObjectCommand({ Bucket, Key, Tagging: 'color=red&size=' }));
    await alice.send(new PutObjectCommand({ Bucket, Key }));
    const read = async (more = {}) =>
      (await alice.send(new GetObjectTaggingCommand({ Bucket, Key, ...more }))).TagSet?.map(({ Key, Value }) => [
        Key,
        Value,
      ]);
    const count = async () => (await alice.send(new HeadObjectCommand({ Bucket, Key }))).TagCount;

    expect([await read(), await read({ VersionId })]).toEqual([
      [],
      [
        ['color', 'red'],
        ['size', ''],
      ],
    ]);
    await alice.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: tags('b', 'a') }));
    expect([await read(), await count()]).toEqual([
      [
        ['a', 'of a'],
        ['b', 'of b'],
      ],
      2,
    ]);
    const many = tags(...Array.from({ length: 11 }, (_, i) => `k${i}`));
    expect(await outcome(alice.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: many })))).toBe('InvalidTag');
    await alice.send(new DeleteObjectTaggingCommand({ Bucket, Key }));
    expect([await read(), await count()]).toEqual([[], undefined]);
  });

  test('go with copies, or are replaced', async () => {
    const Bucket = await newBucket();
    await alice.send(new PutObjectCommand({ Bucket, Key: 'source', Tagging: 'a=1' }));
    const copy = (Key: string, more = {}) =>
      alice.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/source`, ...more }));
    await copy('same');
    await copy('other', { TaggingDirective: 'REPLACE', Tagging: 'b=2' });
    const read = async (Key: string) => (await alice.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet;

    expect([await read('same'), await read('other')]).toEqual([[{ Key: 'a', Value: '1' }], [{ Key: 'b', Value: '2' }]]);
  });

  test('of buckets are kept, and go; policies ask for those of objects', async () => {
    const Bucket = await newBucket();
    const read = () => alice.send(new GetBucketTaggingCommand({ Bucket }));
    expect(await outcome(read())).toBe('NoSuchTagSet');
    await alice.send(new PutBucketTaggingCommand({ Bucket, Tagging: tags('x') }));
    expect((await read()).TagSet).toEqual([{ Key: 'x', Value: 'of x' }]);
    await alice.send(new DeleteBucketTaggingCommand({ Bucket }));
    expect(await outcome(read())).toBe('NoSuchTagSet');

    await setPolicy(Bucket, {
      Effect: 'Allow',
      Principal: BOB,
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::${Bucket}/*`,
      Condition: { StringEquals: { 's3:ExistingObjectTag/open': 'yes' } },
    });
    await alice.send(new PutObjectCommand({ Bucket, Key: 'a/1', Tagging: 'open=yes' }));
    expect([await get(bob, Bucket, 'a/1'), await get(bob, Bucket, 'b/1')]).toEqual(['ok', 'AccessDenied']);
  });
});

describe('a public access block', () => {
  const nothing = {
    BlockPublicAcls: false,
    IgnorePublicAcls: false,
    BlockPublicPolicy: false,
    RestrictPublicBuckets: false,
  };
  const block = (Bucket: string, what: Partial<typeof nothing>) =>
    alice.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: { ...nothing, ...what } }));

  test('is kept, and goes', async () => {
    const Bucket = await newBucket();
    const read = () => alice.send(new GetPublicAccessBlockCommand({ Bucket }));

    expect(await outcome(read())).toBe('NoSuchPublicAccessBlockConfiguration');
    await block(Bucket, { IgnorePublicAcls: true });
    expect((await read()).PublicAccessBlockConfiguration).toEqual({ ...nothing, IgnorePublicAcls: true });
    await alice.send(new DeletePublicAccessBlockCommand({ Bucket }));
    expect(await outcome(read())).toBe('NoSuchPublicAccessBlockConfiguration');
  });

  test('ignores ACLs that let in everybody, and takes no new ones', async () => {
    const Bucket = await newBucket();
    const anonymous = async () => (await fetch(`${gateway.endpoint}/${Bucket}/a/1`)).status;
    const open = () => outcome(alice.send(new PutObjectAclCommand({ Bucket, Key: 'a/1', ACL: 'public-read' })));
    expect([await anonymous(), await open(), await anonymous()]).toEqual([403, 'ok', 200]);

    await block(Bucket, { IgnorePublicAcls: true });
    expect([await anonymous(), await open()]).toEqual([403, 'ok']);
    await block(Bucket, { BlockPublicAcls: true });
    expect([await anonymous(), await open()]).toEqual([200, 'AccessDenied']);
    expect(await outcome(alice.send(new PutBucketAclCommand({ Bucket, ACL: 'public-read' })))).toBe('AccessDenied');
    const withAcl = new PutObjectCommand({ Bucket, Key: 'c', ACL: 'public-read' });
    expect(await outcome(alice.send(withAcl))).toBe('AccessDenied');
  });

  test('takes no policy that lets in everybody, and holds one that is there to users', async () => {
    const Bucket = await newBucket();
    const all = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` };
    const isPublic = async () =>
      (await alice.send(new GetBucketPolicyStatusCommand({ Bucket }))).PolicyStatus?.IsPublic;
    const anonymous = async () => (await fetch(`${gateway.endpoint}/${Bucket}/a/1`)).status;
    expect(await isPublic()).toBe(false);
    await setPolicy(Bucket, all);
    expect([await isPublic(), await anonymous()]).toEqual([true, 200]);

    await block(Bucket, { RestrictPublicBuckets: true });
    expect([await anonymous(), await get(bob, Bucket, 'a/1')]).toEqual([403, 'ok']);
    await block(Bucket, { BlockPublicPolicy: true });
    expect(await outcome(setPolicy(Bucket, all))).toBe('AccessDenied');
    expect(await outcome(setPolicy(Bucket, { ...all, Principal: BOB }))).toBe('ok');
  });
});

describe('CORS', () => {
  const CORSRules = [
    {
      AllowedMethods: ['GET', 'PUT'],
      AllowedOrigins: ['https://*.example.com'],
      AllowedHeaders: ['x-amz-*'],
      ExposeHeaders: ['ETag'],
      MaxAgeSeconds: 60,
    },
    { AllowedMethods: ['GET'], AllowedOrigins: ['*'] },
  ];

  test('rules are kept, and go', async () => {
    const Bucket = await newBucket();
    const read = () => alice.send(new GetBucketCorsCommand({ Bucket }));

    expect(await outcome(read())).toBe('NoSuchCORSConfiguration');
    await alice.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));
    expect((await read()).CORSRules).toEqual(CORSRules);
    await alice.send(new DeleteBucketCorsCommand({ Bucket }));
    expect(await outcome(read())).toBe('NoSuchCORSConfiguration');
  });

  test('a browser is told whether it may, before and with the answer, also of an error', async () => {
    const Bucket = await newBucket();
    await alice.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));
    const ask = async (method: string, headers: Record<string, string>, key = 'a/1') => {
      const { status, headers: answered } = await fetch(`${gateway.endpoint}/${Bucket}/${key}`, { method, headers });
      const told = ['origin', 'methods', 'headers'].map((name) => answered.get(`access-control-allow-${name}`));
      return [status, ...told, answered.get('access-control-max-age')];
    };
    const preflight = (origin: string, method: string, headers?: string) =>
      ask('OPTIONS', {
        origin,
        'access-control-request-method': method,
        ...(headers && { 'access-control-request-headers': headers }),
      });
    const page = 'https://www.example.com';

    expect(await preflight(page, 'PUT', 'x-amz-date')).toEqual([200, page, 'PUT', 'x-amz-date', '60']);
    expect(await preflight(page, 'PUT', 'x-other')).toEqual([403, null, null, null, null]);
    expect(await preflight('https://example.org', 'PUT')).toEqual([403, null, null, null, null]);
    expect(await preflight('https://example.org', 'GET')).toEqual([200, '*', 'GET', null, null]);
    expect(await ask('OPTIONS', { origin: page })).toEqual([400, null, null, null, null]);
    expect(await ask('OPTIONS', {})).toEqual([400, null, null, null, null]);
    expect(await ask('GET', { origin: page })).toEqual([403, page, 'GET', null, '60']);
    expect(await ask('GET', { origin: 'null' }, 'none')).toEqual([403, '*', 'GET', null, null]);
  });
});

test('where the owner is enforced ACLs count for nothing, and what others write is the owner’s', async () => {
  const Bucket = await newBucket();
  const read = () => alice.send(new GetBucketOwnershipControlsCommand({ Bucket }));
  const set = (ObjectOwnership: ObjectOwnership) =>
    outcome(
      alice.send(
        new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership }] } }),
      ),
    );
  const ownerOf = async (Key: string) => (await alice.send(new GetObjectAclCommand({ Bucket, Key }))).Owner?.ID;
  const write = { Effect: 'Allow', Principal: BOB, Action: 's3:PutObject', Resource: `arn:aws:s3:::${Bucket}/*` };
  await setPolicy(Bucket, write);
  await alice.send(new PutObjectAclCommand({ Bucket, Key: 'a/1', ACL: 'authenticated-read' }));
  const full = { ACL: 'bucket-owner-full-control' as const };
  const put = (Key: string, more = {}) => outcome(bob.send(new PutObjectCommand({ Bucket, Key, ...more })));

  expect(await outcome(read())).toBe('OwnershipControlsNotFoundError');
  expect([await get(bob, Bucket, 'a/1'), await put('his', full), await ownerOf('his')]).toEqual(['ok', 'ok', 'bob']);
  expect(await set('BucketOwnerPreferred')).toBe('ok');
  const owner = await ownerOf('a/1');
  expect([await put('given', full), await ownerOf('given')]).toEqual(['ok', owner]);
  expect(await set('BucketOwnerEnforced')).toBe('ok');
  expect((await read()).OwnershipControls?.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }]);
  expect([await get(bob, Bucket, 'a/1'), await get(alice, Bucket, 'his')]).toEqual(['AccessDenied', 'ok']);
  expect([await put('hers'), await ownerOf('hers')]).toEqual(['ok', owner]);
  expect(await put('more', { ACL: 'public-read' })).toBe('AccessControlListNotSupported');
  const acl = new PutObjectAclCommand({ Bucket, Key: 'a/1', ACL: 'private' });
  expect(await outcome(alice.send(acl))).toBe('AccessControlListNotSupported');
  await alice.send(new DeleteBucketOwnershipControlsCommand({ Bucket }));
  expect(await get(bob, Bucket, 'a/1')).toBe('ok');
});

test('a new bucket may be told whose its objects are', async () => {
  const create = async (more: object) => {
    const Bucket = `access-${made++}`;
    return [Bucket, await outcome(alice.send(new CreateBucketCommand({ Bucket, ...more })))] as const;
  };
  const read = async (Bucket: string) =>
    (await alice.send(new GetBucketOwnershipControlsCommand({ Bucket }))).OwnershipControls?.Rules;

  for (const ObjectOwnership of ['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter'] as const) {
    const [Bucket, created] = await create({ ObjectOwnership });
    expect([created, await read(Bucket)]).toEqual(['ok', [{ ObjectOwnership }]]);
  }
  const [, unknown] = await create({ ObjectOwnership: 'Nobody' });
  const [, shared] = await create({ ObjectOwnership: 'BucketOwnerEnforced', ACL: 'public-read' });
  expect([unknown, shared]).toEqual(['InvalidArgument', 'InvalidBucketAclWithObjectOwnership']);
});

test('an owner to whom the ACL of her bucket grants nothing can read and change that ACL, and her objects', async () => {
  const Bucket = await newBucket();
  const { Owner } = await alice.send(new GetBucketAclCommand({ Bucket }));
  const set = (more: object) => outcome(alice.send(new PutBucketAclCommand({ Bucket, ...more })));
  const put = () => outcome(alice.send(new PutObjectCommand({ Bucket, Key: 'new', Body: 'new' })));
  const list = () => outcome(alice.send(new ListObjectsV2Command({ Bucket })));

  expect(await set({ AccessControlPolicy: { Owner, Grants: [] } })).toBe('ok');
  expect([await put(), await list(), await get(alice, Bucket, 'a/1')]).toEqual(['AccessDenied', 'AccessDenied', 'ok']);
  expect((await alice.send(new GetBucketAclCommand({ Bucket }))).Grants ?? []).toEqual([]);
  expect([await set({ ACL: 'private' }), await put(), await list()]).toEqual(['ok', 'ok', 'ok']);
});

test('where who asks pays, others must say that they will', async () => {
  const Bucket = await newBucket();
  await setPolicy(Bucket, {
    Effect: 'Allow',
    Principal: '*',
    Action: 's3:GetObject',
    Resource: `arn:aws:s3:::${Bucket}/*`,
  });
  await alice.send(new PutBucketRequestPaymentCommand({ Bucket, RequestPaymentConfiguration: { Payer: 'Requester' } }));

  expect((await alice.send(new GetBucketRequestPaymentCommand({ Bucket }))).Payer).toBe('Requester');
  expect([await get(alice, Bucket, 'a/1'), await get(bob, Bucket, 'a/1')]).toEqual(['ok', 'AccessDenied']);
  const paid = new GetObjectCommand({ Bucket, Key: 'a/1', RequestPayer: 'requester' });
  expect(await outcome(bob.send(paid))).toBe('ok');
});

describe('quotas', () => {
  const put = async (by: S3Client, Bucket: string, Key: string, Body = '') =>
    await by.send(new PutObjectCommand({ Bucket, Key, Body })).then(
      () => 'stored',
      (error: Error) => error.name,
    );

  test('a bucket has room for what its quota says', async () => {
    const Bucket = await newBucket();
    const quota = (...args: string[]) => gateway.admin('quota', ...args, '--bucket', Bucket);
    await quota('set', '--max-objects', '3');
    await quota('enable');
    expect(await put(alice, Bucket, 'c')).toBe('stored');
    expect(await put(alice, Bucket, 'd')).toBe('QuotaExceeded');
    await quota('set', '--max-objects', '-1', '--max-size', '16K');
    // Each object counts in whole blocks of 4 KiB.
    expect(await put(alice, Bucket, 'd', 'x'.repeat(8193))).toBe('QuotaExceeded');
    expect(await put(alice, Bucket, 'd', 'x'.repeat(8192))).toBe('stored');
    const { UploadId } = await alice.send(new CreateMultipartUploadCommand({ Bucket, Key: 'e' }));
    const part = { Bucket, Key: 'e', UploadId, PartNumber: 1, Body: 'x' };
    await expect(alice.send(new UploadPartCommand(part))).rejects.toMatchObject({ name: 'QuotaExceeded' });
    await quota('disable');
    expect(await put(alice, Bucket, 'd', 'x'.repeat(100_000))).toBe('stored');
  });

  test('a user has room for what the quota says, in all buckets', async () => {
    const keys = await gateway.createUser('carol');
    const carol = s3ClientOf(gateway, keys);
    const quota = (...args: string[]) => gateway.admin('quota', ...args, '--uid', 'carol', '--quota-scope', 'user');
    await quota('set', '--max-objects', '2');
    await quota('enable');
    for (const Bucket of ['carol-1', 'carol-2']) {
      await carol.send(new CreateBucketCommand({ Bucket }));
      expect(await put(carol, Bucket, 'a')).toBe('stored');
    }
    expect(await put(carol, 'carol-1', 'b')).toBe('QuotaExceeded');
    const copy = new CopyObjectCommand({ Bucket: 'carol-1', Key: 'b', CopySource: 'carol-2/a' });
    await expect(carol.send(copy)).rejects.toMatchObject({ name: 'QuotaExceeded' });
    carol.destroy();
  });
});
