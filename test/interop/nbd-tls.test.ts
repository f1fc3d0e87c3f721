/** NBD with TLS, used by libnbd's and qemu's tools: where it is offered, where it is required, and where clients need certificates. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ImageCluster, makePools, must, RBD_TOOLS, realRbd, startOurs } from './rbd-clusters.ts';
import { missingTools } from './real-ceph.ts';
import { runTool, type ToolResult } from './run-tool.ts';

const missing = missingTools([...RBD_TOOLS, 'nbdinfo', 'nbdcopy', 'qemu-img', 'qemu-io', 'openssl']);
const SPIRULA = new URL('../../packages/cli/bin/spirula.mjs', import.meta.url).pathname;
const MIB = 1 << 20;
const [OFFERED, REQUIRED, VERIFYING] = [25_350, 25_351, 25_352];

describe.skipIf(missing.length > 0)(`NBD with TLS (skipped without: ${missing.join(' ')})`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'nbd-tls-'));
  const servers: ChildProcess[] = [];
  let cluster: ImageCluster;

  /** As libnbd and qemu look for them: `ca-cert.pem`, and a client's own `client-cert.pem`, `client-key.pem`. */
  const [authority, client, stranger] = ['authority', 'client', 'stranger'].map((name) => join(dir, name));
  const server = (name: string) => join(dir, `${name}.pem`);

  const serve = async (port: number, ...args: string[]) => {
    const words = ['nbd', 'serve', '-c', cluster.conf, '--port', String(port), ...args, 'images/disk', 'images/base'];
    const child = spawn(process.execPath, [SPIRULA, ...words], { stdio: 'pipe' });
    servers.push(child);
    return new Promise<string>((resolve, reject) => {
      child.stdout.once('data', (text: Buffer) => resolve(text.toString()));
      child.stderr.once('data', (text: Buffer) => reject(new Error(text.toString())));
    });
  };
  const uri = (port: number, certificates: string | undefined, name = 'images/base') =>
    certificates === undefined
      ? `nbd://127.0.0.1:${port}/${name}`
      : `nbds://127.0.0.1:${port}/${name}?tls-certificates=${certificates}`;
  const info = (port: number, certificates?: string) => runTool('nbdinfo', ['--json', uri(port, certificates)]);
  const qemu = (program: string, port: number, certificates: string, ...rest: string[]): Promise<ToolResult> => {
    const image = `driver=nbd,host=127.0.0.1,port=${port},export=images/disk,tls-creds=tls0`;
    const tls = `tls-creds-x509,id=tls0,dir=${certificates},endpoint=client`;
    const verb = program === 'qemu-img' ? ['info'] : [];
    return runTool(program, [...verb, '--object', tls, '--image-opts', image, ...rest], { timeoutSeconds: 30 });
  };

  beforeAll(async () => {
    makeCertificates(dir);
    cluster = await startOurs()();
    await makePools(cluster);
    writeFileSync(join(dir, 'content'), Buffer.alloc(9 * MIB + 100, 'spirula '));
    await must(realRbd(cluster, 'create', 'images/disk', '--size', '64M'), 'create');
    await must(realRbd(cluster, 'import', join(dir, 'content'), 'images/base', '--no-progress'), 'import');
    const own = ['--tls-cert', server('server-cert'), '--tls-key', server('server-key')];
    expect(await serve(OFFERED, ...own)).toContain(`at nbd://127.0.0.1:${OFFERED}`);
    expect(await serve(REQUIRED, ...own, '--tls-required')).toContain(`at nbds://127.0.0.1:${REQUIRED}`);
    await serve(VERIFYING, ...own, '--tls-required', '--tls-ca', join(authority!, 'ca-cert.pem'));
  }, 60_000);
  afterAll(async () => {
    for (const child of servers) child.kill('SIGTERM');
    await Promise.all(servers.map((child) => child.exitCode ?? new Promise((resolve) => child.once('exit', resolve))));
    await cluster?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  test('where it is offered clients come with and without', async () => {
    const [secured, clear] = await Promise.all([info(OFFERED, authority), info(OFFERED)]);
    expect(JSON.parse(secured.stdout)).toMatchObject({ TLS: true, exports: [{ 'export-size': 9 * MIB + 100 }] });
    expect(JSON.parse(clear.stdout)).toMatchObject({ TLS: false, structured: true });
  });

  test('where it is required nobody comes without', async () => {
    expect(JSON.parse((await info(REQUIRED, authority)).stdout)).toMatchObject({ TLS: true, structured: true });
    const clear = await info(REQUIRED);
    expect(clear.status).not.toBe(0);
    expect(clear.stderr).toContain('server replied with error to opt_go request');
  });

  test('who does not know the authority does not trust the server', async () => {
    const refused = await info(OFFERED, stranger);
    expect(refused.status).not.toBe(0);
    expect(JSON.parse((await info(OFFERED, authority)).stdout)).toMatchObject({ TLS: true });
  });

  test('where clients are verified they need a certificate, of the right authority', async () => {
    expect(JSON.parse((await info(VERIFYING, client)).stdout)).toMatchObject({ TLS: true });
    for (const certificates of [authority, stranger]) {
      const refused = await runTool('nbdinfo', ['--size', uri(VERIFYING, certificates)]);
      expect(refused.status, certificates).not.toBe(0);
    }
    expect(JSON.parse((await info(VERIFYING, client)).stdout)).toMatchObject({ TLS: true });
  });

  test('images are copied whole', async () => {
    const copy = join(dir, 'copy');
    await must(runTool('nbdcopy', [uri(REQUIRED, authority), copy], { timeoutSeconds: 30 }), 'nbdcopy');
    expect(readFileSync(copy).equals(readFileSync(join(dir, 'content')))).toBe(true);
    await must(
      runTool('nbdcopy', ['--', copy, uri(VERIFYING, client, 'images/disk')], { timeoutSeconds: 30 }),
      'nbdcopy',
    );
    rmSync(copy);
    await must(realRbd(cluster, 'export', 'images/disk', copy, '--no-progress'), 'export');
    const expected = Buffer.alloc(64 * MIB);
    readFileSync(join(dir, 'content')).copy(expected);
    expect(readFileSync(copy).equals(expected)).toBe(true);
  });

  test('qemu reads and writes, with a certificate of its own', async () => {
    expect((await must(qemu('qemu-img', VERIFYING, client!), 'qemu-img')).stdout).toContain('virtual size: 64 MiB');
    const commands = ['write -P 5 20M 3M', 'flush', 'read -P 5 21M 1M', 'discard 20M 1M', 'read -P 0 20M 4k'];
    const { stdout } = await must(
      qemu('qemu-io', VERIFYING, client!, ...commands.flatMap((each) => ['-c', each])),
      'qemu-io',
    );
    expect(stdout).not.toContain('Pattern verification failed');
    expect((await qemu('qemu-img', VERIFYING, stranger!)).status).not.toBe(0);
  });

  test('clients that stall, vanish or lie amid the handshake harm nobody', async () => {
    const begin = Buffer.from('\0\0\0\x03IHAVEOPT\0\0\0\x05\0\0\0\0', 'latin1');
    const staller = dial(REQUIRED);
    staller.write(begin);
    const vanishing = dial(REQUIRED);
    vanishing.write(begin, () => vanishing.destroy());
    const liars = [dial(REQUIRED), dial(REQUIRED)];
    // What follows before the answer is in the clear, and what follows the answer is no handshake.
    liars[0]!.write(Buffer.concat([begin, Buffer.from('IHAVEOPT')]));
    liars[1]!.write(begin);
    setTimeout(() => liars[1]!.write('no handshake of TLS, whatever one takes it for'), 300);
    await Promise.all(liars.map((liar) => new Promise((resolve) => liar.once('close', resolve).resume())));
    expect(JSON.parse((await info(REQUIRED, authority)).stdout)).toMatchObject({ TLS: true });
    staller.destroy();
  });

  test('certificates that are missing, or are none, are told of', async () => {
    const refused = async (...args: string[]) => serve(0, ...args).catch((error: Error) => error.message);
    const [cert, key] = [server('server-cert'), server('server-key')];
    expect(await refused('--tls-required')).toContain('TLS needs --tls-cert and --tls-key');
    expect(await refused('--tls-cert', cert)).toContain('go together');
    expect(await refused('--tls-cert', cert, '--tls-key', '/none')).toContain('/none does not exist');
    expect(await refused('--tls-cert', key, '--tls-key', cert)).toContain('are no certificate with its key');
  });
});

/** Two authorities: of the server and of a client, and of a stranger. */
function makeCertificates(dir: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const make = (name: string, authority: string, extensions: string) => {
    openssl('req', '-new', ...newKey, '-keyout', `${name}-key.pem`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    writeFileSync(join(dir, `${name}.ext`), extensions);
    const by = ['-CA', `${authority}/ca-cert.pem`, '-CAkey', `${authority}-key.pem`, '-CAcreateserial'];
    const signed = ['-in', `${name}.csr`, '-out', `${name}-cert.pem`, '-days', '2', '-extfile', `${name}.ext`];
    openssl('x509', '-req', ...by, ...signed);
  };
  for (const name of ['authority', 'stranger']) {
    mkdirSync(join(dir, name));
    const out = ['-keyout', `${name}-key.pem`, '-out', `${name}/ca-cert.pem`, '-days', '2'];
    openssl('req', '-x509', ...newKey, ...out, '-subj', `/CN=${name}`);
  }
  make('server', 'authority', 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n');
  make('client', 'authority', 'extendedKeyUsage=clientAuth\n');
  make('other', 'stranger', 'extendedKeyUsage=clientAuth\n');
  mkdirSync(join(dir, 'client'));
  copyFileSync(join(dir, 'authority/ca-cert.pem'), join(dir, 'client/ca-cert.pem'));
  for (const [folder, name] of [
    ['client', 'client'],
    ['stranger', 'other'],
  ]) {
    for (const part of ['cert', 'key']) {
      copyFileSync(join(dir, `${name}-${part}.pem`), join(dir, folder!, `client-${part}.pem`));
    }
  }
}
