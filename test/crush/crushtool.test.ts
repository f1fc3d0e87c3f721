import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { crushtool } from '../../packages/cli/src/crushtool.ts';
import { goldenNames, goldenPath, goldenText } from '../golden-data.ts';
import { missingTools } from '../interop/real-ceph.ts';

function run(...argv: string[]): { status: number; stdout: string; stderr: string } {
  let stdout = '';
  let stderr = '';
  const status = crushtool(argv, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    readFile: (path) => readFileSync(path),
  });
  return { status, stdout, stderr };
}

const shown = goldenNames('crush/named')
  .filter((name) => name !== 'INDEX.json')
  .flatMap((name) =>
    goldenNames(`crush/named/${name}`)
      .filter((file) => /^show-(mappings-raw|bad-mappings|statistics|choose-tries)\.txt$/.test(file))
      .map((file) => `${name}/${file}`),
  );

test.each(shown)('%s is printed to the byte', (path) => {
  const folder = goldenPath(`crush/named/${path.split('/')[0]}`);
  const runs = goldenText(`crush/named/${path}`)
    .split(/^# crushtool -i map\.bin /m)
    .slice(1);

  for (const each of runs) {
    const end = each.indexOf('\n');
    const { status, stdout } = run('-i', `${folder}/map.bin`, ...each.slice(0, end).trim().split(' '));
    expect(stdout).toBe(each.slice(end + 1));
    expect(status).toBe(0);
  }
});

test.each([
  ['a map that does not exist', ['-i', '/nowhere/map', '--test'], '/nowhere/map'],
  ['a file that is no map', ['-i', fileURLToPath(import.meta.url), '--test'], 'crush.magic at offset'],
  ['an unknown flag', ['--frobnicate'], "'--frobnicate'"],
  ['a flag without its value', ['--test', '-i'], '-i needs a value'],
  ['a word for a number', ['--test', '--rule', 'one'], "not 'one'"],
])('%s is refused in one line', (_, argv, words) => {
  const { status, stderr } = run(...argv);

  expect(status).toBe(1);
  expect(stderr).toContain(words);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
});

const missing = missingTools(['crushtool']);

test.skipIf(missing.length > 0).each(['big-1000', 'ca-mixed-algs', 'classes-straw2', 'many-out'])(
  'the real crushtool prints the same of %s, with reweights and a pool',
  (name) => {
    const folder = `crush/named/${name}`;
    const file = goldenNames(folder).find((each) => each === 'map.bin');
    if (file === undefined) return;
    const argv = [
      '-i',
      goldenPath(`${folder}/map.bin`),
      '--test',
      '--show-mappings',
      '--show-statistics',
      '--rule',
      '0',
    ];
    argv.push(
      '--num-rep',
      '4',
      '--min-x',
      '100',
      '--max-x',
      '400',
      '--pool-id',
      '7',
      '--weight',
      '1',
      '0.3',
      '--weight',
      '2',
      '0',
    );

    expect(run(...argv).stdout).toBe(execFileSync('crushtool', argv, { encoding: 'utf8' }));
  },
);
