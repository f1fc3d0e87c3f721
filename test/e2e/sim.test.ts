/** The simulator's command line, as built. */
import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const spirulaPath = fileURLToPath(new URL('../../packages/cli/bin/spirula.mjs', import.meta.url));

function sim(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [spirulaPath, 'sim', ...args], (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code ?? 255) : 0, stdout, stderr });
    });
  });
}

test('one seed gives one report, the same on a thread of its own', async () => {
  const alone = await sim('run', 'standard', '--seed', '3', '--until', '5s');
  const many = await sim('run', 'standard', '--seeds', '3..4', '--until', '5s', '--jobs', '2');

  expect(alone).toMatchObject({ status: 0, stderr: '' });
  expect(alone.stdout).toMatch(/^standard, seed 3: clean, digest [0-9a-f]{16}\n/);
  expect(alone.stdout).toContain('replay: npx spirula sim run standard --seed 3 --until 5s');
  expect(many.status).toBe(0);
  expect(many.stdout).toMatch(/^2 seeds, 0 failed; [\d,]+ events, .* on 2 threads: .*x real time\n$/);
});

test.each([
  [['run', 'nothing'], 'There is no scenario nothing. There are: standard'],
  [['run', 'standard', '--seeds', '9..1'], '--seeds takes a range'],
  [['run', 'standard', '--seeds', '1..9', '--shard', '3/3'], '--shard takes a part'],
  [['run', 'standard', '--seed', '1', '--seeds', '1..9'], 'Give --seed or --seeds, not both.'],
  [['run', 'standard', '--jobs', '2'], '--jobs and --shard go with --seeds.'],
  [['run', 'standard', '--until', 'late'], '--until takes a span of time'],
])('%o is refused in one line', async (args, complaint) => {
  const { status, stdout, stderr } = await sim(...args);

  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr).toContain(complaint);
});

test('a run is stepped through by commands given at once, or piped in; one that fails ends it', async () => {
  const commands = 'crash osd.2; until osd.2 down within 1m; ceph osd tree; rewind 300ms; digest; dance; digest';
  const given = await sim('shell', 'standard', '--seed', '7', '--exec', commands);

  expect(given).toMatchObject({ status: 1, stderr: '' });
  expect(given.stdout).toMatch(
    /^> crash osd\.2\ndone: crash osd\.2\n> until osd\.2 down within 1m\nosd\.2 down: after \d/,
  );
  expect(given.stdout).toMatch(/osd\.2 +down +1\.00000/);
  expect(given.stdout).toMatch(/dropped: ceph osd tree .*\n> digest\n[0-9a-f]{16}\n> dance\ndance: expected a command/);
  expect(given.stdout.match(/> digest/g)).toHaveLength(1);

  const piped = spawn(process.execPath, [spirulaPath, 'sim', 'shell', 'standard', '--seed', '7']);
  piped.stdin.end('run 1s\nseed\nquit\ndance\n');
  const [status, stdout] = await Promise.all([
    new Promise((resolve) => piped.once('close', resolve)),
    piped.stdout.toArray().then((chunks) => chunks.join('')),
  ]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^now \d+\.\d+s, \d+ events\n7\n$/);
});

test('whoever reads no further is not told off', async () => {
  const { status, stderr } = await new Promise<{ status: number; stderr: string }>((resolve) => {
    const commands = 'run 5s; status; ceph -s; rewind 2s; status; ceph -s; status';
    const line = `set -o pipefail; "${process.execPath}" "${spirulaPath}" sim shell leader-loss --exec '${commands}' | head -n 1`;
    execFile('bash', ['-c', line], (error, _, stderr) => resolve({ status: error ? Number(error.code) : 0, stderr }));
  });

  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
