/** Accounts of Swift that others may get at, and that URLs name: what HTTP says. */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type S3Gateway, startS3Gateway } from '../e2e/s3-gateway.ts';

let gateway: S3Gateway;
const tokens = new Map<string, string>();

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function ask(
  who: string | undefined,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<Answer> {
  const token: Record<string, string> = who === undefined ? {} : { 'x-auth-token': tokens.get(who)! };
  const init = { method, headers: { ...token, ...headers }, ...(body !== undefined && { body }) };
  const answer = await fetch(`${gateway.endpoint}/swift/v1${path}`, init);
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

const statusOf = async (...args: Parameters<typeof ask>) => (await ask(...args)).status;

beforeAll(async () => {
  gateway = await startS3Gateway(30_830, 'rgw_swift_account_in_url=true');
  for (const uid of ['ada', 'bob', 'acme$eve']) {
    await gateway.admin('user', 'create', '--uid', uid, '--display-name', uid);
    const subuser = [
      '--uid',
      uid,
      '--subuser',
      `${uid}:s`,
      '--access',
      'full',
      '--key-type',
      'swift',
      '--secret-key',
      'k',
    ];
    await gateway.admin('subuser', 'create', ...subuser);
    const headers = { 'x-auth-user': `${uid}:s`, 'x-auth-key': 'k' };
    const granted = await fetch(`${gateway.endpoint}/auth/v1.0`, { headers });
    expect(granted.headers.get('x-storage-url')).toBe(`${gateway.endpoint}/swift/v1/AUTH_${uid}`);
    tokens.set(uid, granted.headers.get('x-auth-token')!);
  }
  await ask('ada', 'PUT', '/AUTH_ada/docs');
  await ask('ada', 'PUT', '/AUTH_ada/docs/o', {}, 'of ada');
}, 180_000);
afterAll(() => gateway?.stop());

test('the URL names whose account it is, with a prefix or without', async () => {
  for (const name of ['AUTH_ada', 'KEY_ada', 'ada'])
    expect((await ask('ada', 'GET', `/${name}/docs/o`)).text).toBe('of ada');
  expect([await statusOf('ada', 'HEAD', ''), await statusOf('ada', 'HEAD', '/AUTH_')]).toEqual([405, 405]);
  expect([await statusOf('ada', 'HEAD', '/AUTH_none'), await statusOf('bob', 'HEAD', '/AUTH_ada')]).toEqual([403, 403]);
  expect(await statusOf('acme$eve', 'PUT', '/AUTH_acme$eve/docs')).toBe(201);
  expect((await ask('acme$eve', 'GET', '/AUTH_acme$eve')).text).toBe('docs');
});

test.each([
  ['nothing', '{}', { head: 403, list: 403, get: 403, make: 403, put: 403, describe: 403, govern: 403, key: 403 }],
  [
    'reading',
    '{"read-only":["bob"]}',
    { head: 204, list: 200, get: 200, make: 403, put: 403, describe: 403, govern: 403, key: 403 },
  ],
  [
    'reading and writing',
    '{"read-write":["bob"]}',
    { head: 204, list: 200, get: 200, make: 201, put: 201, describe: 204, govern: 403, key: 401 },
  ],
  [
    'all',
    '{"admin":["bob"]}',
    { head: 204, list: 200, get: 200, make: 201, put: 201, describe: 204, govern: 204, key: 204 },
  ],
])('an account lets another do: %s', async (name, acl, expected) => {
  expect(await statusOf('ada', 'POST', '/AUTH_ada', { 'x-account-access-control': acl })).toBe(204);
  const container = `made-${name.replaceAll(' ', '-')}`;
  const found = {
    head: await statusOf('bob', 'HEAD', '/AUTH_ada'),
    list: await statusOf('bob', 'GET', '/AUTH_ada/docs'),
    get: await statusOf('bob', 'GET', '/AUTH_ada/docs/o'),
    make: await statusOf('bob', 'PUT', `/AUTH_ada/${container}`),
    put: await statusOf('bob', 'PUT', '/AUTH_ada/docs/new', {}, 'x'),
    describe: await statusOf('bob', 'POST', '/AUTH_ada/docs', { 'x-container-meta-a': 'b' }),
    govern: await statusOf('bob', 'POST', '/AUTH_ada/docs', { 'x-container-read': 'carol' }),
    key: await statusOf('bob', 'POST', '/AUTH_ada', { 'x-account-meta-temp-url-key-2': 'of bob' }),
  };

  expect(found).toEqual(expected);
  // What is made in an account is its owner's.
  const isMade = (await ask('ada', 'GET', `/AUTH_ada?prefix=${container}`)).text === container;
  expect(isMade).toBe(expected.make === 201);
  if (expected.put === 201) expect((await ask('ada', 'GET', '/AUTH_ada/docs/new')).text).toBe('x');
});

test('keys for temporary URLs are shown to who may do all', async () => {
  await ask('ada', 'POST', '/AUTH_ada', {
    'x-account-meta-temp-url-key': 'sesame',
    'x-account-access-control': '{"read-write":["bob"]}',
  });
  const keySeenBy = async (who: string) =>
    (await ask(who, 'HEAD', '/AUTH_ada')).headers.get('x-account-meta-temp-url-key');
  expect([await keySeenBy('ada'), await keySeenBy('bob')]).toEqual(['sesame', null]);

  const expires = Math.floor(Date.now() / 1000) + 60;
  const path = '/AUTH_ada/docs/o';
  const signature = createHmac('sha1', 'sesame').update(`GET\n${expires}\n/swift/v1${path}`).digest('hex');
  const lent = `${path}?temp_url_sig=${signature}&temp_url_expires=${expires}`;
  expect((await ask(undefined, 'GET', lent)).text).toBe('of ada');
  await ask('ada', 'POST', '/AUTH_ada', { 'x-remove-account-meta-temp-url-key': 'x' });
  expect(await statusOf(undefined, 'GET', lent)).toBe(403);
});

test('the quota of an account is for administrators to set', async () => {
  const quota = { 'x-account-meta-quota-count': '3' };
  expect(await statusOf('ada', 'POST', '/AUTH_ada', quota)).toBe(403);
  await gateway.admin('user', 'modify', '--uid', 'bob', '--admin');
  expect(await statusOf('bob', 'POST', '/AUTH_ada', quota)).toBe(204);
  expect((await ask('ada', 'HEAD', '/AUTH_ada')).headers.get('x-account-meta-quota-count')).toBe('3');
});
