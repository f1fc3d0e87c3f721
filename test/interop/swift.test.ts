/** Swift: Debian's unmodified `swift` client on our gateway, and what HTTP says beneath it. */
import { execFileSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type S3Gateway, s3ClientOf, startS3Gateway } from '../e2e/s3-gateway.ts';
import { missingTools } from './real-ceph.ts';
import { runTool } from './run-tool.ts';
import { type Keystone, startKeystone } from './swift/keystone.ts';

const missing = missingTools(['swift']);
const READER_KEY = 'secret of the reader';
const MIB = 1 << 20;

function bytes(length: number): Uint8Array {
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, (_, i) => Math.imul(i + 1, 2654435761));
  return new Uint8Array(words.buffer, 0, length);
}

let gateway: S3Gateway;
let keystone: Keystone;
let uid: string;
let token: string;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  readonly text: string;
}

async function request(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string | Uint8Array,
): Promise<Answer> {
  const init = { method, headers, ...(body !== undefined && { body: Buffer.from(body) }) };
  const answer = await fetch(gateway.endpoint + path, init);
  const bytes = Buffer.from(await answer.arrayBuffer());
  return { status: answer.status, headers: answer.headers, body: bytes, text: bytes.toString() };
}

/** With the token of the full subuser. */
const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: string | Uint8Array) =>
  request(method, `/swift/v1${path}`, { 'x-auth-token': token, ...headers }, body);

async function tokenOf(user: string, key: string): Promise<string> {
  const { status, headers } = await request('GET', '/auth/v1.0', { 'x-auth-user': user, 'x-auth-key': key });
  expect(status).toBe(204);
  return headers.get('x-auth-token')!;
}

beforeAll(async () => {
  keystone = await startKeystone(30_799);
  const settings = ['rgw_objexp_gc_interval=1', 'rgw_swift_versioning_enabled=true', ...keystone.settings];
  gateway = await startS3Gateway(30_600, ...settings);
  const [first] = (await gateway.admin('user', 'list')) as string[];
  uid = first!;
  const reader = ['--subuser', `${uid}:reader`, '--access', 'read', '--key-type', 'swift', '--secret-key', READER_KEY];
  await gateway.admin('subuser', 'create', '--uid', uid, ...reader);
  token = await tokenOf(`${uid}:swift`, gateway.secretKey);
}, 180_000);
afterAll(async () => {
  await gateway?.stop();
  await keystone?.stop();
});

describe.skipIf(missing.length > 0)(`swift (skipped without: ${missing.join(' ') || 'none'})`, () => {
  const swift = async (...args: string[]) => {
    const login = ['-A', `${gateway.endpoint}/auth/v1.0`, '-U', `${uid}:swift`, '-K', gateway.secretKey];
    const { status, stdout, stderr } = await runTool('swift', [...login, ...args], { timeoutSeconds: 120 });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  };

  test('files are uploaded, listed, described, downloaded, copied and deleted', async () => {
    const folder = join(gateway.folder, 'files');
    mkdirSync(join(folder, 'deep'), { recursive: true });
    const files = { plain: 'a text', 'deep/a b+c%20ä': 'another', empty: '' };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);

    await swift('post', 'docs', '-r', '.r:*,.rlistings', '-m', 'Color:red');
    for (const name of Object.keys(files)) await swift('upload', 'docs', join(folder, name), '--object-name', name);
    expect((await swift('list')).split('\n')).toContain('docs');
    const listed = Buffer.from(await swift('list', 'docs'), 'latin1')
      .toString()
      .split('\n');
    expect(listed.sort()).toEqual(['', ...Object.keys(files)].sort());
    expect(await swift('list', 'docs', '-d', '/', '-p', 'd')).toBe('deep/\n');
    expect(await swift('list', 'docs', '--lh')).toMatch(/^ +6 [-\d]+ [:\d]+ .* plain$/m);
    expect(await swift('list', '--lh')).toMatch(/^ +3 +13 .* default-placement docs$/m);
    expect(await swift('stat', '--lh')).toMatch(/Containers: \d+/);
    expect(await swift('stat', 'docs')).toMatch(/Objects: 3[\s\S]*Read ACL: \.r:\*,\.rlistings[\s\S]*Meta Color: red/);
    expect(await swift('stat', 'docs', 'plain')).toMatch(/Content Length: 6/);
    for (const [name, text] of Object.entries(files)) {
      await swift('download', 'docs', name, '-o', join(folder, 'back'));
      expect(readFileSync(join(folder, 'back'), 'utf8')).toBe(text);
    }
    await swift('download', 'docs', '-D', join(folder, 'all'));
    expect(readFileSync(join(folder, 'all/deep/a b+c%20ä'), 'utf8')).toBe('another');
    await swift('post', 'docs', 'plain', '-m', 'Color:red');
    expect(await swift('stat', 'docs', 'plain')).toMatch(/Meta Color: red/);
    await swift('copy', 'docs', 'plain', '-d', '/docs/copy');
    expect((await ask('GET', '/docs/copy')).text).toBe('a text');
    await swift('delete', 'docs', 'copy');
    await swift('delete', 'docs');
    expect((await swift('list')).split('\n')).not.toContain('docs');
  }, 240_000);

  test('large files go in segments, dynamic and static, and go with them', async () => {
    const path = join(gateway.folder, 'large');
    writeFileSync(path, bytes(3 * MIB + 17));
    for (const [container, flags] of [
      ['dynamic', []],
      ['static', ['--use-slo']],
    ] as const) {
      await swift('upload', container, path, '--object-name', 'large', '-S', String(MIB), ...flags);
      await swift('download', container, 'large', '-o', `${path}.back`);
      expect(Buffer.compare(readFileSync(`${path}.back`), readFileSync(path)), container).toBe(0);
      expect((await ask('GET', `/${container}_segments`)).text.split('\n')).toHaveLength(4);
      await swift('upload', container, path, '--object-name', 'large', '-S', String(MIB), '--changed', ...flags);
      await swift('delete', container, 'large');
      expect((await ask('GET', `/${container}_segments`)).text).toBe('');
    }
  }, 240_000);

  test('it knows what there is, and signs temporary URLs', async () => {
    expect(await swift('capabilities')).toMatch(/Core: swift[\s\S]*Additional middleware: staticweb/);
    await swift('upload', 'signed', '--object-name', 'a b', join(gateway.folder, 'cluster', 'ceph.conf'));
    await swift('post', '-m', 'Temp-URL-Key:sesame');
    const lent = (await swift('tempurl', 'GET', '600', '/swift/v1/signed/a b', 'sesame')).trim();
    const { status, text } = await request('GET', lent.replace('a b', 'a%20b'));
    expect([status, text]).toEqual([200, readFileSync(join(gateway.folder, 'cluster', 'ceph.conf'), 'utf8')]);
  }, 120_000);
});

describe('accounts', () => {
  test('a token is given to who has the key, and is good for what it says', async () => {
    const login = (user: string, key: string) =>
      request('GET', '/auth/v1.0', { 'x-auth-user': user, 'x-auth-key': key });
    expect((await login(`${uid}:swift`, 'wrong')).status).toBe(401);
    expect((await login('nobody:swift', gateway.secretKey)).status).toBe(401);
    expect((await login(`${uid}:swift`, gateway.secretKey)).headers.get('x-storage-url')).toBe(
      `${gateway.endpoint}/swift/v1`,
    );
    const forged = token.slice(0, -2) + (token.endsWith('00') ? '01' : '00');
    for (const bad of [forged, 'AUTH_rgwtk00', `${token}00`, 'x']) {
      expect((await request('GET', '/swift/v1', { 'x-auth-token': bad })).status).toBe(401);
    }
    expect((await request('GET', '/swift/v1')).status).toBe(401);
  });

  test('a subuser may what it was given', async () => {
    const reader = { 'x-auth-token': await tokenOf(`${uid}:reader`, READER_KEY) };
    await ask('PUT', '/shared');
    await ask('PUT', '/shared/a', {}, 'x');

    expect((await request('GET', '/swift/v1/shared/a', reader)).text).toBe('x');
    expect((await request('PUT', '/swift/v1/shared/b', reader, 'y')).status).toBe(403);
    expect((await request('PUT', '/swift/v1/another', reader)).status).toBe(403);
    expect((await request('DELETE', '/swift/v1/shared/a', reader)).status).toBe(403);
  });

  test('metadata, sums and lists in three formats', async () => {
    await ask('PUT', '/counted', { 'x-container-meta-color': 'red' });
    await ask('PUT', '/counted/a', {}, 'four');
    expect((await ask('POST', '', { 'x-account-meta-team': 'blue' })).status).toBe(204);
    const head = await ask('HEAD', '');
    expect([head.status, head.headers.get('x-account-meta-team')]).toEqual([204, 'blue']);
    expect(Number(head.headers.get('x-account-container-count'))).toBeGreaterThan(0);

    expect((await ask('GET', '?prefix=counted')).text).toBe('counted');
    expect(JSON.parse((await ask('GET', '?prefix=counted&format=json')).text)).toEqual([
      { name: 'counted', count: 1, bytes: 4 },
    ]);
    const xml = (await ask('GET', '?prefix=counted&format=xml')).text;
    expect(xml).toContain('<container><name>counted</name><count>1</count><bytes>4</bytes></container>');
  });
});

describe('containers', () => {
  test('are made once, described, and removed when they are empty', async () => {
    expect((await ask('PUT', '/con1')).status).toBe(201);
    expect((await ask('PUT', '/con1', { 'x-container-meta-color': 'red', 'x-container-meta-size': '1' })).status).toBe(
      202,
    );
    expect(
      (await ask('POST', '/con1', { 'x-container-meta-color': 'blue', 'x-remove-container-meta-size': 'x' })).status,
    ).toBe(204);
    await ask('PUT', '/con1/a', {}, 'x');
    const { headers } = await ask('HEAD', '/con1');
    expect(['color', 'size'].map((name) => headers.get(`x-container-meta-${name}`))).toEqual(['blue', null]);
    expect(['object-count', 'bytes-used'].map((name) => headers.get(`x-container-${name}`))).toEqual(['1', '1']);

    expect((await ask('DELETE', '/con1')).status).toBe(409);
    await ask('DELETE', '/con1/a');
    expect([(await ask('DELETE', '/con1')).status, (await ask('HEAD', '/con1')).status]).toEqual([204, 404]);
  });

  test('are listed by prefix, delimiter, markers and limit', async () => {
    await ask('PUT', '/listed');
    for (const name of ['a', 'b/1', 'b/2', 'c'])
      await ask('PUT', `/listed/${name}`, { 'content-type': 'text/x' }, name);
    const names = async (query: string) => (await ask('GET', `/listed?${query}`)).text.split('\n');

    expect(await names('')).toEqual(['a', 'b/1', 'b/2', 'c']);
    expect(await names('delimiter=/')).toEqual(['a', 'b/', 'c']);
    expect(await names('prefix=b/')).toEqual(['b/1', 'b/2']);
    expect(await names('path=b')).toEqual(['b/1', 'b/2']);
    expect(await names('marker=a&end_marker=c')).toEqual(['b/1', 'b/2']);
    expect(await names('limit=2')).toEqual(['a', 'b/1']);
    const json = JSON.parse((await ask('GET', '/listed?format=json&delimiter=/&limit=2')).text);
    const hash = createHash('md5').update('a').digest('hex');
    expect(json).toEqual([
      {
        name: 'a',
        hash,
        bytes: 1,
        content_type: 'text/x',
        last_modified: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/),
      },
      { subdir: 'b/' },
    ]);
    expect((await ask('GET', '/listed?format=xml&delimiter=/')).text).toContain(
      '<subdir name="b/"><name>b/</name></subdir>',
    );
    expect((await ask('GET', '/listed?limit=x')).status).toBe(400);
  });

  test('let in whom they name', async () => {
    await ask('PUT', '/open');
    await ask('PUT', '/open/a', {}, 'seen');
    const anonymous = (path = '/open/a', headers = {}) => request('GET', `/swift/v1${path}`, headers);
    expect((await anonymous()).status).toBe(401);

    await ask('POST', '/open', { 'x-container-read': '.r:*' });
    expect([(await anonymous()).text, (await anonymous('/open/')).status]).toEqual(['seen', 403]);
    await ask('POST', '/open', { 'x-container-read': '.r:*,.rlistings,bob', 'x-container-write': 'bob' });
    expect((await anonymous('/open')).text).toBe('a');
    const { headers } = await ask('HEAD', '/open');
    expect([headers.get('x-container-read'), headers.get('x-container-write')]).toEqual(['.r:*,.rlistings,bob', 'bob']);
    await ask('POST', '/open', { 'x-container-read': '.r:.example.com,.r:-bad.example.com' });
    const from = async (page: string) => (await anonymous('/open/a', { referer: page })).status;
    expect([
      await from('http://www.example.com/x'),
      await from('http://bad.example.com/'),
      await from('http://example.org/'),
    ]).toEqual([200, 401, 401]);
    await ask('POST', '/open', { 'x-remove-container-read': 'x', 'x-remove-container-write': 'x' });
    expect((await anonymous()).status).toBe(401);
    expect((await ask('POST', '/open', { 'x-container-read': '.x:*' })).status).toBe(400);
  });
});

describe('objects', () => {
  test('come back with what was said of them, in ranges, and on conditions', async () => {
    await ask('PUT', '/objects');
    const etag = createHash('md5').update('0123456789').digest('hex');
    const put = await ask(
      'PUT',
      '/objects/a',
      { etag, 'x-object-meta-color': 'red', 'content-type': 'text/plain' },
      '0123456789',
    );
    expect([put.status, put.headers.get('etag')]).toEqual([201, etag]);
    expect((await ask('PUT', '/objects/b', { etag: etag.replace(/^./, 'x') }, 'y')).status).toBe(422);
    expect((await ask('GET', '/objects/b')).status).toBe(404);

    const { headers } = await ask('HEAD', '/objects/a');
    expect(['content-length', 'etag', 'x-object-meta-color', 'content-type'].map((name) => headers.get(name))).toEqual([
      '10',
      etag,
      'red',
      'text/plain',
    ]);
    const range = await ask('GET', '/objects/a', { range: 'bytes=2-4' });
    expect([range.status, range.text]).toEqual([206, '234']);
    expect((await ask('GET', '/objects/a', { range: 'bytes=20-' })).status).toBe(416);
    expect((await ask('GET', '/objects/a', { 'if-none-match': etag })).status).toBe(304);
    expect((await ask('GET', '/objects/a', { 'if-match': '"x"' })).status).toBe(412);
    expect((await ask('POST', '/objects/a', { 'x-object-meta-size': 'xl' })).status).toBe(202);
    const after = (await ask('HEAD', '/objects/a')).headers;
    expect(['color', 'size'].map((name) => after.get(`x-object-meta-${name}`))).toEqual([null, 'xl']);
    expect([(await ask('DELETE', '/objects/a')).status, (await ask('DELETE', '/objects/a')).status]).toEqual([
      204, 404,
    ]);
  });

  test('end when they are to, and are removed then', async () => {
    await ask('PUT', '/ending');
    const head = async (name: string) => (await ask('HEAD', `/ending/${name}`)).headers.get('x-delete-at');
    await ask('PUT', '/ending/later', { 'x-delete-at': '4000000000' }, 'x');
    expect(await head('later')).toBe('4000000000');
    await ask('POST', '/ending/later', { 'x-object-meta-color': 'red' });
    expect(await head('later')).toBe('4000000000');
    await ask('POST', '/ending/later', { 'x-remove-delete-at': 'x' });
    expect(await head('later')).toBe(null);
    const bad: Record<string, string>[] = [
      { 'x-delete-at': '1' },
      { 'x-delete-at': 'soon' },
      { 'x-delete-after': '-1' },
    ];
    for (const headers of bad) {
      expect((await ask('PUT', '/ending/never', headers, 'x')).status).toBe(400);
    }

    for (const name of ['soon', 'kept']) await ask('PUT', `/ending/${name}`, { 'x-delete-after': '2' }, 'x');
    await ask('PUT', '/ending/kept', {}, 'written anew');
    const listed = async () => (await ask('GET', '/ending')).text;
    await vi.waitUntil(async () => (await listed()) === 'kept\nlater', { timeout: 60_000, interval: 500 });
    expect((await ask('GET', '/ending/soon')).status).toBe(404);
    expect((await ask('GET', '/ending/kept')).text).toBe('written anew');
  });

  test('are copied both ways', async () => {
    await ask('PUT', '/copies');
    await ask('PUT', '/copies/a', { 'x-object-meta-color': 'red' }, 'text');
    expect((await ask('COPY', '/copies/a', { destination: 'copies/b' })).status).toBe(201);
    expect(
      (await ask('PUT', '/copies/c', { 'x-copy-from': '/copies/a', 'x-object-meta-size': 's', 'content-length': '0' }))
        .status,
    ).toBe(201);
    const { headers, text } = await ask('GET', '/copies/c');
    expect([text, headers.get('x-object-meta-color'), headers.get('x-object-meta-size')]).toEqual(['text', 'red', 's']);
    expect((await ask('GET', '/copies/b')).text).toBe('text');
  });

  test('are made of segments', async () => {
    await ask('PUT', '/parts');
    for (const [name, text] of [
      ['s/1', 'abc'],
      ['s/2', 'defg'],
      ['s/3', 'h'],
    ] as const)
      await ask('PUT', `/parts/${name}`, {}, text);
    await ask('PUT', '/parts/dynamic', { 'x-object-manifest': 'parts/s/' }, '');
    expect((await ask('GET', '/parts/dynamic')).text).toBe('abcdefgh');
    expect((await ask('GET', '/parts/dynamic', { range: 'bytes=2-5' })).text).toBe('cdef');

    const entry = (path: string, text: string) => ({
      path,
      etag: createHash('md5').update(text).digest('hex'),
      size_bytes: text.length,
    });
    const manifest = (...entries: object[]) =>
      ask('PUT', '/parts/static?multipart-manifest=put', {}, JSON.stringify(entries));
    expect((await manifest(entry('/parts/s/1', 'xyz'))).status).toBe(400);
    expect((await manifest(entry('/parts/s/3', 'h'), entry('/parts/s/1', 'abc'))).status).toBe(201);
    const { text, headers } = await ask('GET', '/parts/static');
    expect([text, headers.get('x-static-large-object')]).toEqual(['habc', 'True']);
    const shown = JSON.parse((await ask('GET', '/parts/static?multipart-manifest=get')).text);
    expect(shown.map(({ name, bytes }: { name: string; bytes: number }) => [name, bytes])).toEqual([
      ['/parts/s/3', 1],
      ['/parts/s/1', 3],
    ]);
    expect((await ask('DELETE', '/parts/static?multipart-manifest=delete')).text).toMatch(/^Number Deleted: 3\n/);
    expect((await ask('GET', '/parts')).text).toBe('dynamic\ns/2');
  });

  test('are as many as the container has room for', async () => {
    await ask('PUT', '/small', { 'x-container-meta-quota-count': '1' });
    expect((await ask('PUT', '/small/a', {}, 'x')).status).toBe(201);
    expect((await ask('PUT', '/small/b', {}, 'x')).status).toBe(413);
    expect((await ask('HEAD', '/small')).headers.get('x-container-meta-quota-count')).toBe('1');
    expect((await ask('POST', '/small', { 'x-container-meta-quota-count': 'many' })).status).toBe(400);
    await ask('POST', '/small', { 'x-remove-container-meta-quota-count': 'x' });
    expect((await ask('PUT', '/small/b', {}, 'x')).status).toBe(201);
  });

  test('are lent by temporary URLs', async () => {
    await ask('PUT', '/lent');
    await ask('PUT', '/lent/a', {}, 'lent');
    await ask('POST', '', { 'x-account-meta-temp-url-key': 'sesame' });
    const url = (method: string, path: string, seconds: number, hash = 'sha1') => {
      const expires = Math.floor(Date.now() / 1000) + seconds;
      const signature = createHmac(hash, 'sesame').update(`${method}\n${expires}\n${path}`).digest('hex');
      return `/swift/v1/lent/a?temp_url_sig=${signature}&temp_url_expires=${expires}`;
    };
    const get = async (target: string, method = 'GET') => {
      const { status, text } = await request(method, target);
      return status === 200 ? text : status;
    };

    expect(await get(url('GET', '/swift/v1/lent/a', 60))).toBe('lent');
    expect(await get(url('GET', '/v1/lent/a', 60, 'sha256'))).toBe('lent');
    expect(await get(url('GET', '/swift/v1/lent/a', 60), 'HEAD')).toBe('');
    expect(await get(url('GET', '/swift/v1/lent/a', -1))).toBe(401);
    expect(await get(url('GET', '/swift/v1/lent/b', 60))).toBe(403);
    expect(await get(url('GET', '/swift/v1/lent/a', 60), 'DELETE')).toBe(403);
    expect(await get(`${url('GET', 'prefix:/swift/v1/lent/', 60)}&temp_url_prefix=`)).toBe('lent');
    expect(await get(`${url('GET', 'prefix:/swift/v1/lent/b', 60)}&temp_url_prefix=b`)).toBe(403);
    const named = await request('GET', `${url('GET', '/swift/v1/lent/a', 60)}&filename=of%20ada`);
    expect(named.headers.get('content-disposition')).toBe('attachment; filename="of%20ada"');
  });

  test('are deleted by the thousand', async () => {
    await ask('PUT', '/bulk');
    for (const name of ['a', 'b c']) await ask('PUT', `/bulk/${encodeURIComponent(name)}`, {}, 'x');
    const many = Array.from({ length: 1200 }, (_, i) => `bulk/none ${i}`).join('\n');
    const json = { accept: 'application/json' };
    const answer = await ask('POST', '?bulk-delete', json, `bulk/a\n/bulk/b%20c\n${many}\nbulk`);

    expect(JSON.parse(answer.text)).toMatchObject({ 'Number Deleted': 3, 'Number Not Found': 1200, Errors: [] });
    expect((await ask('HEAD', '/bulk')).status).toBe(404);
    await ask('PUT', '/bulk/');
    await ask('PUT', '/bulk/a', {}, 'x');
    expect((await ask('POST', '?bulk-delete', {}, 'bulk\n')).text).toBe(
      'Number Deleted: 0\nNumber Not Found: 0\nResponse Body: \nResponse Status: 409 Conflict\nErrors: \nbulk/, 409 Conflict',
    );
  });

  test('are posted by forms that the owner has signed', async () => {
    await ask('PUT', '/forms');
    await ask('POST', '', { 'x-account-meta-temp-url-key': 'sesame' });
    const post = async (given: Record<string, string>, files: readonly (readonly [name: string, text: string])[]) => {
      const path = '/swift/v1/forms/pre-';
      const expires = String(Math.floor(Date.now() / 1000) + 600);
      const fields = { redirect: '', max_file_size: '10', max_file_count: '2', expires, ...given };
      const { redirect, max_file_size, max_file_count } = fields;
      const toSign = [path, redirect, max_file_size, max_file_count, fields.expires].join('\n');
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.set(name, value);
      if (!given['signature']) form.set('signature', createHmac('sha1', 'sesame').update(toSign).digest('hex'));
      for (const [i, [name, text]] of files.entries()) {
        form.set(`file${i}`, new Blob([text], { type: 'text/x' }), name);
      }
      const answer = await fetch(gateway.endpoint + path, { method: 'POST', body: form, redirect: 'manual' });
      return [answer.status, answer.headers.get('location')];
    };
    const two = [
      ['a', 'first'],
      ['b', 'second'],
    ] as const;

    expect(await post({}, two)).toEqual([200, null]);
    const { text, headers } = await ask('GET', '/forms/pre-b');
    expect([text, headers.get('content-type')]).toEqual(['second', 'text/x']);
    expect(await post({ redirect: 'http://example.com/done' }, two)).toEqual([303, 'http://example.com/done']);
    const bad = { redirect: 'http://example.com/', signature: '0'.repeat(40) };
    expect(await post(bad, [['never', 'x']])).toEqual([401, null]);
    expect(await post({ expires: '1' }, [['never', 'x']])).toEqual([401, null]);
    expect(await post({}, [['never', '12345678901']])).toEqual([400, null]);
    expect(
      await post({ max_file_count: '1' }, [
        ['one', 'x'],
        ['never', 'x'],
      ]),
    ).toEqual([400, null]);
    expect(await post({}, [])).toEqual([400, null]);
    expect((await ask('GET', '/forms')).text.split('\n')).toEqual(['pre-a', 'pre-b', 'pre-one']);
  });

  test('come out of archives', async () => {
    const folder = join(gateway.folder, 'archive');
    mkdirSync(join(folder, 'top', 'deep'), { recursive: true });
    const long = 'n'.repeat(150);
    const files = {
      'top/a': 'first',
      'top/deep/ü b': 'second',
      [`top/${long}`]: 'third',
      'top/large': 'x'.repeat(5e6),
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const packed = (...flags: string[]) =>
      execFileSync('tar', ['-C', folder, '-cf', '-', ...flags, 'top'], { maxBuffer: 64 * MIB, stdio: 'pipe' });
    const json = { accept: 'application/json' };
    const send = async (path: string, archive: Uint8Array) => {
      const answer = await ask('PUT', path, json, archive);
      return answer.status === 200 ? JSON.parse(answer.text) : answer.status;
    };
    const created = { 'Number Files Created': 4, 'Response Status': '201 Created', Errors: [] };

    expect(await send('/?extract-archive=tar', packed())).toMatchObject(created);
    expect((await ask('GET', '/top')).text.split('\n')).toEqual(['a', 'deep/ü b', 'large', long]);
    expect((await ask('GET', '/top/large')).text).toBe(files['top/large']);
    await ask('PUT', '/unpacked');
    expect(await send('/unpacked/pre?extract-archive=tar.gz', packed('-z', '--format=pax'))).toMatchObject(created);
    expect((await ask('GET', '/unpacked/pre/top/deep/%C3%BC%20b')).text).toBe('second');

    const led = packed('--transform', 's#^top/a#top/../../a#', '-P');
    expect(await send('/unpacked/led?extract-archive=tar', led)).toMatchObject({
      'Number Files Created': 3,
      'Response Status': '400 Bad Request',
      Errors: [['top/../../a', '400 Bad Request']],
    });
    const none = { 'Number Files Created': 0, 'Response Status': '400 Bad Request' };
    const junk = new Uint8Array(2000).fill(7);
    for (const format of ['tar', 'tar.gz']) {
      expect(await send(`/unpacked?extract-archive=${format}`, junk)).toMatchObject(none);
    }
    expect(await send('/unpacked?extract-archive=tar.bz2', junk)).toBe(501);
    expect(await send('/unpacked?extract-archive=zip', junk)).toBe(400);
    expect((await request('PUT', '/swift/v1/unpacked?extract-archive=tar', {}, junk)).status).toBe(401);
  });
});

describe('containers that keep what is overwritten', () => {
  const listed = async (container: string) => (await ask('GET', `/${container}`)).text.split('\n');

  test('what an object was comes back when it is deleted, by Swift and by S3', async () => {
    await ask('PUT', '/before');
    await ask('PUT', '/now', { 'x-versions-location': 'before' });
    expect((await ask('HEAD', '/now')).headers.get('x-versions-location')).toBe('before');
    const client = s3ClientOf(gateway);
    await ask('PUT', '/now/_o', { 'x-object-meta-color': 'red', 'content-type': 'text/a' }, 'one');
    await ask('PUT', '/now/_o', {}, bytes(5 * MIB));
    await client.send(new PutObjectCommand({ Bucket: 'now', Key: '_o', Body: 'three' }));
    expect(await listed('before')).toEqual([
      expect.stringMatching(/^003__o\/\d+\.\d{6}$/),
      expect.stringMatching(/^003__o\/\d+\.\d{6}$/),
    ]);

    expect((await ask('DELETE', '/now/_o')).status).toBe(204);
    expect(Buffer.compare((await ask('GET', '/now/_o')).body, bytes(5 * MIB))).toBe(0);
    await client.send(new DeleteObjectCommand({ Bucket: 'now', Key: '_o' }));
    const { text, headers } = await ask('GET', '/now/_o');
    expect([text, headers.get('x-object-meta-color'), headers.get('content-type')]).toEqual(['one', 'red', 'text/a']);
    expect((await ask('GET', '/before')).status).toBe(204);
    expect([(await ask('DELETE', '/now/_o')).status, (await ask('DELETE', '/now/_o')).status]).toEqual([204, 404]);
    client.destroy();
  });

  test('without the place where it is to be kept, nothing is overwritten', async () => {
    await ask('PUT', '/astray', { 'x-versions-location': 'nowhere' });
    expect((await ask('PUT', '/astray/o', {}, 'one')).status).toBe(201);
    expect((await ask('PUT', '/astray/o', {}, 'two')).status).toBe(412);
    expect((await ask('GET', '/astray/o')).text).toBe('one');
    await ask('POST', '/astray', { 'x-remove-versions-location': 'x' });
    expect((await ask('PUT', '/astray/o', {}, 'two')).status).toBe(201);
  });
});

test('S3 and Swift see the same objects', async () => {
  const client = s3ClientOf(gateway);
  await ask('PUT', '/both');
  await ask('PUT', '/both/by-swift', { 'x-object-meta-color': 'red' }, 'from swift');
  await client.send(
    new PutObjectCommand({ Bucket: 'both', Key: 'by-s3', Body: 'from s3', Metadata: { color: 'blue' } }),
  );

  const found = await client.send(new GetObjectCommand({ Bucket: 'both', Key: 'by-swift' }));
  expect([await found.Body!.transformToString(), found.Metadata]).toEqual(['from swift', { color: 'red' }]);
  const { text, headers } = await ask('GET', '/both/by-s3');
  expect([text, headers.get('x-object-meta-color')]).toEqual(['from s3', 'blue']);
  const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: 'both' }));
  expect(Contents?.map(({ Key }) => Key)).toEqual(['by-s3', 'by-swift']);
  expect((await ask('GET', '/both')).text).toBe('by-s3\nby-swift');

  const seen = async () => {
    const found = await fetch(`${gateway.endpoint}/both/by-s3`);
    return found.status;
  };
  expect(await seen()).toBe(403);
  await ask('POST', '/both', { 'x-container-read': '.r:*' });
  expect(await seen()).toBe(200);
  client.destroy();
});

test('who reads an object of segments by S3 must be allowed to read each', async () => {
  await ask('PUT', '/shown');
  await ask('PUT', '/shown/s/1', {}, 'secret');
  await ask('PUT', '/shown/whole', { 'x-object-manifest': 'shown/s/' }, '');
  const Resource: string[] = [];
  const readWith = async (key: string) => {
    Resource.push(`arn:aws:s3:::shown/${key}`);
    const statement = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    await s3ClientOf(gateway).send(new PutBucketPolicyCommand({ Bucket: 'shown', Policy }));
    const { status, text } = await request('GET', '/shown/whole');
    return status === 200 ? text : status;
  };
  expect(await readWith('whole')).toBe(403);
  expect(await readWith('s/*')).toBe('secret');
});

describe('tokens of Keystone', () => {
  const by =
    (token: string) =>
    async (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
      await request(method, `/swift/v1${path}`, { 'x-auth-token': token, ...headers }, body);

  test('let in whom Keystone vouches for, as a user who is made for the project', async () => {
    const before = { ...keystone.asked };
    keystone.grant('one', { project: 'p1', user: 'u1', role: 'member' });
    const one = by('one');
    expect((await one('PUT', '/of-p1')).status).toBe(201);
    await one('PUT', '/of-p1/o', {}, 'x');
    expect(await gateway.admin('user', 'info', '--uid', 'p1')).toMatchObject({
      display_name: 'p1 by name',
      type: 'keystone',
    });
    expect((await one('GET', '')).text).toBe('of-p1');
    expect(keystone.asked).toEqual({ ...before, tokens: before.tokens + 1, logins: 1 });

    keystone.grant('nobody', { project: 'p1', user: 'u1', role: 'visitor' });
    keystone.grant('late', { project: 'p1', user: 'u1', role: 'member', seconds: -1 });
    for (const token of ['nobody', 'late', 'unknown']) expect((await by(token)('GET', '')).status).toBe(401);
    // What is known of a token stays known.
    keystone.revoke('one');
    expect((await one('GET', '/of-p1/o')).text).toBe('x');
  });

  test('are of somebody whom containers may name, or of one who may do everything', async () => {
    keystone.grant('owner', { project: 'p2', user: 'u2', role: 'member' });
    keystone.grant('other', { project: 'p3', user: 'u3', role: 'reader' });
    keystone.grant('admin', { project: 'p4', user: 'u4', role: 'admin' });
    const owner = by('owner');
    await owner('PUT', '/of-p2');
    await owner('PUT', '/of-p2/o', {}, 'x');
    const seenBy = async (token: string) => (await by(token)('GET', '/of-p2/o')).status;
    expect([await seenBy('other'), await seenBy('admin')]).toEqual([403, 200]);
    for (const name of ['p3:u3', 'p3:*', '*:u3', 'p3 by name:u3 by name']) {
      await owner('POST', '/of-p2', { 'x-container-read': name });
      expect([name, await seenBy('other')]).toEqual([name, 200]);
      await owner('POST', '/of-p2', { 'x-container-read': 'p3:another' });
      expect(await seenBy('other')).toBe(403);
    }
  });

  test('are asked about again when the own token of the gateway is good no more, and are no reason to wait for ever', async () => {
    const { logins } = keystone.asked;
    keystone.forgetGateway();
    keystone.grant('two', { project: 'p1', user: 'u1', role: 'member' });
    expect((await by('two')('GET', '/of-p1/o')).text).toBe('x');
    expect(keystone.asked.logins).toBe(logins + 1);

    await keystone.stop();
    expect([(await by('three')('GET', '')).status, (await by('two')('GET', '')).status]).toEqual([503, 200]);
  });
});
