import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { goldenBytes, goldenNames, goldenPath, goldenText } from '../golden-data.ts';
import { missingTools } from '../interop/real-ceph.ts';
import { runOurs } from './run-crushtool.ts';

const folder = mkdtempSync(join(tmpdir(), 'spirula-crushtool-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const shown = goldenNames('crush/named')
  .filter((name) => name !== 'INDEX.json')
  .flatMap((name) =>
    goldenNames(`crush/named/${name}`)
      .filter((file) => /^show-.*\.txt$/.test(file))
      .map((file) => `${name}/${file}`),
  );

test.each(shown)('%s is printed to the byte', (path) => {
  const folder = goldenPath(`crush/named/${path.split('/')[0]}`);
  const runs = goldenText(`crush/named/${path}`)
    .split(/^# crushtool -i map\.bin /m)
    .slice(1);

  for (const each of runs) {
    const end = each.indexOf('\n');
    const { status, stdout } = runOurs(['-i', `${folder}/map.bin`, ...each.slice(0, end).trim().split(' ')]);
    expect(stdout).toBe(each.slice(end + 1));
    expect(status).toBe(0);
  }
});

const missing = missingTools(['crushtool']);

/** Standard output of the real tool. */
function real(argv: readonly string[]): string {
  return execFileSync('crushtool', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

describe.skipIf(missing.length > 0)('beside the real crushtool', () => {
  test.each(['big-1000', 'ca-mixed-algs', 'classes-straw2', 'many-out', 'empty-root', 'short-3host-straw2'])(
    'what is printed of %s, with reweights and a pool, is the same',
    (name) => {
      const file = goldenNames(`crush/named/${name}`).find((each) => each.startsWith('map.bin'))!;
      const path = join(folder, name);
      writeFileSync(path, goldenBytes(`crush/named/${name}/${file}`));
      const inputs = '--test --min-x 100 --max-x 300 --pool-id 7 --weight 1 0.3 --weight 2 0'.split(' ');

      for (const shown of [
        '--show-mappings --show-statistics --num-rep 4',
        '--show-utilization --show-mappings --num-rep 3 --rule 1',
        '--show-utilization-all --show-choose-tries --min-rule 1 --max-rule 2 --num-rep 3',
        '--show-bad-mappings --num-rep 9 --rule 0',
      ]) {
        const argv = ['-i', path, ...inputs, ...shown.split(' ')];
        expect(runOurs(argv).stdout).toBe(real(argv));
      }
    },
  );
});

test('no damage to a map does more than have it refused', () => {
  const bytes = goldenBytes('crush/named/ca-one-position/map.bin');
  const path = join(folder, 'damaged');
  const lines = [
    '--tree --check 9 --show-location 3 --bucket-tree --bucket-name host1',
    '--dump -f xml',
    '-d MAP',
    '--reweight-item osd.3 2 --remove-item osd.4 --reweight',
    '--add-item 77 1 osd.77 --loc host host1 --loc rack rack9',
    '--move host1 --loc rack rack0 --rebuild-class-roots',
    '--set-subtree-class default a --reclassify --reclassify-root default a --reclassify-bucket host% b default',
    '--test --show-utilization --num-rep 2 --min-x 0 --max-x 3',
  ].map((line) => line.split(' ').map((word) => (word === 'MAP' ? path : word)));

  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }),
      fc.constantFrom(...lines),
      (changes, line) => {
        const damaged = bytes.slice();
        for (const [at, value] of changes) damaged[at] = value;
        writeFileSync(path, damaged);

        expect(runOurs(['-i', path, ...line]).status).toBeTypeOf('number');
      },
    ),
    { numRuns: 200, seed: 9 },
  );
}, 60_000);
