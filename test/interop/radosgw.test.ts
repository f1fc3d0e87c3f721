/** Debian's unmodified `radosgw` and `radosgw-admin` on our cluster: what a client of S3 puts there, it gets and lists. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningCluster, startCluster } from '@spirula/cli';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { missingTools } from './real-ceph.ts';
import { runTool } from './run-tool.ts';

const missing = missingTools(['ceph', 'radosgw', 'radosgw-admin']);
const PORT = 26_080;
const GATEWAY = 'client.rgw.a';
const POOLS = [
  '.rgw.root',
  ...['log', 'control', 'meta', 'buckets.index', 'buckets.data', 'buckets.non-ec'].map((name) => `default.rgw.${name}`),
];
const [ACCESS, SECRET] = ['access', 'secret'];
/** Parameters that are part of what is signed. */
const SIGNED = ['uploads', 'uploadId', 'partNumber', 'versioning', 'versions', 'versionId', 'delete'];

/** A request signed as Amazon's second version has it. */
async function s3(
  method: string,
  path: string,
  body?: string | Uint8Array,
): Promise<{ status: number; text: string; etag: string }> {
  const date = new Date().toUTCString();
  const url = new URL(`http://127.0.0.1:${PORT}${path}`);
  const query = [...url.searchParams].filter(([name]) => SIGNED.includes(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  const sub = query.map(([name, value]) => (value === '' ? name : `${name}=${value}`)).join('&');
  const type = body === undefined ? '' : 'application/octet-stream';
  const signed = [method, '', type, date, url.pathname + (sub === '' ? '' : `?${sub}`)].join('\n');
  const signature = createHmac('sha1', SECRET!).update(signed).digest('base64');
  const headers = {
    date,
    authorization: `AWS ${ACCESS}:${signature}`,
    ...(body !== undefined && { 'content-type': type }),
  };
  const response = await fetch(url, { method, headers, ...(body !== undefined && { body: body as string }) });
  return { status: response.status, text: await response.text(), etag: response.headers.get('etag') ?? '' };
}

/** What stands in all elements of a name. */
function texts(xml: string, element: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, 'g'))].map(([, text]) => text!);
}

describe.skipIf(missing.length > 0)(`radosgw (skipped without: ${missing.join(' ')})`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'radosgw-'));
  const log = join(dir, 'radosgw.log');
  let cluster: RunningCluster;
  let gateway: ChildProcess;

  const ceph = (...args: string[]) => runTool('ceph', ['-c', cluster.cephConf, ...args]);
  const asGateway = () => ['-c', cluster.cephConf, '-n', GATEWAY, '-k', join(dir, 'keyring')];
  const admin = async (...args: string[]) => {
    const { status, stdout, stderr } = await runTool('radosgw-admin', [...asGateway(), ...args]);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    return JSON.parse(stdout);
  };

  beforeAll(async () => {
    cluster = await startCluster({ osds: 3, store: 'memory' });
    for (const pool of POOLS) {
      await ceph('osd', 'pool', 'create', pool, '8');
      await ceph('osd', 'pool', 'application', 'enable', pool, 'rgw');
    }
    const caps = ['mon', 'allow rw', 'osd', 'allow rwx', 'mgr', 'allow rw'];
    await ceph('auth', 'get-or-create', GATEWAY, ...caps, '-o', join(dir, 'keyring'));
    const frontend = ['--rgw-frontends', `beast endpoint=127.0.0.1:${PORT}`, '--rgw-data', dir, '--run-dir', dir];
    gateway = spawn('radosgw', [...asGateway(), ...frontend, '--log-file', log, '-f'], { stdio: 'ignore' });
    await vi.waitFor(() => fetch(`http://127.0.0.1:${PORT}/`), { timeout: 60_000, interval: 500 });
    const key = ['--access-key', ACCESS!, '--secret-key', SECRET!];
    await admin('user', 'create', '--uid', 'ada', '--display-name', 'Ada', ...key);
    expect(await s3('PUT', '/bucket')).toMatchObject({ status: 200 });
  }, 120_000);
  afterAll(async () => {
    gateway?.kill('SIGKILL');
    await cluster?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('objects are put, got, listed by prefixes and page by page, and deleted', async () => {
    const names = ['a', 'dir/x', 'dir/y', 'e'];
    for (const name of names)
      expect(await s3('PUT', `/bucket/${name}`, `this is ${name}`)).toMatchObject({ status: 200 });

    expect(await s3('GET', '/bucket/dir/x')).toMatchObject({ status: 200, text: 'this is dir/x' });
    expect(texts((await s3('GET', '/bucket')).text, 'Key')).toEqual(names);
    const { text } = await s3('GET', '/bucket?delimiter=/');
    expect([texts(text, 'Key'), texts(text, 'Prefix').filter((prefix) => prefix !== '')]).toEqual([
      ['a', 'e'],
      ['dir/'],
    ]);
    expect(texts((await s3('GET', '/bucket?max-keys=2&marker=a')).text, 'Key')).toEqual(['dir/x', 'dir/y']);
    expect(await s3('DELETE', '/bucket/a')).toMatchObject({ status: 204 });
    expect(texts((await s3('GET', '/bucket')).text, 'Key')).toEqual(['dir/x', 'dir/y', 'e']);
  });

  test('parts of an upload become one object, and the sums of the bucket are those of its objects', async () => {
    const [upload] = texts((await s3('POST', '/bucket/whole?uploads')).text, 'UploadId');
    const part = new Uint8Array(5 << 20).fill(7);
    const etags = [];
    for (const n of [1, 2])
      etags.push((await s3('PUT', `/bucket/whole?partNumber=${n}&uploadId=${upload}`, part)).etag);
    const parts = etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
    const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;

    expect(await s3('POST', `/bucket/whole?uploadId=${upload}`, body)).toMatchObject({ status: 200 });
    expect((await s3('GET', '/bucket/whole')).text).toHaveLength(2 * part.length);
    const { usage } = await admin('bucket', 'stats', '--bucket', 'bucket');
    const listed = texts((await s3('GET', '/bucket')).text, 'Size').map(Number);
    expect(usage['rgw.main']).toMatchObject({ num_objects: listed.length, size: listed.reduce((a, b) => a + b) });
    expect(usage['rgw.multimeta']).toMatchObject({ num_objects: 0 });
  });

  test('of versions the newest is current, and the one before it when that goes', async () => {
    await s3('PUT', '/versions');
    const enabled = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
    expect(await s3('PUT', '/versions?versioning', enabled)).toMatchObject({ status: 200 });
    for (const text of ['first', 'second']) await s3('PUT', '/versions/object', text);

    await s3('DELETE', '/versions/object');
    expect(await s3('GET', '/versions/object')).toMatchObject({ status: 404 });
    const { text } = await s3('GET', '/versions?versions');
    const [marker] = texts(text.slice(text.indexOf('<DeleteMarker>')), 'VersionId');
    expect(await s3('DELETE', `/versions/object?versionId=${marker}`)).toMatchObject({ status: 204 });
    expect(await s3('GET', '/versions/object')).toMatchObject({ status: 200, text: 'second' });
  });

  test('an index is spread over other shards, and lists the same', async () => {
    const before = texts((await s3('GET', '/bucket')).text, 'Key');

    const resharded = ['bucket', 'reshard', '--bucket', 'bucket', '--num-shards', '5', '--yes-i-really-mean-it'];
    expect((await runTool('radosgw-admin', [...asGateway(), ...resharded])).status).toBe(0);
    expect(await admin('bucket', 'stats', '--bucket', 'bucket')).toMatchObject({ num_shards: 5 });
    expect(texts((await s3('GET', '/bucket')).text, 'Key')).toEqual(before);
  });

  test('the gateway has met no error of an OSD', () => {
    expect(readFileSync(log, 'utf8')).not.toMatch(/Operation not supported|r=-95|\(5\) Input\/output error/);
  });
});
