import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkScenario, Lab, readScenario, runScenario, type Scenario } from '@spirula/sim-scenarios';
import { afterAll, expect, test } from 'vitest';
import { SimShell } from './sim-shell.ts';

const SEED = 7;
const spec = checkScenario({
  name: 'small',
  cluster: { clients: 1 },
  pools: [{ pgNum: 4 }],
  workloads: [{ kind: 'objects' }],
  duration: '20s',
  faults: [{ fault: 'delay', daemons: 'osd.1', upTo: '20ms', at: '2s', for: '3s' }],
});
const small: Scenario = { name: 'small', source: 'small.yaml', summary: '', isDrawn: false, draw: () => spec };
const folder = mkdtempSync(join(tmpdir(), 'spirula-shell-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Types lines, each of which must succeed; gives what the last one printed. */
function openShell() {
  let printed: string[] = [];
  const shell = new SimShell({
    scenario: small,
    seed: SEED,
    makeLab: () => new Lab(spec, SEED),
    print: (text) => void printed.push(text),
  });
  const attempt = async (line: string) => {
    printed = [];
    return { ok: await shell.execute(line), text: printed.join('\n') };
  };
  const type = async (...lines: string[]) => {
    let last = '';
    for (const line of lines) {
      const { ok, text } = await attempt(line);
      if (!ok) throw new Error(`${line}: ${text}`);
      last = text;
    }
    return last;
  };
  return { shell, type, attempt };
}

test('who only watches sees the verdict and the digest of `sim run`', async () => {
  const { type } = openShell();
  await type('step 100', 'run 3s', 'status', 'pgs', 'osd.1', 'until osd.0 up', 'log', 'trace last 5', 'run');

  const [verdict, ...rest] = (await type('finish')).split('\n');
  const { digest } = await runScenario({ scenario: small, seed: SEED });
  expect(verdict).toBe(`small, seed 7: clean, digest ${digest}`);
  expect(rest.at(-1)).toBe('replay: npx spirula sim run small.yaml --seed 7');
  expect(await type('digest')).toBe(digest);
});

test('step shows events with what comes of them, a line each', async () => {
  const { shell, type } = openShell();
  const events = () => Number(/(\d+) events/.exec(shell.place)![1]);
  const before = events();

  const lines = (await type('step 3')).split('\n');
  expect(events()).toBe(before + 3);
  const numbers = new Set(lines.map((line) => Number(line.trim().split(/\s+/)[1])));
  for (const number of [before + 1, before + 2, before + 3]) expect(numbers).toContain(number);
  expect((await type('step 500')).split('\n')[0]).toMatch(/^\.\.\. \d+ lines more; the last are:$/);
});

test('a killed OSD is found down, and comes back when the fault is ended', async () => {
  const { type } = openShell();
  expect(await type('kill osd.2')).toBe('done: crash osd.2');
  expect(await type('until osd.2 down within 30s')).toMatch(/^osd\.2 down: after \d+\.\d{3} s; now /);
  const status = await type('status');
  expect(status).toContain('osd.2 down in (stopped)');
  expect(status).toContain('HEALTH_WARN');
  expect(status).toMatch(/faults {3}crash osd\.2/);
  expect(await type('osd.2')).toMatch(/^osd\.2: stopped, started 1 times/);
  expect(await type('end crash')).toBe('ended: crash osd.2');
  await type('until all pgs active+clean within 1m');

  expect(await type('status')).toMatch(/osd\.2 up in\n/);
  expect(await type('pgs')).toMatch(/^1\.0 +active\+clean +Active +acting \[\d,\d,\d\] at /);
  expect(await type('faults')).toMatch(/crash osd\.2\n[\s\S]*lasting: delay osd\.1 upTo=20ms$/);
});

test('heal ends all that lasts', async () => {
  const { type } = openShell();
  await type('hang osd.0', 'partition mon.c | rest', 'isolate osd.1 for 1m', 'run 1s');
  expect(await type('status')).toContain('hang osd.0; partition mon.c | rest; isolate osd.1');

  await type('heal');
  expect(await type('status')).toContain('faults   none lasts');
});

test("Ceph's commands are answered in virtual time, and change the cluster", async () => {
  const { type, attempt } = openShell();
  expect(await type('ceph -s')).toMatch(/osd: 3 osds: 3 up .*3 in[\s\S]*\(0\.\d{3} s have passed; now /);
  expect(await type('ceph osd out 2')).toContain('marked out osd.2.');
  await type('until osd.2 out within 1s');
  expect(await type('command osd in 2')).toContain('marked in osd.2.');
  expect(await type('ceph osd tree -f json')).toContain('"name":"osd.2"');
  expect(await type('ceph pg stat')).toContain('4 pgs');
  const query = await type('pg 1.2 query');
  expect(await type('ceph tell 1.2 query')).toContain('"state": "');
  expect(query).toContain('"peer_info"');

  const { ok, text } = await attempt('ceph osd out nobody');
  expect(ok).toBe(false);
  expect(text).toMatch(/Error EINVAL[\s\S]*ceph: exit status 22$/);
});

test('objects are written and read as `rados` does', async () => {
  const { type, attempt } = openShell();
  const file = join(folder, 'hello');
  writeFileSync(file, 'hello, PG');
  await type(`rados put greeting ${file}`);

  expect(await type('rados get greeting -')).toMatch(/^hello, PG\n\(/);
  expect(await type('rados -p data ls')).toContain('greeting');
  expect(await attempt('rados get nothing -')).toMatchObject({ ok: false });
  expect(await attempt('rados put greeting -')).toMatchObject({ ok: false });
});

test('a command that nobody can answer is given up, not the shell', async () => {
  const { type, attempt } = openShell();
  await type('run', 'run 1s', 'crash mons');

  const { ok, text } = await attempt('ceph -s');
  expect(ok).toBe(false);
  expect(text).toContain('(60.000 s have passed;');
});

test('going back says what is dropped, and keeps what was done before', async () => {
  const { type } = openShell();
  await type('run 1s', 'crash osd.2', 'run 2s', 'hang mon.a', 'rados ls', 'run 1s');
  const dropped = await type('rewind 1500ms');

  expect(
    dropped
      .replace(/\d+\.\d+s/g, 'T')
      .split('\n')
      .slice(1),
  ).toEqual(['dropped: hang mon.a (at T)', 'dropped: rados -p data ls (at T)']);
  expect((await type('actions')).split('\n')).toEqual([expect.stringMatching(/^ +\d+\.\d{3} +\d+ {2}crash osd\.2$/)]);
});

test('the same actions at the same events make the same history again', async () => {
  const { shell, type } = openShell();
  await type('step 300', 'crash osd.2', 'run 3s', 'ceph osd out 2', 'run 1s');
  const [middle, place] = [await type('digest'), shell.place];
  await type('step 50', 'hang mon.a for 2s', 'step 40', 'ceph -s', 'run 4s');
  const [end, endPlace] = [await type('digest'), shell.place];

  await type('run 2s', `rewind to ${/now (\S+),/.exec(place)![1]}`);
  expect([await type('digest'), shell.place]).toEqual([middle, place]);
  await type('step 50', 'hang mon.a for 2s', 'step 40', 'ceph -s', 'run 4s');
  expect([await type('digest'), shell.place]).toEqual([end, endPlace]);
  await type('rewind 10 events', 'step 10');
  expect(await type('digest')).toBe(end);
  await type('crash osd.0');
  expect(await type('rewind 0s')).toMatch(/dropped: crash osd\.0/);
  expect(await type('digest')).toBe(end);
});

test('what was done by hand is saved as a scenario that does it again', async () => {
  const { type } = openShell();
  const file = join(folder, 'case.yaml');
  await type('run 1s', 'crash osd.2', 'run 2500ms', 'end crash osd.2', 'ceph osd out 1', 'ceph -s', 'run 6s');
  await type('hang mon.a for 2s', 'run 20s', 'crash osd.0');
  const said = await type(`save ${file}`);

  const saved = readScenario(readFileSync(file, 'utf8'));
  expect(saved).toMatchObject({ name: 'small-by-hand', seed: SEED });
  expect(saved.faults.slice(spec.faults.length)).toEqual([
    { fault: 'crash', daemons: 'osd.2', at: '1s', for: '2.5s' },
    { fault: 'command', command: { prefix: 'osd out', ids: ['1'] }, at: '3.5s' },
    { fault: 'hang', daemons: 'mon.a', at: expect.any(String), for: '2s' },
  ]);
  expect(said).toMatch(/3 actions; to run it: npx spirula sim run/);
  expect(said).toContain('not in it: ceph -s');
  expect(said).toMatch(/not in it: crash osd\.0 \(at .* when the faults had ended\)/);
  const report = await runScenario({ scenario: { ...small, draw: () => saved }, seed: SEED });
  expect(report.faults.join('\n')).toMatch(/crash osd\.2 for 2\.5s[\s\S]*command .*osd out[\s\S]*hang mon\.a for 2s/);
});

test('a verdict that is bad fails, and one can go back and look', async () => {
  const { type, attempt } = openShell();
  await type('run', 'run 1s', 'crash osd.2');
  const { ok, text } = await attempt('finish');
  expect(ok).toBe(false);
  expect(text).toContain('small, seed 7: FAILED');
  expect(await attempt('run 1s')).toEqual({
    ok: false,
    text: 'the run is over: "finish" prints its verdict, "rewind 10s" goes back',
  });

  await type('rewind 30s');
  expect(await type('status')).toContain('osd.2 down');
});

test.each([
  ['dance', 'dance: expected a command or a daemon'],
  ['osd.9', 'nobody is called osd.9'],
  ['step many', 'many: expected a whole number from 1'],
  ['run soon', 'soon: expected a span of time'],
  ['run 1s 2s', '2s: expected run [SPAN]'],
  ['until osd.2 lost', '"osd.2 lost" is no condition'],
  ['until osd.2 down within 2s', 'osd.2 down: not within 2.000 s; now'],
  ['crash osd.9', 'nobody is called osd.9'],
  ['partition osd.9 | rest', 'nobody is called osd.9'],
  ['focus client.9 object=o how=reading', 'no client is called client.9'],
  ['crash', 'crash: daemons: whom it is for'],
  ['end crash osd.1', 'no fault lasts'],
  ['rewind', 'expected a span of time'],
  ['rewind to 1h', 'only: "run" goes forward'],
  ['rewind to 1ms', 'one cannot go back beyond that'],
  ['rewind 5 minutes', 'minutes: expected rewind SPAN'],
  ['ceph -w', '-w: that waits for time outside the simulation'],
  ['log osd.1 x', 'x: expected a daemon or a number'],
  ['save', 'save: expected a file'],
  ['save /nowhere/at/all', 'ENOENT'],
  ['help dance', 'dance: expected a command'],
])('of "%s" is said: %s', async (line, complaint) => {
  const { type, attempt } = openShell();
  const { ok, text } = await attempt(line);

  expect(ok).toBe(false);
  expect(text).toContain(complaint);
  expect(await type('actions')).toBe('');
});

test('help lists every command, and explains one', async () => {
  const { shell, type } = openShell();
  const help = await type('help');
  for (const word of ['step [N]', 'until CONDITION', 'bit-rot', 'ceph WORDS', 'save FILE'])
    expect(help).toContain(word);
  expect(await type('help until')).toContain('all pgs active+clean');
  expect(await type('seed')).toBe('7');
  expect(await type('', '# a remark')).toBe('');
  expect(shell.isOver).toBe(false);
  await type('quit');
  expect(shell.isOver).toBe(true);
});

test('tab completes commands, daemons and what a command takes', () => {
  const { shell } = openShell();

  expect(shell.complete('sta')).toEqual([['status ', 'start '], 'sta']);
  expect(shell.complete('crash osd.')).toEqual([['osd.0 ', 'osd.1 ', 'osd.2 '], 'osd.']);
  expect(shell.complete('partition mon.a | re')).toEqual([['rest '], 're']);
  expect(shell.complete('ceph osd t')[0]).toEqual(['tree ']);
});
