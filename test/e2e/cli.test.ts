/** The executable, as a new user runs it: each refusal is one line that says what is wrong and what to do. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, expect, test } from 'vitest';

const spirulaPath = fileURLToPath(new URL('../../packages/cli/bin/spirula.mjs', import.meta.url));
const base = mkdtempSync(join(tmpdir(), 'spirula-cli-'));
let folders = 0;
const live: string[] = [];

/** A file system with almost no room, where this user may make one. */
const tiny = join(base, 'tiny');
mkdirSync(tiny);
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', tiny]).status === 0;

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** No command may take longer; one that does says so in its outcome. */
const PATIENCE_MS = 75_000;

function spirula(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [spirulaPath, ...args], { timeout: PATIENCE_MS }, (error, stdout, stderr) => {
      const late = error?.killed ? `\n\`spirula ${args.join(' ')}\` did not end within ${PATIENCE_MS / 1000} s` : '';
      resolve({ status: error ? Number(error.code ?? 255) : 0, stdout, stderr: stderr + late });
    });
  });
}

function newFolder(): string {
  const dir = join(base, `c${folders++}`);
  live.push(dir);
  return dir;
}

/** Ports of their own, so that files may run side by side. */
const portBase = () => String(30_000 + folders * 400);

afterEach(async () => {
  for (const dir of live.splice(0)) await spirula('down', '--dir', dir);
});
afterAll(() => {
  if (mounted) spawnSync('umount', [tiny]);
  rmSync(base, { recursive: true, force: true });
});

function oneLine(outcome: Outcome): string {
  expect(outcome.status).toBe(1);
  expect(outcome.stderr.trimEnd().split('\n')).toHaveLength(1);
  return outcome.stderr;
}

test('up --detach returns at HEALTH_OK; status, kill, start, logs and down do what they say; data stay', async () => {
  const dir = newFolder();
  const up = await spirula('up', '--detach', '--dir', dir, '--port-base', portBase());
  expect(up).toMatchObject({ status: 0, stderr: '' });
  expect(up.stdout).toContain('HEALTH_OK');

  const file = join(base, 'file');
  writeFileSync(file, 'kept');
  expect(await spirula('rados', '--dir', dir, '-p', 'data', 'put', 'obj', file)).toMatchObject({ status: 0 });

  expect((await spirula('kill', 'osd.1', '--dir', dir)).stdout).toContain('osd.1 is dead');
  const during = JSON.parse((await spirula('status', '-f', 'json', '--dir', dir)).stdout);
  expect(during.daemons.find((each: { name: string }) => each.name === 'osd.1')).toMatchObject({ state: 'stopped' });
  expect(oneLine(await spirula('kill', 'osd.1', '--dir', dir))).toContain('osd.1 is not running');
  expect(await spirula('start', 'osd.1', '--dir', dir)).toMatchObject({ status: 0, stderr: '' });
  expect((await spirula('logs', 'osd.0', '--dir', dir)).stdout).not.toBe('');

  expect((await spirula('down', '--dir', dir)).status).toBe(0);
  expect(existsSync(join(dir, 'control.sock'))).toBe(false);
  expect(oneLine(await spirula('ceph', '--dir', dir, '-s'))).toContain('No cluster is running');
  expect(await spirula('up', '--detach', '--dir', dir)).toMatchObject({ status: 0, stderr: '' });
  expect(await spirula('rados', '--dir', dir, '-p', 'data', 'get', 'obj', join(base, 'copy'))).toMatchObject({
    status: 0,
  });
  expect(readFileSync(join(base, 'copy'), 'utf8')).toBe('kept');
}, 240_000);

test('with --processes, every daemon has a pid of its own and dies by SIGKILL', async () => {
  const dir = newFolder();
  const up = await spirula('up', '--detach', '--processes', '--dir', dir, '--port-base', portBase());
  expect(up).toMatchObject({ status: 0, stderr: '' });

  const before = JSON.parse((await spirula('status', '-f', 'json', '--dir', dir)).stdout);
  const pids = new Set(before.daemons.map((each: { pid: number }) => each.pid));
  await spirula('kill', 'osd.2', '--dir', dir);
  const after = JSON.parse((await spirula('status', '-f', 'json', '--dir', dir)).stdout);

  expect(pids.size).toBe(8);
  expect(after.daemons.find((each: { name: string }) => each.name === 'osd.2')).toMatchObject({
    state: 'stopped',
    reason: 'killed',
  });
}, 120_000);

test('a second up on a live folder is refused in one line; a stale socket is not', async () => {
  const dir = newFolder();
  const child: ChildProcess = spawn(
    process.execPath,
    [spirulaPath, 'up', '--dir', dir, '--port-base', portBase(), '--mons', '1', '--osds', '1'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await new Promise<void>((resolve) =>
    child.stdout?.on('data', (text) => String(text).includes('Ctrl-C') && resolve()),
  );

  const second = oneLine(await spirula('up', '--dir', dir));
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  const third = await spirula('up', '--detach', '--dir', dir);

  expect(second).toContain('running');
  expect(third).toMatchObject({ status: 0 });
}, 120_000);

test('a port in use is named', async () => {
  const port = Number(portBase());
  const dir = newFolder();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port + 1, '127.0.0.1', resolve));

  const refused = oneLine(await spirula('up', '--dir', dir, '--port-base', String(port)));
  await new Promise((resolve) => server.close(resolve));

  expect(refused).toContain(`Port ${port + 1}`);
  expect(refused).toContain('--port-base');
});

test('a folder written by another version, or where nothing can be written, is refused', async () => {
  const other = newFolder();
  mkdirSync(other);
  writeFileSync(join(other, 'cluster.json'), JSON.stringify({ format: 99, version: '9.9.9' }));
  const file = join(base, 'a-file');
  writeFileSync(file, '');

  expect(oneLine(await spirula('up', '--dir', other))).toContain('was written by spirula 9.9.9');
  expect(oneLine(await spirula('up', '--dir', join(file, 'below')))).toContain('--dir');
  expect(oneLine(await spirula('up', '--dir', '/sys/spirula'))).toContain('/sys/spirula');
  expect(oneLine(await spirula('up', '--dir', '/proc/spirula'))).toContain('/proc/spirula');
});

test.skipIf(!mounted)('a full folder is refused (needs the right to mount a small file system)', async () => {
  const refused = oneLine(await spirula('up', '--dir', tiny, '--port-base', portBase()));

  expect(refused).toContain(tiny);
  expect(refused).toContain('no space left');
});

test('nothing runs: down, status and kill say so; an unknown daemon or flag is named', async () => {
  const dir = newFolder();

  expect(oneLine(await spirula('down', '--dir', dir))).toContain('No cluster is running');
  expect(oneLine(await spirula('status', '--dir', dir))).toContain('No cluster is running');
  expect(oneLine(await spirula('kill', 'osd.0', '--dir', dir))).toContain('No cluster is running');
  expect((await spirula('up', '--frobnicate')).stderr).toContain("unknown option '--frobnicate'");
  expect((await spirula('up', '--osds', 'many')).stderr).toContain('whole number');
});
