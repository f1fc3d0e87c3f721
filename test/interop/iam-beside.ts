/**
 * IAM and STS of radosgw beside ours, on one zone: the same requests are answered alike, what one stores the other heeds, and each
 * takes the other's session tokens.
 */
import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ToolResult } from './run-tool.ts';

export interface Gateways {
  readonly ours: string;
  readonly theirs: string;
  /** Debian's radosgw-admin. */
  admin(...args: string[]): Promise<ToolResult>;
}

/** For both. Sessions as short as a second, so that one is seen to end. */
export const STS_OPTIONS = {
  rgw_s3_auth_use_sts: 'true',
  rgw_sts_key: 'abcdefghijklmnop',
  rgw_sts_min_session_duration: '1',
};

export interface Keys {
  readonly accessKey: string;
  readonly secret: string;
  readonly token?: string;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Signed as Amazon's fourth version has it. */
async function signed(
  at: string,
  method: string,
  path: string,
  body: string,
  keys: Keys,
  service: string,
): Promise<Answer> {
  const url = new URL(at + path);
  const date = `${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
  const scope = `${date.slice(0, 8)}/us-east-1/${service}/aws4_request`;
  const headers: Record<string, string> = {
    host: url.host,
    ...(service === 's3' && { 'x-amz-content-sha256': sha256(body) }),
    'x-amz-date': date,
    ...(keys.token !== undefined && { 'x-amz-security-token': keys.token }),
  };
  const names = Object.keys(headers);
  const lines = names.map((name) => `${name}:${headers[name]}\n`).join('');
  const canonical = [method, url.pathname, '', lines, names.join(';'), sha256(body)].join('\n');
  const key = scope
    .split('/')
    .reduce<string | Buffer>(
      (secret, part) => createHmac('sha256', secret).update(part).digest(),
      `AWS4${keys.secret}`,
    );
  const signature = createHmac('sha256', key)
    .update(['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n'))
    .digest('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${keys.accessKey}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  const { host: _, ...sent } = headers;
  const type: Record<string, string> = service === 's3' ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
  const response = await fetch(url, {
    method,
    headers: { ...sent, ...type, authorization },
    ...(method !== 'GET' && { body }),
  });
  return { status: response.status, text: await response.text() };
}

type Form = Readonly<Record<string, string>>;

export function askIam(at: string, keys: Keys, form: Form, service = 'iam'): Promise<Answer> {
  // `+` is no blank to radosgw.
  const body = Object.entries(form)
    .map((pair) => pair.map(encodeURIComponent).join('='))
    .join('&');
  return signed(at, 'POST', '/', body, keys, service);
}

/** What is drawn anew each time, and texts of errors, which radosgw has none of. */
function comparable({ status, text }: Answer): Answer {
  return {
    status,
    text: text
      .replace(/<\?xml[^>]*\?>/, '')
      .replace(/<Message>[^<]*<\/Message>/, '<Message></Message>')
      .replace(
        /<(RequestId|HostId|RoleId|CreateDate|AccessKeyId|SecretAccessKey|SessionToken|Expiration)>[^<]+/g,
        '<$1>…',
      )
      .replace(/<AssumeRoleId>[^<:]+:/, '<AssumeRoleId>…:'),
  };
}

export function textOf({ text }: Answer, name: string): string {
  return new RegExp(`<${name}>([^<]*)<`).exec(text)?.[1] ?? '';
}

export const policyOf = (...Statement: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
const trust = policyOf({
  Effect: 'Allow',
  Principal: { AWS: ['arn:aws:iam:::user/iam-bob'] },
  Action: ['sts:AssumeRole'],
});
const reads = policyOf({ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::iam-beside/*' });
const ADMIN: Keys = { accessKey: 'iam-admin', secret: 'secret-of-admin' };
const BOB: Keys = { accessKey: 'iam-bob', secret: 'secret-of-bob' };
const AMY: Keys = { accessKey: 'iam-amy', secret: 'secret-of-amy' };

/** Who asks, and what; all that is made is removed in the end. */
const sequence: readonly (readonly [who: Keys, form: Form])[] = [
  [ADMIN, { Action: 'Nonsense' }],
  [BOB, { Action: 'ListRoles' }],
  [
    ADMIN,
    {
      Action: 'CreateRole',
      RoleName: 'r',
      Path: '/app/x/',
      AssumeRolePolicyDocument: trust,
      MaxSessionDuration: '7200',
    },
  ],
  [ADMIN, { Action: 'CreateRole', RoleName: 'r', AssumeRolePolicyDocument: trust }],
  [ADMIN, { Action: 'CreateRole', RoleName: 'r r', AssumeRolePolicyDocument: trust }],
  [ADMIN, { Action: 'CreateRole', RoleName: 's', AssumeRolePolicyDocument: '{' }],
  [ADMIN, { Action: 'CreateRole', RoleName: 's' }],
  [ADMIN, { Action: 'CreateRole', RoleName: 's', AssumeRolePolicyDocument: trust, MaxSessionDuration: '10' }],
  [BOB, { Action: 'CreateRole', RoleName: 's', AssumeRolePolicyDocument: trust }],
  [AMY, { Action: 'CreateRole', RoleName: 'other$s', AssumeRolePolicyDocument: trust }],
  [AMY, { Action: 'CreateRole', RoleName: 's', AssumeRolePolicyDocument: trust }],
  [ADMIN, { Action: 'GetRole', RoleName: 'r' }],
  [ADMIN, { Action: 'GetRole', RoleName: 'none' }],
  [BOB, { Action: 'GetRole', RoleName: 'r' }],
  [AMY, { Action: 'GetRole', RoleName: 'acme$s' }],
  [AMY, { Action: 'GetRole', RoleName: 'r' }],
  [ADMIN, { Action: 'ListRoles', PathPrefix: '/app/' }],
  [ADMIN, { Action: 'ListRoles', PathPrefix: '/none/' }],
  [AMY, { Action: 'ListRoles' }],
  [ADMIN, { Action: 'UpdateAssumeRolePolicy', RoleName: 'r', PolicyDocument: trust }],
  [ADMIN, { Action: 'UpdateAssumeRolePolicy', RoleName: 'r', PolicyDocument: '{' }],
  [ADMIN, { Action: 'UpdateAssumeRolePolicy', RoleName: 'none', PolicyDocument: trust }],
  [ADMIN, { Action: 'PutRolePolicy', RoleName: 'r', PolicyName: 'b', PolicyDocument: reads }],
  [ADMIN, { Action: 'PutRolePolicy', RoleName: 'r', PolicyName: 'a', PolicyDocument: reads }],
  [ADMIN, { Action: 'PutRolePolicy', RoleName: 'r', PolicyName: 'c', PolicyDocument: '{"x"' }],
  [ADMIN, { Action: 'PutRolePolicy', RoleName: 'r', PolicyName: 'c' }],
  [BOB, { Action: 'PutRolePolicy', RoleName: 'r', PolicyName: 'c', PolicyDocument: reads }],
  [ADMIN, { Action: 'GetRolePolicy', RoleName: 'r', PolicyName: 'a' }],
  [ADMIN, { Action: 'GetRolePolicy', RoleName: 'r', PolicyName: 'none' }],
  [ADMIN, { Action: 'ListRolePolicies', RoleName: 'r' }],
  [ADMIN, { Action: 'DeleteRole', RoleName: 'r' }],
  [BOB, { Action: 'AssumeRole', RoleArn: 'arn:aws:iam:::role/app/x/r', RoleSessionName: 'sess' }],
  [
    BOB,
    { Action: 'AssumeRole', RoleArn: 'arn:aws:iam:::role/app/x/r', RoleSessionName: 'sess', DurationSeconds: '7201' },
  ],
  [BOB, { Action: 'AssumeRole', RoleArn: 'arn:aws:iam:::role/app/x/r', RoleSessionName: 's s' }],
  [BOB, { Action: 'AssumeRole', RoleArn: 'arn:aws:iam:::role/app/x/r', RoleSessionName: 'sess', Policy: '{' }],
  [BOB, { Action: 'AssumeRole', RoleArn: 'arn:aws:iam:::role/app/x/r', RoleSessionName: 'sess', TokenCode: '123456' }],
  [BOB, { Action: 'AssumeRole', RoleArn: 'arn:aws:iam:::role/app/x/r' }],
  [BOB, { Action: 'AssumeRole', RoleArn: 'arn:aws:iam:::role/r', RoleSessionName: 'sess' }],
  [BOB, { Action: 'AssumeRole', RoleArn: 'arn:aws:iam:::role/none', RoleSessionName: 'sess' }],
  [BOB, { Action: 'AssumeRole', RoleArn: 'none', RoleSessionName: 'sess' }],
  [ADMIN, { Action: 'AssumeRole', RoleArn: 'arn:aws:iam:::role/app/x/r', RoleSessionName: 'sess' }],
  [BOB, { Action: 'GetSessionToken' }],
  [ADMIN, { Action: 'DeleteRolePolicy', RoleName: 'r', PolicyName: 'a' }],
  [ADMIN, { Action: 'DeleteRolePolicy', RoleName: 'r', PolicyName: 'b' }],
  [ADMIN, { Action: 'TagRole', RoleName: 'r', 'Tags.member.1.Key': 'k', 'Tags.member.1.Value': 'v' }],
  [ADMIN, { Action: 'UntagRole', RoleName: 'r', 'TagKeys.member.1': 'k' }],
  [ADMIN, { Action: 'DeleteRole', RoleName: 'r' }],
  [ADMIN, { Action: 'DeleteRole', RoleName: 'r' }],
  [AMY, { Action: 'DeleteRole', RoleName: 's' }],
  [ADMIN, { Action: 'PutUserPolicy', UserName: 'iam-bob', PolicyName: 'a', PolicyDocument: reads }],
  [ADMIN, { Action: 'PutUserPolicy', UserName: 'iam-bob', PolicyName: 'a a', PolicyDocument: reads }],
  [ADMIN, { Action: 'PutUserPolicy', UserName: 'iam-bob', PolicyName: 'b', PolicyDocument: '{' }],
  [ADMIN, { Action: 'PutUserPolicy', UserName: 'none', PolicyName: 'a', PolicyDocument: reads }],
  [ADMIN, { Action: 'PutUserPolicy', UserName: 'iam-bob', PolicyName: 'a' }],
  [BOB, { Action: 'PutUserPolicy', UserName: 'iam-bob', PolicyName: 'a', PolicyDocument: reads }],
  [ADMIN, { Action: 'GetUserPolicy', UserName: 'iam-bob', PolicyName: 'a' }],
  [ADMIN, { Action: 'ListUserPolicies', UserName: 'iam-bob' }],
  [ADMIN, { Action: 'ListUserPolicies', UserName: 'iam-admin' }],
  [ADMIN, { Action: 'ListUserPolicies', UserName: 'none' }],
  [ADMIN, { Action: 'ListUserPolicies' }],
  [ADMIN, { Action: 'DeleteUserPolicy', UserName: 'iam-bob', PolicyName: 'none' }],
  [ADMIN, { Action: 'DeleteUserPolicy', UserName: 'iam-bob', PolicyName: 'a' }],
  [ADMIN, { Action: 'ListUserPolicies', UserName: 'iam-bob' }],
  [AMY, { Action: 'PutUserPolicy', UserName: 'acme$iam-amy', PolicyName: 'a', PolicyDocument: reads }],
  [AMY, { Action: 'ListUserPolicies', UserName: 'acme$iam-amy' }],
  [AMY, { Action: 'DeleteUserPolicy', UserName: 'acme$iam-amy', PolicyName: 'a' }],
];

/** Tests, for a file that has both gateways. */
export function testIamBeside(gateways: () => Gateways): void {
  const both = () => [gateways().ours, gateways().theirs] as const;
  const get = (at: string, key: string, keys: Keys) => signed(at, 'GET', `/iam-beside/${key}`, '', keys, 's3');

  test('there are users, and a bucket with an object', async () => {
    const caps = 'roles=*;user-policy=*';
    const made = [
      await makeUser('iam-admin', ADMIN, '--caps', caps),
      await makeUser('iam-bob', BOB),
      await makeUser('iam-amy', AMY, '--tenant', 'acme', '--caps', caps),
    ];
    expect(made).toEqual([0, 0, 0]);
    const { ours } = gateways();
    const put = [
      await signed(ours, 'PUT', '/iam-beside', '', ADMIN, 's3'),
      await signed(ours, 'PUT', '/iam-beside/k', 'of both', ADMIN, 's3'),
    ];
    expect(put.map(({ status }) => status)).toEqual([200, 200]);
  });

  async function makeUser(
    uid: string,
    { accessKey, secret }: Keys,
    ...more: readonly string[]
  ): Promise<number | null> {
    const keys = ['--access-key', accessKey, '--secret-key', secret];
    return (await gateways().admin('user', 'create', '--uid', uid, '--display-name', uid, ...keys, ...more)).status;
  }

  test('the same requests are answered alike', async () => {
    const [ours, theirs] = both();
    const answersOf = async (at: string) => {
      const answers: unknown[] = [];
      for (const [who, form] of sequence) answers.push([who.accessKey, form, comparable(await askIam(at, who, form))]);
      return answers;
    };

    const expected = await answersOf(theirs);
    expect(await answersOf(ours)).toEqual(expected);
  });

  test("each takes the other's session tokens, for the role that either has made, until they end", async () => {
    const [ours, theirs] = both();
    for (const [maker, other] of [
      [ours, theirs],
      [theirs, ours],
    ] as const) {
      await askIam(maker, ADMIN, { Action: 'CreateRole', RoleName: 'x', AssumeRolePolicyDocument: trust });
      await askIam(maker, ADMIN, { Action: 'PutRolePolicy', RoleName: 'x', PolicyName: 'p', PolicyDocument: reads });
      const role = { Action: 'AssumeRole', RoleArn: 'arn:aws:iam:::role/x', RoleSessionName: 'sess' };
      const assumed = async (at: string, more: Form = {}): Promise<Keys> => {
        const answer = await askIam(at, BOB, { ...role, ...more }, 'sts');
        const [accessKey, secret, token] = ['AccessKeyId', 'SecretAccessKey', 'SessionToken'].map((name) =>
          textOf(answer, name),
        );
        return { accessKey: accessKey!, secret: secret!, token: token! };
      };
      for (const [issuer, user] of [
        [ours, theirs],
        [theirs, ours],
      ] as const) {
        const keys = await assumed(issuer);
        expect(await get(user, 'k', keys)).toEqual({ status: 200, text: 'of both' });
        expect(
          (await get(user, 'k', { ...keys, token: `${keys.token!.slice(0, -8)}AAAAAAA=` })).status,
        ).toBeGreaterThanOrEqual(400);
        const nothing = policyOf({ Effect: 'Deny', Action: 's3:GetObject', Resource: '*' });
        expect((await get(user, 'k', await assumed(issuer, { Policy: nothing }))).status).toBe(403);
      }
      const short = await assumed(maker, { DurationSeconds: '1' });
      await expect.poll(async () => (await get(other, 'k', short)).status, { timeout: 30_000 }).toBe(403);
      await askIam(other, ADMIN, { Action: 'DeleteRolePolicy', RoleName: 'x', PolicyName: 'p' });
      expect((await askIam(other, ADMIN, { Action: 'DeleteRole', RoleName: 'x' })).status).toBe(200);
    }
  });

  test("a user's policy counts at both at once", async () => {
    const [ours, theirs] = both();
    for (const [changing, other] of [
      [ours, theirs],
      [theirs, ours],
    ] as const) {
      const policy = { UserName: 'iam-bob', PolicyName: 'reads' };
      expect((await get(other, 'k', BOB)).status).toBe(403);
      await askIam(changing, ADMIN, { Action: 'PutUserPolicy', ...policy, PolicyDocument: reads });
      expect((await get(other, 'k', BOB)).status).toBe(200);
      await askIam(changing, ADMIN, { Action: 'DeleteUserPolicy', ...policy });
      expect((await get(other, 'k', BOB)).status).toBe(403);
    }
  });
}
