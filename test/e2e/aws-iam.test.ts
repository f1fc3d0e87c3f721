/** Policies of users and roles, and sessions that act in a role, through the AWS SDK for JavaScript. */
import {
  DeleteUserPolicyCommand,
  GetUserPolicyCommand,
  IAMClient,
  ListUserPoliciesCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type S3Gateway, type S3Keys, s3ClientOf, startS3Gateway } from './s3-gateway.ts';

let gateway: S3Gateway;
let owner: S3Client;
let made = 0;

const iamOf = ({ endpoint }: S3Gateway, { accessKey, secretKey }: S3Keys): IAMClient =>
  new IAMClient({
    endpoint,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
  });

beforeAll(async () => {
  gateway = await startS3Gateway(31_000);
  owner = s3ClientOf(gateway);
}, 180_000);
afterAll(async () => {
  owner?.destroy();
  await gateway?.stop();
});

/** A user, with clients of their own. */
async function newUser(caps?: string) {
  const uid = `user-${made++}`;
  const keys = await gateway.createUser(uid);
  if (caps !== undefined) await gateway.admin('caps', 'add', '--uid', uid, '--caps', caps);
  return { uid, iam: iamOf(gateway, keys), s3: s3ClientOf(gateway, keys) };
}

/** Of the first user, with the objects a/1 and b/1. */
async function newBucket(): Promise<string> {
  const Bucket = `iam-${made++}`;
  await owner.send(new CreateBucketCommand({ Bucket }));
  for (const Key of ['a/1', 'b/1']) await owner.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  return Bucket;
}

function policyOf(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

/** `ok`, or the status of the refusal. */
async function outcome(request: Promise<unknown>): Promise<string | number> {
  try {
    await request;
    return 'ok';
  } catch (error) {
    return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? (error as Error).name;
  }
}

describe('policies of users', () => {
  test('are kept by name, told, and taken away, by whom an administrator lets do so', async () => {
    const { iam } = await newUser('user-policy=*');
    const other = await newUser();
    const UserName = other.uid;
    const documents = ['s3:GetObject', 's3:PutObject'].map((Action) =>
      policyOf({ Effect: 'Allow', Action, Resource: '*', Sid: 'a + b = 100% <&>' }),
    );
    for (const [i, PolicyDocument] of documents.entries())
      await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: `p${i}`, PolicyDocument }));

    expect(await iam.send(new ListUserPoliciesCommand({ UserName }))).toMatchObject({ PolicyNames: ['p0', 'p1'] });
    const got = await iam.send(new GetUserPolicyCommand({ UserName, PolicyName: 'p1' }));
    expect(got).toMatchObject({ UserName, PolicyName: 'p1', PolicyDocument: documents[1] });
    await iam.send(new DeleteUserPolicyCommand({ UserName, PolicyName: 'p0' }));
    expect(await iam.send(new ListUserPoliciesCommand({ UserName }))).toMatchObject({ PolicyNames: ['p1'] });
    const refused = [
      iam.send(new GetUserPolicyCommand({ UserName, PolicyName: 'p0' })),
      iam.send(new PutUserPolicyCommand({ UserName: 'nobody', PolicyName: 'p', PolicyDocument: documents[0] })),
      iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument: '{"Statement":[]}' })),
      iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'p p', PolicyDocument: documents[0] })),
      other.iam.send(new ListUserPoliciesCommand({ UserName })),
    ];
    expect(await Promise.all(refused.map(outcome))).toEqual([404, 404, 400, 400, 403]);
  });

  test('allow what ACLs do not, until one denies it', async () => {
    const admin = await newUser('user-policy=*');
    const { uid, s3 } = await newUser();
    const Bucket = await newBucket();
    const arn = `arn:aws:s3:::${Bucket}`;
    const get = (Key: string) => outcome(s3.send(new GetObjectCommand({ Bucket, Key })));
    const list = () => outcome(s3.send(new ListObjectsV2Command({ Bucket })));
    const put = (PolicyName: string, ...statements: readonly object[]) =>
      admin.iam.send(new PutUserPolicyCommand({ UserName: uid, PolicyName, PolicyDocument: policyOf(...statements) }));
    expect([await get('a/1'), await list()]).toEqual([403, 403]);

    await put('reads', { Effect: 'Allow', Action: ['s3:GetObject', 's3:ListBucket'], Resource: [arn, `${arn}/*`] });
    expect([await get('a/1'), await get('b/1'), await list()]).toEqual(['ok', 'ok', 'ok']);
    await put('not-a', { Effect: 'Deny', Action: 's3:*', Resource: `${arn}/a/*` });
    expect([await get('a/1'), await get('b/1'), await list()]).toEqual([403, 'ok', 'ok']);

    // A policy of the bucket does not allow what the user's own denies, and the other way round.
    const everybody = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `${arn}/*` };
    const notB = { Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: `${arn}/b/*` };
    await owner.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf(everybody, notB) }));
    expect([await get('a/1'), await get('b/1'), await list()]).toEqual([403, 403, 'ok']);
  });

  test('deny users what is theirs', async () => {
    const admin = await newUser('user-policy=*');
    const { uid, s3 } = await newUser();
    const Bucket = `iam-${made++}`;
    const rest = policyOf({
      Effect: 'Deny',
      Action: ['s3:CreateBucket', 's3:GetBucketPolicy', 's3:ListAllMyBuckets', 's3:PutObject'],
      Resource: '*',
    });
    await s3.send(new CreateBucketCommand({ Bucket }));

    await admin.iam.send(new PutUserPolicyCommand({ UserName: uid, PolicyName: 'less', PolicyDocument: rest }));
    const asked = [
      s3.send(new CreateBucketCommand({ Bucket: `${Bucket}-other` })),
      s3.send(new GetBucketPolicyCommand({ Bucket })),
      s3.send(new ListBucketsCommand()),
      s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' })),
      s3.send(new ListObjectsV2Command({ Bucket })),
    ];
    expect(await Promise.all(asked.map(outcome))).toEqual([403, 403, 403, 403, 'ok']);
  });

  test('let a user see to policies who has no capability', async () => {
    const admin = await newUser('user-policy=*');
    const { uid, iam } = await newUser();
    const other = await newUser();
    const document = policyOf({
      Effect: 'Allow',
      Action: 'iam:ListUserPolicies',
      Resource: `arn:aws:iam:::user/${uid}`,
    });
    await admin.iam.send(new PutUserPolicyCommand({ UserName: uid, PolicyName: 'own', PolicyDocument: document }));

    expect(await outcome(iam.send(new ListUserPoliciesCommand({ UserName: uid })))).toBe('ok');
    expect(await outcome(iam.send(new ListUserPoliciesCommand({ UserName: other.uid })))).toBe(403);
    expect(await outcome(iam.send(new DeleteUserPolicyCommand({ UserName: uid, PolicyName: 'own' })))).toBe(403);
  });
});
