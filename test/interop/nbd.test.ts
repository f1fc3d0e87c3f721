/** Images by NBD, used by libnbd's and qemu's tools and by fio, on a socket of the file system and on a port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ImageCluster, makePools, must, RBD_TOOLS, realRbd, startOurs } from './rbd-clusters.ts';
import { missingTools } from './real-ceph.ts';
import { runTool } from './run-tool.ts';

const TOOLS = ['nbdinfo', 'nbdcopy', 'qemu-img', 'qemu-io', 'fio', 'mkfs.ext4', 'e2fsck'];
const missing = missingTools([...RBD_TOOLS, ...TOOLS]);
const SPIRULA = new URL('../../packages/cli/bin/spirula.mjs', import.meta.url).pathname;
const MIB = 1 << 20;

describe.skipIf(missing.length > 0)(`images by NBD (skipped without: ${missing.join(' ')})`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'nbd-'));
  const socket = join(dir, 'socket');
  const uri = (name: string) => `nbd+unix:///${name}?socket=${socket}`;
  let cluster: ImageCluster;
  let server: ChildProcess;

  const rbd = (...args: string[]) => must(realRbd(cluster, ...args), args.join(' '));
  const tool = (program: string, ...args: string[]) =>
    must(runTool(program, args, { timeoutSeconds: 60 }), `${program} ${args.join(' ')}`);
  const qemuIo = (name: string, ...commands: string[]) =>
    tool('qemu-io', '-f', 'raw', uri(name), ...commands.flatMap((command) => ['-c', command]));
  const exported = async (name: string) => {
    const path = join(dir, 'exported');
    rmSync(path, { force: true });
    await rbd('export', name, path, '--no-progress');
    return readFileSync(path);
  };
  const serve = async (...args: string[]) => {
    const child = spawn(process.execPath, [SPIRULA, 'nbd', 'serve', '-c', cluster.conf, ...args], { stdio: 'pipe' });
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      child.stderr.once('data', (text: Buffer) => reject(new Error(text.toString())));
    });
    return child;
  };
  const ended = (child: ChildProcess) => new Promise((resolve) => child.once('exit', resolve));

  beforeAll(async () => {
    cluster = await startOurs()();
    await makePools(cluster);
    writeFileSync(join(dir, 'content'), Buffer.alloc(5 * MIB + 100, 'spirula '));
    await rbd('create', 'images/disk', '--size', '64M');
    await rbd('import', join(dir, 'content'), 'images/base', '--no-progress');
    await rbd('snap', 'create', 'images/base@one', '--no-progress');
    server = await serve('--socket', socket, 'images/disk', 'images/base', 'images/base@one');
  }, 60_000);
  afterAll(async () => {
    server?.kill('SIGKILL');
    await cluster?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  test('are listed with what they can do', async () => {
    const { stdout } = await tool('nbdinfo', '--json', '--list', uri(''));
    const listed = JSON.parse(stdout) as { exports: Record<string, unknown>[] };
    expect(listed.exports).toMatchObject([
      {
        'export-name': 'images/disk',
        'export-size': 64 * MIB,
        is_read_only: false,
        can_multi_conn: true,
        can_fua: true,
      },
      { 'export-name': 'images/base', 'export-size': 5 * MIB + 100, is_read_only: false, can_trim: true },
      { 'export-name': 'images/base@one', is_read_only: true, can_flush: false },
    ]);
    expect((await runTool('nbdinfo', [uri('images/none')])).stderr).toContain('images/none');
  });

  test('are written, zeroed, trimmed and flushed by qemu, and librbd reads the same', async () => {
    await qemuIo(
      'images/disk',
      'write -P 7 1M 300k',
      'write -z 1100k 64k',
      'read -P 0 1100k 64k',
      'read -P 7 1200k 1k',
    );
    await qemuIo(
      'images/disk',
      'write -f -P 9 20M 5M',
      'discard 21M 1M',
      'discard 24M 4M',
      'flush',
      'read -P 9 22M 1M',
    );
    const bytes = await exported('images/disk');
    const expected = Buffer.alloc(64 * MIB);
    expected.fill(7, MIB, MIB + 300 * 1024).fill(0, 1100 * 1024, 1164 * 1024);
    expected
      .fill(9, 20 * MIB, 25 * MIB)
      .fill(0, 21 * MIB, 22 * MIB)
      .fill(0, 24 * MIB, 25 * MIB);
    expect(Buffer.compare(bytes, expected)).toBe(0);
    const { stdout } = await tool('nbdinfo', '--json', '--map', uri('images/disk'));
    expect(JSON.parse(stdout)).toMatchObject([
      { offset: 0, length: 4 * MIB, type: 0 },
      { offset: 4 * MIB, length: 16 * MIB, type: 3 },
      { offset: 20 * MIB, length: 4 * MIB, type: 0 },
      { offset: 24 * MIB, length: 40 * MIB, type: 3 },
    ]);
  });

  test('a snapshot is copied by nbdcopy, and not written', async () => {
    await tool('nbdcopy', uri('images/base@one'), join(dir, 'copied'));
    expect(readFileSync(join(dir, 'copied')).equals(readFileSync(join(dir, 'content')))).toBe(true);
    const refused = await runTool('qemu-io', ['-f', 'raw', uri('images/base@one'), '-c', 'write 0 4k']);
    expect(refused.status).not.toBe(0);
  });

  test('a file system goes in by qemu-img and comes out whole', async () => {
    const image = join(dir, 'ext4');
    await tool('mkfs.ext4', '-q', '-F', '-d', new URL('rbd-tool', import.meta.url).pathname, image, '48M');
    await tool('qemu-img', 'convert', '-n', '-f', 'raw', '-O', 'raw', image, uri('images/disk'));
    await tool('qemu-img', 'compare', '-f', 'raw', '-F', 'raw', image, uri('images/disk'));
    await exported('images/disk');
    await tool('e2fsck', '-fn', join(dir, 'exported'));
  });

  test('several connections of fio read back what they wrote', async () => {
    const job = [
      '--name=job',
      '--ioengine=nbd',
      `--uri=${uri('images/disk')}`,
      '--rw=randwrite',
      '--bs=16k',
      '--size=8M',
    ];
    await tool(
      'fio',
      ...job,
      '--iodepth=16',
      '--numjobs=2',
      '--offset_increment=8M',
      '--verify_state_save=0',
      '--verify=crc32c',
      '--verify_fatal=1',
    );
  });

  test('a resized image has its new size for the next connection', async () => {
    await rbd('resize', 'images/base', '--size', '9M', '--no-progress');
    expect((await tool('nbdinfo', '--size', uri('images/base'))).stdout.trim()).toBe(String(9 * MIB));
  });

  test('clients that lie, stall or vanish harm nobody', async () => {
    const liar = dial(socket);
    liar.write('GET / HTTP/1.1\r\n\r\n');
    const staller = dial(socket);
    const vanishing = dial(socket);
    vanishing.destroy();
    await new Promise((resolve) => liar.once('close', resolve).resume());
    await qemuIo('images/disk', 'read 0 4k');
    staller.destroy();
  });

  test('what was flushed survives SIGKILL of the server; SIGTERM gives the lock away', async () => {
    await qemuIo('images/disk', 'write -P 33 2M 1M', 'flush');
    server.kill('SIGKILL');
    await ended(server);
    expect((await exported('images/disk')).subarray(2 * MIB, 3 * MIB).every((byte) => byte === 33)).toBe(true);

    rmSync(socket, { force: true });
    server = await serve('--port', '0', 'images/base');
    server.kill('SIGTERM');
    await ended(server);
    expect((await rbd('lock', 'ls', 'images/base')).stdout).toBe('');
    expect(await serve('images/none').catch((error: Error) => error.message)).toContain('error opening images/none');
  });
});
