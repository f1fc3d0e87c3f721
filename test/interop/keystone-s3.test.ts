/**
 * Access keys that Keystone has (EC2 credentials), asked of our gateway and of Debian's unmodified `radosgw` beside it on one cluster:
 * both let the same in, as the same users.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { type RunningS3Cluster, startCluster } from '@spirula/cli';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { missingTools } from './real-ceph.ts';
import { runTool } from './run-tool.ts';
import { type Keystone, startKeystone } from './swift/keystone.ts';

const missing = missingTools(['ceph', 'radosgw']);
const PORT = 26_085;
const KEYSTONE_PORT = 26_086;
const GATEWAY = 'client.rgw.real';
const SETTINGS = ['rgw_s3_auth_use_keystone=true', 'rgw_keystone_implicit_tenants=s3'];

describe.skipIf(missing.length > 0)(`keys of Keystone (skipped without: ${missing.join(' ')})`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'keystone-s3-'));
  const clients: S3Client[] = [];
  let keystone: Keystone;
  let cluster: RunningS3Cluster;
  let gateway: ChildProcess;

  beforeAll(async () => {
    keystone = await startKeystone(KEYSTONE_PORT);
    const settings = [...keystone.settings, ...SETTINGS];
    const config = Object.fromEntries(
      settings.map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]),
    );
    cluster = await startCluster({ osds: 3, store: 'memory', rgw: true, config });
    const keyring = join(dir, 'keyring');
    const caps = ['mon', 'allow rw', 'osd', 'allow rwx', 'mgr', 'allow rw'];
    await runTool('ceph', ['-c', cluster.cephConf, 'auth', 'get-or-create', GATEWAY, ...caps, '-o', keyring]);
    gateway = spawn(
      'radosgw',
      [
        ...['-c', cluster.cephConf, '-n', GATEWAY, '-k', keyring, '--rgw-data', dir, '--run-dir', dir],
        ...['--rgw-frontends', `beast endpoint=127.0.0.1:${PORT}`, '--log-file', join(dir, 'log'), '-f'],
        ...settings.map((each) => `--${each}`),
      ],
      { stdio: 'ignore' },
    );
    await vi.waitFor(() => fetch(`http://127.0.0.1:${PORT}/`), { timeout: 120_000, interval: 500 });
  }, 240_000);
  afterAll(async () => {
    for (const client of clients) client.destroy();
    gateway?.kill('SIGKILL');
    await cluster?.stop();
    await keystone?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  function clientOf(by: 'ours' | 'theirs', accessKeyId: string, secretAccessKey: string): S3Client {
    const client = new S3Client({
      endpoint: by === 'ours' ? cluster.s3.endpoint : `http://127.0.0.1:${PORT}`,
      region: 'us-east-1',
      forcePathStyle: true,
      maxAttempts: 1,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      credentials: { accessKeyId, secretAccessKey },
    });
    clients.push(client);
    return client;
  }

  const both = ['ours', 'theirs'] as const;
  const owner = async (by: S3Client) => (await by.send(new ListBucketsCommand({}))).Owner;
  const refusal = async (by: S3Client) =>
    await by.send(new ListBucketsCommand({})).then(
      () => 'let in',
      (error: { name: string; $metadata: { httpStatusCode: number } }) => [error.name, error.$metadata.httpStatusCode],
    );

  test('a project is the user, in a tenant of its own, whoever lets it in first', async () => {
    keystone.grantKey('AK1', 'secret 1', { project: 'p1', user: 'u1', role: 'member' });
    keystone.grantKey('AK2', 'secret 2', { project: 'p2', user: 'u2', role: 'reader' });
    const [ours, theirs] = both.map((by) => clientOf(by, 'AK1', 'secret 1')) as [S3Client, S3Client];
    await ours.send(new CreateBucketCommand({ Bucket: 'of-project' }));
    await theirs.send(new PutObjectCommand({ Bucket: 'of-project', Key: 'a', Body: 'text' }));
    const { Body } = await ours.send(new GetObjectCommand({ Bucket: 'of-project', Key: 'a' }));
    expect(await Body!.transformToString()).toBe('text');
    expect(await owner(ours)).toEqual({ ID: 'p1$p1', DisplayName: 'p1 by name' });
    expect(await owner(ours)).toEqual(await owner(theirs));

    const others = both.map((by) => clientOf(by, 'AK2', 'secret 2'));
    for (const by of others.toReversed()) expect(await owner(by)).toEqual({ ID: 'p2$p2', DisplayName: 'p2 by name' });
  }, 60_000);

  test('Keystone is asked once, as long as the secret is remembered', async () => {
    keystone.grantKey('AK3', 'secret 3', { project: 'p3', user: 'u3', role: 'member' });
    const ours = clientOf('ours', 'AK3', 'secret 3');
    const before = keystone.asked.keys;
    for (let i = 0; i < 3; i++) await owner(ours);
    expect(keystone.asked.keys - before).toBe(1);
  });

  test('a secret that Keystone does not tell: it is asked each time, and says whether the signature is right', async () => {
    keystone.grantKey('AK4', 'secret 4', { project: 'p4', user: 'u4', role: 'member' }, false);
    const ours = clientOf('ours', 'AK4', 'secret 4');
    const before = keystone.asked.keys;
    await ours.send(new CreateBucketCommand({ Bucket: 'untold' }));
    await ours.send(new PutObjectCommand({ Bucket: 'untold', Key: 'a', Body: 'text' }));
    expect(keystone.asked.keys - before).toBe(2);
    expect(await refusal(clientOf('ours', 'AK4', 'another'))).toEqual(['SignatureDoesNotMatch', 403]);
  });

  test('who is not let in, by either', async () => {
    keystone.grantKey('AK5', 'secret 5', { project: 'p5', user: 'u5', role: 'guest' });
    keystone.grantKey('AK6', 'secret 6', { project: 'p6', user: 'u6', role: 'member', seconds: -5 });
    keystone.grantKey('AK7', 'secret 7', { project: 'p7', user: 'u7', role: 'member' });
    const keys = [
      ['AK5', 'secret 5'],
      ['AK6', 'secret 6'],
      ['AK7', 'wrong'],
      ['AK0', 'unknown'],
    ] as const;
    const refused = async (by: 'ours' | 'theirs') =>
      await Promise.all(keys.map(async ([key, secret]) => [key, await refusal(clientOf(by, key, secret))]));
    expect(await refused('ours')).toEqual(await refused('theirs'));
  });

  test("keys of the gateway's own users are good, too, and a token that was taken away is asked for anew", async () => {
    const { accessKeyId, secretAccessKey } = cluster.s3;
    // radosgw 16.2 refuses them once Keystone has.
    expect(await owner(clientOf('ours', accessKeyId, secretAccessKey))).toMatchObject({ ID: 'spirula' });
    keystone.forgetGateway();
    keystone.grantKey('AK8', 'secret 8', { project: 'p8', user: 'u8', role: 'member' });
    expect(await owner(clientOf('ours', 'AK8', 'secret 8'))).toMatchObject({ ID: 'p8$p8' });
  });
});
