/** Clients of S3 as Debian has them, unmodified, on our gateway: boto3, s3cmd, rclone. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type S3Gateway, startS3Gateway } from '../e2e/s3-gateway.ts';
import { missingTools } from './real-ceph.ts';
import { PYTHON, runTool } from './run-tool.ts';

const TIMEOUT_SECONDS = 300;
const TEST_TIMEOUT_MS = TIMEOUT_SECONDS * 1000;
const missing = missingTools([PYTHON, 's3cmd', 'rclone']);

/** Without what this user has set up for AWS. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')));

const boto3Cases = [
  'an_object_with_headers_and_metadata',
  'ranges',
  'conditions',
  'large_objects_are_the_same_byte_for_byte',
  'uploads_in_parts',
  'copies',
  'listings_by_page_and_delimiter',
  'odd_keys',
  'presigned_urls',
  'access_control_lists',
  'who_is_not_who_they_say',
  'a_clock_that_is_an_hour_late',
];

/** Names that a file may have, and that are hard on who encodes them. */
const files = ['plain', 'a b', 'a+b', 'a%20b', 'ä€😀', 'empty', 'deep/er/one', "q'1&2=3"];

/** Bytes that are not the same at any two places. */
function bytes(length: number): Uint8Array {
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, (_, i) => Math.imul(i, 2654435761));
  return new Uint8Array(words.buffer, 0, length);
}

describe.skipIf(missing.length > 0)(`S3 clients (skipped without: ${missing.join(' ') || 'none'})`, () => {
  let gateway: S3Gateway;
  let source: string;

  const tool = async (program: string, ...args: string[]) => {
    const result = await runTool(program, args, { timeoutSeconds: TIMEOUT_SECONDS, env });
    return { ...result, stdout: Buffer.from(result.stdout, 'latin1').toString() };
  };
  const done = async (program: string, ...args: string[]) => {
    const { status, stdout, stderr } = await tool(program, ...args);
    expect({ status, stderr: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  };

  beforeAll(async () => {
    gateway = await startS3Gateway(25_800);
    source = join(gateway.folder, 'source');
    mkdirSync(join(source, 'deep/er'), { recursive: true });
    for (const name of files) writeFileSync(join(source, name), name === 'empty' ? '' : `this is ${name}`);
    writeFileSync(join(source, 'large'), bytes((20 << 20) + 5));
  }, 180_000);
  afterAll(async () => {
    await gateway?.stop();
  });

  const expectSame = (folder: string) => {
    for (const name of [...files, 'large']) {
      expect(Buffer.compare(readFileSync(join(folder, name)), readFileSync(join(source, name))), name).toBe(0);
    }
  };

  describe('boto3', () => {
    let outcomes: Record<string, string | null>;

    beforeAll(async () => {
      const program = fileURLToPath(new URL('s3/boto3_cases.py', import.meta.url));
      outcomes = JSON.parse(await done(PYTHON, program, gateway.endpoint, gateway.accessKey, gateway.secretKey));
    }, TEST_TIMEOUT_MS);

    test.each(boto3Cases)('%s', (name) => {
      expect(outcomes[name]).toBeNull();
    });

    test('no case is left out here', () => {
      expect(Object.keys(outcomes)).toEqual(boto3Cases);
    });
  });

  test(
    's3cmd syncs a folder there and back, in parts and with odd names, moves, signs and deletes',
    async () => {
      const conf = join(gateway.folder, 's3cfg');
      const host = new URL(gateway.endpoint).host;
      const s3cmd = (...args: string[]) => ['-c', conf, '--no-progress', ...args];
      const run = (...args: string[]) => done('s3cmd', ...s3cmd(...args));
      writeFileSync(
        conf,
        `[default]\naccess_key = ${gateway.accessKey}\nsecret_key = ${gateway.secretKey}\nhost_base = ${host}\nhost_bucket = ${host}\nuse_https = False\n`,
      );
      await run('mb', 's3://cmd');
      await run('sync', '--multipart-chunk-size-mb=5', `${source}/`, 's3://cmd/in/');
      const listed = await run('ls', '--recursive', 's3://cmd/in/');
      for (const name of [...files, 'large']) expect(listed).toContain(`s3://cmd/in/${name}\n`);
      expect((await run('ls', 's3://cmd/in/')).match(/DIR +(.*)/)?.[1]).toBe('s3://cmd/in/deep/');

      const back = join(gateway.folder, 's3cmd');
      mkdirSync(back);
      await run('sync', 's3://cmd/in/', `${back}/`);
      expectSame(back);
      await run('cp', 's3://cmd/in/large', 's3://cmd/copied');
      await run('mv', 's3://cmd/in/plain', 's3://cmd/moved');
      expect(await run('info', 's3://cmd/moved')).toContain('File size: 13');
      await run('setacl', '--acl-public', 's3://cmd/moved');
      expect(await (await fetch(`${gateway.endpoint}/cmd/moved`)).text()).toBe('this is plain');
      const signed = (await run('signurl', 's3://cmd/in/a b', '+60')).trim();
      expect(await (await fetch(signed)).text()).toBe('this is a b');

      const full = await tool('s3cmd', ...s3cmd('rb', 's3://cmd'));
      expect(full.stdout + full.stderr).toContain('BucketNotEmpty');
      await run('del', '--recursive', '--force', 's3://cmd');
      await run('rb', 's3://cmd');
      const gone = await tool('s3cmd', ...s3cmd('ls', 's3://cmd'));
      expect(gone.stdout + gone.stderr).toContain('NoSuchBucket');
      const stranger = await tool('s3cmd', ...s3cmd('--secret_key=other', 'ls'));
      expect(stranger.stdout + stranger.stderr).toContain('SignatureDoesNotMatch');
    },
    TEST_TIMEOUT_MS,
  );

  test(
    'rclone copies, checks, streams and purges',
    async () => {
      const { endpoint, accessKey, secretKey } = gateway;
      const conf = join(gateway.folder, 'rclone.conf');
      const settings = {
        type: 's3',
        provider: 'Ceph',
        endpoint,
        access_key_id: accessKey,
        secret_access_key: secretKey,
      };
      const lines = Object.entries({ ...settings, force_path_style: true }).map(
        ([name, value]) => `${name} = ${value}`,
      );
      writeFileSync(conf, ['[r]', ...lines, ''].join('\n'));
      const bucket = 'r:rclone';
      const rclone = (...args: string[]) => ['--config', conf, '--retries', '1', ...args];
      const run = (...args: string[]) => done('rclone', ...rclone(...args));

      await run('mkdir', bucket);
      await run('copy', '--s3-upload-cutoff', '6M', '--s3-chunk-size', '5M', source, `${bucket}/in`);
      await run('check', '--download', source, `${bucket}/in`);
      await run('check', source, `${bucket}/in`);
      const back = join(gateway.folder, 'rclone');
      await run('copy', `${bucket}/in`, back);
      expectSame(back);
      await runTool('rclone', rclone('rcat', `${bucket}/streamed`), { input: bytes(3 << 20), timeoutSeconds: 60, env });
      expect(JSON.parse(await run('size', '--json', bucket))).toMatchObject({ count: files.length + 2 });
      await run('moveto', `${bucket}/in/large`, `${bucket}/moved`);
      expect((await run('lsf', '-R', '--files-only', bucket)).trim().split('\n').toSorted()).toEqual(
        ['streamed', 'moved', ...files.map((name) => `in/${name}`)].toSorted(),
      );
      expect(await run('cat', '--offset', '8', `${bucket}/in/plain`)).toBe('plain');
      await run('purge', bucket);
      expect((await tool('rclone', ...rclone('lsf', bucket))).status).not.toBe(0);
    },
    TEST_TIMEOUT_MS,
  );
});
