/** Monitors are added to a cluster that runs and removed from it, by `spirula` and by `ceph`; the folder follows the monitor map. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCluster } from '@spirula/cli';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';

const spirulaPath = fileURLToPath(new URL('../../packages/cli/bin/spirula.mjs', import.meta.url));
const base = mkdtempSync(join(tmpdir(), 'spirula-mons-'));
let dir = '';
const PORT_BASE = 24_400;
const PATIENCE_MS = 75_000;
/** A monitor that is killed is missed when its lease has run out; elections wait for those who do not answer. */
const IMPATIENT = ['--set', 'mon_lease=1', '--set', 'mon_election_timeout=1'];

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function spirula(command: string, ...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const line = [spirulaPath, command, '--dir', dir, ...args];
    execFile(process.execPath, line, { timeout: PATIENCE_MS }, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code ?? 255) : 0, stdout, stderr });
    });
  });
}

async function quorum(): Promise<readonly string[]> {
  const { stdout } = await spirula('ceph', 'quorum_status', '-f', 'json');
  return (JSON.parse(stdout) as { quorum_names: string[] }).quorum_names;
}

/** Ports of the monitors, behind the base, as ceph.conf and the folder have them. */
function monitorsOnDisk(): Record<string, number> {
  const file = JSON.parse(readFileSync(join(dir, 'cluster.json'), 'utf8')) as {
    mons: { name: string; port: number }[];
  };
  const conf = readFileSync(join(dir, 'ceph.conf'), 'utf8');
  const hosts = file.mons.map(({ port }) => `[v2:127.0.0.1:${port}]`).join(',');
  expect(conf).toContain(`mon_host = ${hosts}\n`);
  return Object.fromEntries(file.mons.map(({ name, port }) => [name, port - PORT_BASE]));
}

beforeEach(() => {
  dir = mkdtempSync(join(base, 'c'));
});
afterEach(() => spirula('down'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

test('a fourth monitor joins, takes the place of one that is killed, and goes again; the next start knows who there is', async () => {
  const up = await spirula(
    'up',
    '--detach',
    '--processes',
    '--port-base',
    String(PORT_BASE),
    '--osds',
    '1',
    ...IMPATIENT,
  );
  expect(up).toMatchObject({ status: 0, stderr: '' });

  expect(await spirula('add-mon')).toEqual({ status: 0, stdout: 'mon.d runs, and is in the quorum.\n', stderr: '' });
  expect(await quorum()).toEqual(['a', 'b', 'c', 'd']);
  expect(monitorsOnDisk()).toEqual({ a: 0, b: 1, c: 2, d: 3 });

  await spirula('kill', 'mon.a');
  expect(await quorum()).toEqual(['b', 'c', 'd']);
  expect(await spirula('rm-mon', 'a')).toEqual({ status: 0, stdout: 'mon.a is no more.\n', stderr: '' });
  expect(await quorum()).toEqual(['b', 'c', 'd']);
  expect(monitorsOnDisk()).toEqual({ b: 1, c: 2, d: 3 });
  expect(existsSync(join(dir, 'mon.a'))).toBe(false);

  // By Ceph's own words: the monitor stops, and the folder learns of it at the next start, as of one that was added.
  expect(await spirula('ceph', 'mon', 'rm', 'b')).toMatchObject({ status: 0 });
  expect(await quorum()).toEqual(['c', 'd']);
  expect(await spirula('ceph', 'mon', 'add', 'e', `127.0.0.1:${PORT_BASE + 9}`)).toMatchObject({ status: 0 });
  await spirula('down');
  expect(await spirula('up', '--detach', '--processes')).toMatchObject({ status: 0, stderr: '' });
  expect(await quorum()).toEqual(['c', 'd', 'e']);
  expect(monitorsOnDisk()).toEqual({ c: 2, d: 3, e: 9 });
}, 300_000);

test('what cannot be is refused in one line', async () => {
  const up = await spirula('up', '--detach', '--port-base', String(PORT_BASE + 400), '--mons', '1', '--osds', '1');
  expect(up).toMatchObject({ status: 0, stderr: '' });

  const problems = [
    await spirula('add-mon', 'x/y'),
    await spirula('add-mon', 'a'),
    await spirula('add-mon', 'long'.repeat(30)),
    await spirula('rm-mon', 'z'),
    await spirula('rm-mon', 'a'),
  ].map(({ status, stderr }) => `${status} ${stderr.trimEnd().replace('spirula: ', '')}`);

  expect(problems).toEqual([
    "1 x/y: a monitor's name is made of letters, digits, - and _.",
    '1 There is a mon.a already.',
    expect.stringMatching(/^1 .*too long for a socket/),
    '1 There is no mon.z in this cluster. Its monitors: a.',
    '1 removing mon.a would break quorum: EBUSY',
  ]);
  expect(await quorum()).toEqual(['a']);
}, 120_000);

test('in one process and in memory monitors come and go as well, under the same name again', async () => {
  const cluster = await startCluster({ mons: 1, osds: 1, store: 'memory' });
  const names = async () => {
    const connection = await cluster.connect();
    const status = JSON.parse(await connection.command({ prefix: 'quorum_status', format: 'json' }));
    await connection.close();
    return status.quorum_names as string[];
  };

  try {
    expect([await cluster.addMon(), await cluster.addMon('spare')]).toEqual(['b', 'spare']);
    expect(await names()).toEqual(['a', 'b', 'spare']);
    await cluster.removeMon('a');
    expect(await names()).toEqual(['b', 'spare']);
    expect(await cluster.addMon()).toBe('a');
    expect(await names()).toEqual(['b', 'spare', 'a']);
    expect(cluster.monAddrs).toHaveLength(3);
    await cluster.waitForHealth();
  } finally {
    await cluster.stop();
  }
}, 120_000);
