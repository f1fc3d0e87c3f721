/** Administration of Debian's `radosgw` beside ours, on one cluster: the same requests and commands are answered the same. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningS3Cluster, startCluster } from '@spirula/cli';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { radosgwAdmin } from '../../packages/cli/src/radosgw-admin.ts';
import { expectMoves, expectTellTheSame, fill, runAdmin } from './administration/commands.ts';
import { type AdminRequest, requests } from './administration/requests.ts';
import { type Key, signedFetch } from './administration/signed-fetch.ts';
import { missingTools } from './real-ceph.ts';
import { runOwn } from './run-own.ts';
import { runTool } from './run-tool.ts';
import { s3Of } from './s3-of.ts';

const missing = missingTools(['ceph', 'radosgw', 'radosgw-admin']);
const PORT = 26_082;
const GATEWAY = 'client.rgw.real';
const keyOf = (name: string): Key => ({ accessKey: `${name}key`, secret: `${name}secret` });

/** What may differ: texts of errors, ids, times, versions of indexes; and the order of names, which radosgw tells in that of the pool. */
function normal(text: string): unknown {
  const plain = text
    .replace(/\btx[0-9a-f]+-[0-9a-f]+-[0-9a-f]+-default\b/g, 'ID')
    .replace(/\b[0-9a-f]+-default-default\b/g, 'HOST')
    .replace(/<\?xml[^>]*\?>/, '')
    .replace(/<Message>[^<]*/g, '<Message>')
    .replace(/"Message":"(?:[^"\\]|\\.)*"/g, '"Message":""')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/[0-9a-f-]{36}\.\d+\.\d+/g, 'BUCKETID')
    .replace(/"(ver|master_ver|tag)":"[^"]*"/g, '"$1":""')
    .replace(/<(ver|master_ver)>[^<]*/g, '<$1>');
  if (!/^[[{]/.test(plain))
    return plain.replace(/<keys>.*<\/keys>/s, (keys) => sorted(keys.split(/(?<=<\/key>)/)).join(''));
  return JSON.parse(plain, (_, value) =>
    Array.isArray(value) && value.every((each) => typeof each === 'string') ? sorted(value) : value,
  );
}

function sorted(names: readonly string[]): string[] {
  return names.map((name) => name.replace(/<\/?keys>/g, '')).sort();
}

describe.skipIf(missing.length > 0)(`administration (skipped without: ${missing.join(' ')})`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'radosgw-'));
  const keyring = join(dir, 'keyring');
  let cluster: RunningS3Cluster;
  let gateway: ChildProcess;
  const theirs = `http://127.0.0.1:${PORT}`;

  beforeAll(async () => {
    cluster = await startCluster({
      osds: 3,
      store: 'memory',
      rgw: true,
      config: { rgw_enable_usage_log: true, rgw_usage_log_tick_interval: 1, rgw_enable_ops_log: true },
    });
    const caps = ['mon', 'allow rw', 'osd', 'allow rwx', 'mgr', 'allow rw'];
    await runTool('ceph', ['-c', cluster.cephConf, 'auth', 'get-or-create', GATEWAY, ...caps, '-o', keyring]);
    const options = ['-c', cluster.cephConf, '-n', GATEWAY, '-k', keyring, '--rgw-data', dir, '--run-dir', dir];
    const frontend = ['--rgw-frontends', `beast endpoint=127.0.0.1:${PORT}`, '--log-file', join(dir, 'log'), '-f'];
    const usage = ['--rgw_enable_usage_log=true', '--rgw_usage_log_tick_interval=1', '--rgw_enable_ops_log=true'];
    gateway = spawn('radosgw', [...options, ...frontend, ...usage], { stdio: 'ignore' });
    await vi.waitFor(() => fetch(theirs), { timeout: 60_000, interval: 500 });
    await admin('user', 'create', '--uid', 'root', '--display-name', 'Root', ...keyArgs('root'), ...ALL_CAPS);
    await admin(
      'user',
      'create',
      '--uid',
      'reader',
      '--display-name',
      'Reader',
      ...keyArgs('reader'),
      '--caps',
      'users=read',
    );
    for (const name of ['ada', 'eve']) {
      await admin('user', 'create', '--uid', name, '--display-name', name, ...keyArgs(name));
    }
  }, 600_000);
  afterAll(async () => {
    gateway?.kill('SIGKILL');
    await cluster?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const ALL_CAPS = ['--caps', 'users=*;buckets=*;usage=*;metadata=*;zone=*;mdlog=*;datalog=*;bilog=*'];
  const keyArgs = (name: string) => ['--access-key', keyOf(name).accessKey, '--secret-key', keyOf(name).secret];
  const asGateway = () => ['-c', cluster.cephConf, '-n', GATEWAY, '-k', keyring];
  const admin = (...args: string[]) => runAdmin(...asGateway(), ...args);
  const own = (...args: string[]) => runOwn(radosgwAdmin, [...asGateway(), ...args]);

  async function answers(endpoint: string, asked: readonly AdminRequest[]) {
    const all: { line: string; status: number; answer: unknown }[] = [];
    for (const { line, body, who } of asked) {
      const [method = '', target = ''] = line.split(' ');
      const key = who === 'nobody' ? undefined : keyOf(who ?? 'root');
      const { status, text } = await signedFetch(endpoint, key, method, target, body);
      all.push({ line, status, answer: normal(text) });
    }
    return all;
  }

  test('the interface of administrators answers as that of radosgw', async () => {
    const expected = await answers(theirs, requests);
    const actual = await answers(cluster.s3.endpoint, requests);

    for (const [i, each] of actual.entries()) expect(each).toEqual(expected[i]);
    expect(actual.filter(({ status }) => status === 200).length).toBeGreaterThan(60);
  }, 600_000);

  test('what was transferred is counted as radosgw counts it, and told by either', async () => {
    const transfer: readonly AdminRequest[] = [
      { line: 'PUT /BUCKET' },
      { line: 'PUT /BUCKET/object', body: 'x'.repeat(1000) },
      { line: 'GET /BUCKET/object' },
      { line: 'GET /BUCKET/none' },
      { line: 'GET /BUCKET?acl' },
      { line: 'GET /BUCKET?versioning' },
      { line: 'HEAD /BUCKET' },
      { line: 'GET /none' },
      { line: 'DELETE /BUCKET/object' },
      { line: 'DELETE /BUCKET' },
    ];
    const by = async (endpoint: string, name: string) => {
      for (const { line, body } of transfer) {
        const [method = '', target = ''] = line.split(' ');
        await signedFetch(endpoint, keyOf(name), method, target.replace('BUCKET', `of-${name}`), body);
      }
    };
    await by(theirs, 'ada');
    await by(cluster.s3.endpoint, 'eve');
    const shown = async (run: typeof admin, name: string) => (await run('usage', 'show', '--uid', name)).stdout;
    const done = (text: string) => expect(text).toContain('delete_bucket');
    await vi.waitFor(async () => done(await shown(admin, 'ada')), { timeout: 30_000, interval: 500 });
    await vi.waitFor(async () => done(await shown(admin, 'eve')), { timeout: 30_000, interval: 500 });

    // Texts of errors have other lengths, and chunks of HTTP are counted by radosgw.
    const counts = (text: string) =>
      JSON.parse(text.replaceAll('eve', 'ada').replace(/"(bytes_sent|epoch|time)": ("[^"]*"|\d+)/g, '"$1": 0'));
    expect(counts(await shown(admin, 'eve'))).toEqual(counts(await shown(admin, 'ada')));
    expect(await shown(own, 'ada')).toBe(await shown(admin, 'ada'));
    const one = ['usage', 'show', '--uid', 'eve', '--categories', 'get_obj', '--show-log-sum=false'];
    expect(await own(...one)).toEqual(await admin(...one));
    const none = ['usage', 'show', '--uid', 'eve', '--categories', 'none'];
    expect(await own(...none)).toEqual(await admin(...none));
    const { text } = await signedFetch(cluster.s3.endpoint, keyOf('eve'), 'GET', '/?usage');
    expect(text).toContain('<Category>put_obj</Category><BytesSent>0</BytesSent><BytesReceived>1000</BytesReceived>');
    const last = async () => expect(await shown(admin, 'eve')).toContain('get_self_usage');
    await vi.waitFor(last, { timeout: 30_000, interval: 500 });
    expect(await own('usage', 'trim', '--uid', 'eve')).toMatchObject({ status: 0 });
    expect(JSON.parse(await shown(admin, 'eve'))).toEqual({ entries: [], summary: [] });
    for (const verb of ['trim', 'clear']) expect(await own('usage', verb)).toEqual(await admin('usage', verb));
  }, 600_000);

  test('requests are logged as radosgw logs them, and told by either', async () => {
    const requests: readonly AdminRequest[] = [
      { line: 'PUT /BUCKET' },
      { line: 'PUT /BUCKET/object', body: 'x'.repeat(1000) },
      { line: 'GET /BUCKET/object' },
      { line: 'GET /BUCKET/none' },
      { line: 'GET /BUCKET?acl' },
      { line: 'HEAD /BUCKET' },
      { line: 'DELETE /BUCKET/object' },
    ];
    const names = async (run: typeof admin, of: string) =>
      (JSON.parse((await run('log', 'list')).stdout) as string[]).filter((name) => name.endsWith(`-${of}`));
    const logged = async (endpoint: string, name: string, bucket: string) => {
      for (const { line, body } of requests) {
        const [method = '', target = ''] = line.split(' ');
        await signedFetch(endpoint, keyOf(name), method, target.replace('BUCKET', bucket), body);
      }
      const found = async () => expect(await names(own, bucket)).not.toEqual([]);
      await vi.waitFor(found, { timeout: 30_000, interval: 500 });
      const [oid = ''] = await names(admin, bucket);
      const all = async () =>
        expect((await admin('log', 'show', '--object', oid)).stdout).toContain(`"total_entries": ${requests.length}`);
      await vi.waitFor(all, { timeout: 30_000, interval: 500 });
      const shown = await admin('log', 'show', '--object', oid);
      expect(await own('log', 'show', '--object', oid)).toEqual(shown);
      const short = ['log', 'show', '--object', oid, '--show-log-entries=false'];
      expect(await own(...short)).toEqual(await admin(...short));
      return { oid, log: JSON.parse(shown.stdout) as { readonly log_entries: readonly Record<string, unknown>[] } };
    };
    const ours = await logged(cluster.s3.endpoint, 'eve', 'by-ours');
    const radosgws = await logged(theirs, 'eve', 'by-theirs');

    // Texts of errors have other lengths; radosgw counts what is around bodies, names owners of objects that it read, has the
    // query twice, and calls it an error when there is nothing to answer.
    const alike = (entries: readonly Record<string, unknown>[]) =>
      entries.map(({ time, time_local, total_time, trans_id, bytes_sent, object_owner, error_code, uri, ...rest }) =>
        JSON.parse(
          JSON.stringify({
            ...rest,
            uri: String(uri).replace(/\?\S*/, ''),
            error_code: error_code === 'NoContent' ? '' : error_code,
          })
            .replaceAll('by-ours', 'BUCKET')
            .replaceAll('by-theirs', 'BUCKET'),
        ),
      );
    expect(alike(ours.log.log_entries)).toEqual(alike(radosgws.log.log_entries));
    for (const { oid } of [ours, radosgws])
      expect(await own('log', 'rm', '--object', oid)).toMatchObject({ status: 0 });
    for (const line of ['log show', 'log rm', 'log show --object none', `log rm --object ${ours.oid}`]) {
      expect(await own(...line.split(' '))).toEqual(await admin(...line.split(' ')));
    }
    for (const bucket of ['by-ours', 'by-theirs']) await admin('bucket', 'rm', '--bucket', bucket);
  }, 600_000);

  test('commands tell what those of radosgw-admin tell, and users and buckets move', async () => {
    const s3 = s3Of(theirs, keyOf('ada'));
    await fill(s3);
    await expectTellTheSame(own, admin);
    await expectMoves(own, admin, s3);
    // As it was.
    for (const name of ['told', 'versions']) await admin('bucket', 'rm', '--bucket', name, '--purge-objects');
    await admin('user', 'rename', '--uid', 'ana', '--new-uid', 'ada');
    await own('gc', 'process', '--include-all');
  }, 1_800_000);

  test('commands say what those of radosgw-admin say', async () => {
    const send = async (line: string, body = '') => {
      const [method = '', target = ''] = line.split(' ');
      const { status } = await signedFetch(theirs, keyOf('ada'), method, target, body);
      expect(status, line).toBeLessThan(300);
    };
    const rule = '<ID>r</ID><Prefix>tmp/</Prefix><Status>Enabled</Status><Expiration><Days>3</Days></Expiration>';
    await send('PUT /kept');
    await send('PUT /kept/object', 'hello');
    await send('PUT /kept?lifecycle', `<LifecycleConfiguration><Rule>${rule}</Rule></LifecycleConfiguration>`);
    await send('PUT /plain');

    for (const line of [
      ...['gc list', 'lc list', 'lc get --bucket kept', 'lc get --bucket plain', 'lc get --bucket none'],
      ...['bucket limit check --uid ada', 'bucket limit check --uid ada --warnings-only', 'bucket check --bucket kept'],
      ...['bucket check --bucket kept --fix', 'bucket check --bucket none', 'object rm --bucket kept --object none'],
      ...['object rm --bucket kept', 'object rm --bucket none --object x', 'zone get', 'zone list', 'zonegroup list'],
      ...['realm list', 'user stats --uid ada'],
    ]) {
      const { status, stdout, stderr } = await own(...line.split(' '));
      expect({ line, status, stdout, stderr }).toEqual({ line, ...(await admin(...line.split(' '))) });
    }
    const synced = async (run: typeof admin) =>
      JSON.parse((await run('user', 'stats', '--uid', 'ada', '--sync-stats')).stdout).stats;
    expect(await synced(own)).toEqual(await synced(admin));
    expect(await own('object', 'rm', '--bucket', 'kept', '--object', 'object')).toMatchObject({ status: 0 });
    expect(await own('lc', 'process')).toMatchObject({ status: 0, stdout: '' });
    expect(JSON.parse((await admin('lc', 'list')).stdout)).toMatchObject([{ status: 'COMPLETE' }]);
    expect(await own('bucket', 'rm', '--bucket', 'kept', '--purge-objects')).toMatchObject({ status: 0 });
    expect(await own('user', 'rm', '--uid', 'ada', '--purge-data')).toMatchObject({ status: 0 });
    expect(JSON.parse((await admin('bucket', 'list')).stdout)).not.toContain('plain');
  }, 600_000);
});
