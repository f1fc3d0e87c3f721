/** Policies of users and roles, and sessions that act in a role, through the AWS SDK for JavaScript. */
import { createHash, createHmac } from 'node:crypto';
import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DeleteUserPolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  GetUserPolicyCommand,
  IAMClient,
  ListRolePoliciesCommand,
  ListRolesCommand,
  ListRoleTagsCommand,
  ListUserPoliciesCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  TagRoleCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  type Credentials,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type S3Gateway, type S3Keys, s3ClientOf, startS3Gateway } from './s3-gateway.ts';

let gateway: S3Gateway;
let owner: S3Client;
/** May see to policies and roles. */
let admin: Awaited<ReturnType<typeof newUser>>;
let made = 0;

const settingsOf = ({ endpoint }: S3Gateway, { accessKey, secretKey }: S3Keys) => ({
  endpoint,
  region: 'us-east-1',
  maxAttempts: 1,
  credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
});

/** In a session. */
function s3Of({ AccessKeyId, SecretAccessKey, SessionToken }: Credentials): S3Client {
  const credentials = { accessKeyId: AccessKeyId!, secretAccessKey: SecretAccessKey!, sessionToken: SessionToken! };
  return new S3Client({ ...settingsOf(gateway, gateway), forcePathStyle: true, credentials });
}

beforeAll(async () => {
  gateway = await startS3Gateway(
    32_200,
    'rgw_s3_auth_use_sts=true',
    'rgw_sts_key=abcdefghijklmnop',
    'rgw_sts_min_session_duration=1',
  );
  owner = s3ClientOf(gateway);
  admin = await newUser('roles=*;user-policy=*');
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
  const settings = settingsOf(gateway, keys);
  return { uid, iam: new IAMClient(settings), sts: new STSClient(settings), s3: s3ClientOf(gateway, keys) };
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
    const { iam } = admin;
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

/** Trusts one user. */
function trustOf(uid: string, more = {}): string {
  const Principal = { AWS: [`arn:aws:iam:::user/${uid}`] };
  return policyOf({ Effect: 'Allow', Principal, Action: ['sts:AssumeRole'], ...more });
}

describe('roles', () => {
  test('are made, told, listed by their paths, changed and removed', async () => {
    const { iam } = admin;
    const other = await newUser();
    const [RoleName, Path] = [`role-${made++}`, `/paths/${made}/`];
    const AssumeRolePolicyDocument = trustOf(other.uid);
    const Tags = [{ Key: 'team', Value: 'red' }];

    const { Role } = await iam.send(
      new CreateRoleCommand({ RoleName, Path, AssumeRolePolicyDocument, MaxSessionDuration: 7200, Tags }),
    );
    expect(Role).toMatchObject({
      RoleName,
      Path,
      Arn: `arn:aws:iam:::role${Path}${RoleName}`,
      MaxSessionDuration: 7200,
    });
    expect((await iam.send(new GetRoleCommand({ RoleName }))).Role).toEqual(Role);
    const list = async (PathPrefix: string) =>
      (await iam.send(new ListRolesCommand({ PathPrefix }))).Roles?.map((each) => each.RoleName);
    expect([await list(Path), await list(`${Path}more/`)]).toEqual([[RoleName], []]);

    await iam.send(
      new TagRoleCommand({
        RoleName,
        Tags: [
          { Key: 'team', Value: 'blue' },
          { Key: 'x', Value: '' },
        ],
      }),
    );
    await iam.send(new UntagRoleCommand({ RoleName, TagKeys: ['x'] }));
    expect((await iam.send(new ListRoleTagsCommand({ RoleName }))).Tags).toEqual([{ Key: 'team', Value: 'blue' }]);
    const PolicyDocument = policyOf({ Effect: 'Allow', Action: 's3:*', Resource: '*' });
    for (const PolicyName of ['a', 'b'])
      await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }));
    expect((await iam.send(new ListRolePoliciesCommand({ RoleName }))).PolicyNames).toEqual(['a', 'b']);
    const got = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: 'a' }));
    expect(got).toMatchObject({ RoleName, PolicyName: 'a', PolicyDocument });
    const changed = trustOf('somebody');
    await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: changed }));
    expect((await iam.send(new GetRoleCommand({ RoleName }))).Role?.AssumeRolePolicyDocument).toBe(changed);

    expect(await gateway.admin('role', 'get', '--role-name', RoleName)).toMatchObject({
      RoleName,
      Path,
      Tags: [{ Key: 'team' }],
    });
    expect(await gateway.admin('role-policy', 'list', '--role-name', RoleName)).toEqual(['a', 'b']);
    const refused = [
      iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument })),
      iam.send(new CreateRoleCommand({ RoleName: 'r r', AssumeRolePolicyDocument })),
      iam.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: '{}' })),
      iam.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument, MaxSessionDuration: 60 })),
      iam.send(new GetRoleCommand({ RoleName: 'none' })),
      iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: 'none' })),
      iam.send(new DeleteRoleCommand({ RoleName })),
      other.iam.send(new GetRoleCommand({ RoleName })),
      other.iam.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument })),
      other.iam.send(new ListRolesCommand()),
    ];
    expect(await Promise.all(refused.map(outcome))).toEqual([409, 400, 400, 400, 404, 404, 409, 403, 403, 403]);

    for (const PolicyName of ['a', 'b']) await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
    await iam.send(new DeleteRoleCommand({ RoleName }));
    expect(await outcome(iam.send(new GetRoleCommand({ RoleName })))).toBe(404);
    expect(await list(Path)).toEqual([]);
  });
});

describe('a session', () => {
  /** A role that `uid` may assume, which may read and write a/ in a new bucket and list it. */
  async function newRole(uid: string) {
    const { iam } = admin;
    const RoleName = `role-${made++}`;
    const Bucket = await newBucket();
    const arn = `arn:aws:s3:::${Bucket}`;
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trustOf(uid) }));
    const PolicyDocument = policyOf(
      { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: `${arn}/a/*` },
      { Effect: 'Allow', Action: 's3:ListBucket', Resource: arn },
    );
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument }));
    return { iam, RoleName, RoleArn: Role!.Arn!, Bucket, arn, RoleSessionName: 'session' };
  }

  /** Get a/1, get b/1, put a/2, list. */
  async function tries(s3: S3Client, Bucket: string) {
    return await Promise.all(
      [
        s3.send(new GetObjectCommand({ Bucket, Key: 'a/1' })),
        s3.send(new GetObjectCommand({ Bucket, Key: 'b/1' })),
        s3.send(new PutObjectCommand({ Bucket, Key: 'a/2', Body: 'x' })),
        s3.send(new ListObjectsV2Command({ Bucket })),
      ].map(outcome),
    );
  }

  test('has what the role has, no more, and only while there is the role', async () => {
    const { uid, sts } = await newUser();
    const { iam, RoleName, RoleArn, Bucket, RoleSessionName } = await newRole(uid);

    const { Credentials, AssumedRoleUser } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName }));
    expect(AssumedRoleUser?.Arn).toBe(`arn:aws:sts:::assumed-role/${RoleName}/session`);
    const s3 = s3Of(Credentials!);
    expect(await tries(s3, Bucket)).toEqual(['ok', 403, 'ok', 'ok']);
    expect(await outcome(s3.send(new ListBucketsCommand()))).toBe(403);
    const other = await newUser();
    const strangers = [
      other.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName })),
      sts.send(new AssumeRoleCommand({ RoleArn: `${RoleArn}x`, RoleSessionName })),
      sts.send(new AssumeRoleCommand({ RoleArn: RoleArn.replace('role/', 'role/path/'), RoleSessionName })),
      sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 's s' })),
      sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName, DurationSeconds: 3601 })),
      sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName, Policy: '{' })),
      sts.send(
        new AssumeRoleCommand({ RoleArn, RoleSessionName, TokenCode: '123456', SerialNumber: 'arn:aws:iam:::mfa/x' }),
      ),
      sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName, WebIdentityToken: 'token' })),
    ];
    expect(await Promise.all(strangers.map(outcome))).toEqual([403, 404, 403, 400, 400, 400, 400, 501]);

    await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'p' }));
    expect(await tries(s3, Bucket)).toEqual([403, 403, 403, 403]);
    await iam.send(new DeleteRoleCommand({ RoleName }));
    expect(await tries(s3, Bucket)).toEqual([403, 403, 403, 403]);
  });

  test('is held to the policy that it was made with, but for what a bucket allows this very session', async () => {
    const { uid, sts } = await newUser();
    const { RoleName, RoleArn, Bucket, arn, RoleSessionName } = await newRole(uid);
    const Policy = policyOf({ Effect: 'Allow', Action: 's3:*', Resource: [`${arn}/a/1`, `${arn}/b/*`] });
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName, Policy }));
    const s3 = s3Of(Credentials!);
    expect(await tries(s3, Bucket)).toEqual(['ok', 403, 403, 403]);

    const allow = (Principal: object, Resource: string | string[], Action: string) =>
      owner.send(
        new PutBucketPolicyCommand({ Bucket, Policy: policyOf({ Effect: 'Allow', Principal, Action, Resource }) }),
      );
    // What the bucket allows the role, the session has as far as its policy goes.
    await allow({ AWS: `arn:aws:iam:::role/${RoleName}` }, [arn, `${arn}/*`], 's3:*');
    expect(await tries(s3, Bucket)).toEqual(['ok', 'ok', 403, 403]);
    await allow({ AWS: `arn:aws:sts:::assumed-role/${RoleName}/session` }, [arn, `${arn}/*`], 's3:*');
    expect(await tries(s3, Bucket)).toEqual(['ok', 'ok', 'ok', 'ok']);
    await allow({ AWS: `arn:aws:sts:::assumed-role/${RoleName}/other` }, [arn, `${arn}/*`], 's3:*');
    expect(await tries(s3, Bucket)).toEqual(['ok', 403, 403, 403]);
  });

  test('ends', async () => {
    const { uid, sts } = await newUser();
    const { RoleArn, Bucket, RoleSessionName } = await newRole(uid);
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName, DurationSeconds: 1 }));
    const s3 = s3Of(Credentials!);

    await expect.poll(() => tries(s3, Bucket), { timeout: 30_000 }).toEqual([403, 403, 403, 403]);
  });

  test("of a user's own has what the user has; without its token, or with another's, it has nothing", async () => {
    const { uid, sts, s3 } = await newUser();
    expect(await outcome(sts.send(new GetSessionTokenCommand()))).toBe(403);
    const PolicyDocument = policyOf({ Effect: 'Allow', Action: 'sts:GetSessionToken', Resource: '*' });
    await admin.iam.send(new PutUserPolicyCommand({ UserName: uid, PolicyName: 'sts', PolicyDocument }));
    expect(await outcome(sts.send(new GetSessionTokenCommand({ DurationSeconds: 60 })))).toBe(400);

    const [one, two] = await Promise.all([1, 2].map(() => sts.send(new GetSessionTokenCommand())));
    const Bucket = `iam-${made++}`;
    const own = s3Of(one!.Credentials!);
    await own.send(new CreateBucketCommand({ Bucket }));
    expect((await s3.send(new ListBucketsCommand())).Buckets?.map(({ Name }) => Name)).toEqual([Bucket]);
    const list = (credentials: Credentials) => outcome(s3Of(credentials).send(new ListBucketsCommand()));
    expect(await list(one!.Credentials!)).toBe('ok');
    expect(await list({ ...one!.Credentials!, SessionToken: undefined })).toBe(403);
    expect(await list({ ...one!.Credentials!, SessionToken: two!.Credentials!.SessionToken })).toBe(403);
    expect(await list({ ...one!.Credentials!, SecretAccessKey: two!.Credentials!.SecretAccessKey })).toBe(403);
    await gateway.admin('user', 'suspend', '--uid', uid);
    expect(await list(one!.Credentials!)).toBe(403);
  });

  test('is what a policy may ask for', async () => {
    const { uid, sts, s3 } = await newUser();
    const Condition = { BoolIfExists: { 'sts:authentication': 'false' } };
    const PolicyDocument = policyOf(
      { Effect: 'Deny', Action: 's3:*', Resource: '*', Condition },
      { Effect: 'Allow', Action: 'sts:GetSessionToken', Resource: '*', Condition },
    );
    await admin.iam.send(new PutUserPolicyCommand({ UserName: uid, PolicyName: 'sessions', PolicyDocument }));
    const create = (client: S3Client) => outcome(client.send(new CreateBucketCommand({ Bucket: `iam-${made++}` })));

    expect(await create(s3)).toBe(403);
    const { Credentials } = await sts.send(new GetSessionTokenCommand());
    expect(await create(s3Of(Credentials!))).toBe('ok');
    expect(await create(s3)).toBe(403);
  });

  test('signs URLs', async () => {
    const { uid, sts } = await newUser();
    const { RoleArn, Bucket, RoleSessionName } = await newRole(uid);
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName }));
    const url = presigned(`${gateway.endpoint}/${Bucket}/a/1`, Credentials!);

    const response = await fetch(url);
    expect([response.status, await response.text()]).toEqual([200, 'a/1']);
    const token = url.searchParams.get('X-Amz-Security-Token')!;
    url.searchParams.set('X-Amz-Security-Token', token.slice(0, -4));
    expect((await fetch(url)).status).toBe(403);
    url.searchParams.delete('X-Amz-Security-Token');
    expect((await fetch(url)).status).toBe(403);
  });

  test('of a role of another tenant works on the buckets of that one', async () => {
    await gateway.admin(
      'user',
      'create',
      '--uid',
      'amy',
      '--tenant',
      'acme',
      '--display-name',
      'Amy',
      '--caps',
      'roles=*',
    );
    const { keys } = (await gateway.admin('user', 'info', '--uid', 'acme$amy')) as {
      readonly keys: readonly { readonly access_key: string; readonly secret_key: string }[];
    };
    const amyKeys = { accessKey: keys[0]!.access_key, secretKey: keys[0]!.secret_key };
    const [amy, iam] = [s3ClientOf(gateway, amyKeys), new IAMClient(settingsOf(gateway, amyKeys))];
    const Bucket = `tenants-${made++}`;
    await amy.send(new CreateBucketCommand({ Bucket }));
    await amy.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'of acme' }));
    const { uid, sts } = await newUser();
    const RoleName = 'guest';
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trustOf(uid) }));
    expect(Role?.Arn).toBe('arn:aws:iam::acme:role/guest');
    const PolicyDocument = policyOf({ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` });
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument }));

    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: 'session' }));
    const { Body } = await s3Of(Credentials!).send(new GetObjectCommand({ Bucket, Key: 'k' }));
    expect(await Body!.transformToString()).toBe('of acme');
    expect(await outcome(s3Of(Credentials!).send(new CreateBucketCommand({ Bucket: `${Bucket}-2` })))).toBe(403);
  });
});

/** A URL that whoever has it may get for a minute (AWS, "Authenticating requests: using query parameters"). */
function presigned(text: string, { AccessKeyId, SecretAccessKey, SessionToken }: Credentials): URL {
  const url = new URL(text);
  const date = `${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
  const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const params = [
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${AccessKeyId}/${scope}`],
    ['X-Amz-Date', date],
    ['X-Amz-Expires', '60'],
    ['X-Amz-Security-Token', SessionToken!],
    ['X-Amz-SignedHeaders', 'host'],
  ];
  const query = params.map((pair) => pair.map(encodeURIComponent).join('=')).join('&');
  const canonical = ['GET', url.pathname, query, `host:${url.host}\n`, 'host', 'UNSIGNED-PAYLOAD'].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', date, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = scope
    .split('/')
    .reduce<string | Buffer>(
      (secret, part) => createHmac('sha256', secret).update(part).digest(),
      `AWS4${SecretAccessKey}`,
    );
  url.search = `${query}&X-Amz-Signature=${createHmac('sha256', key).update(toSign).digest('hex')}`;
  return url;
}
