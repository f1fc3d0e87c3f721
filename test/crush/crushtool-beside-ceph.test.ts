/** Command lines of crushtool, ours beside Ceph's: what is printed, the status, and the bytes that are written. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { goldenBytes, goldenNames } from '../golden-data.ts';
import { missingTools } from '../interop/real-ceph.ts';
import { runCephs, runOurs } from './run-crushtool.ts';

const folder = mkdtempSync(join(tmpdir(), 'spirula-crushtool-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(() => expect(missingTools(['crushtool'])).toEqual([]));

/** A named map in a file. */
function mapFile(name: string): string {
  const path = join(folder, `${name}.bin`);
  const file = goldenNames(`crush/named/${name}`).find((each) => each.startsWith('map.bin'))!;
  if (!existsSync(path)) writeFileSync(path, goldenBytes(`crush/named/${name}/${file}`));
  return path;
}

/** Both tools on the same words, `OUT` being a file that is read back. */
async function both(words: readonly string[], input?: Uint8Array) {
  const out = join(folder, 'out');
  const argv = words.map((word) => (word === 'OUT' ? out : word));
  const written = () => {
    const bytes = existsSync(out) ? readFileSync(out).toString('base64') : undefined;
    rmSync(out, { force: true });
    return bytes;
  };
  const ours = { ...runOurs(argv, input), written: written() };
  const cephs = { ...(await runCephs(argv, input)), written: written() };
  return { ours, cephs };
}

async function expectSame(words: readonly string[], input?: Uint8Array): Promise<void> {
  const { ours, cephs } = await both(words, input);
  expect(ours).toEqual(cephs);
}

const split = (line: string) => line.split(' ').filter((word) => word !== '');

const shown = [
  '--tree',
  ...['json', 'json-pretty', 'xml', 'xml-pretty', 'table', 'table-kv', 'html', 'html-pretty', 'none'].map(
    (format) => `--dump -f ${format}`,
  ),
  '--check 3 --show-location 3',
  '--test --show-utilization --show-mappings --min-x 5 --max-x 40 --num-rep 3',
  '--test --show-mappings --show-bad-mappings --simulate --num-rep 3 --min-x 0 --max-x 60',
  '-d MAP -o OUT',
];

describe.each(['classes-straw2', 'ca-ids-positions', 'alg-mixed-levels', 'set-steps', 'empty-and-zero-hosts'])(
  'the map %s',
  (name) => {
    test.each(shown)('%s', async (line) => {
      const map = mapFile(name);

      await expectSame(['-i', map, ...split(line).map((word) => (word === 'MAP' ? map : word))]);
    });
  },
);

const lines = [
  // Display.
  '--check',
  '--check 1000',
  '--check x --tree',
  '--show-location 4000 --bucket-tree',
  '--bucket-tree --bucket-name rack0',
  '--bucket-tree -b nope --bucket-tree',
  '--tree --check --dump -f json --show-location 1',
  // Tests.
  '--test --rule 0',
  '--test --show_statistics --num_rep 2',
  '--test --show-utilization-all --num-rep=2 --rule=0 --batches 7',
  '--test --show-mappings --num-rep 3 --max-x 5 --rule 0',
  '--test --show-mappings --num-rep 3 --x 9 --min-rule 1',
  '--test --show-choose-tries --num-rep 3 --rule 0',
  '--test --ruleset 1 --show-statistics --min-x 1 --max-x 20',
  '--test --weight 3 0.5 --weight 4 2 --weight 5 -1 --weight -3 1 --show-statistics --pool-id 3 --num-rep 2',
  '--test --batches 0 --show-statistics --rule 0 --num-rep 2',
  // Tunables.
  '--set-choose-total-tries',
  '--set-choose-total-tries x -o OUT',
  '--set-choose-total-tries 10 --set-chooseleaf-vary-r 300 --set-straw-calc-version 0 --set-allowed-bucket-algs 2 -o OUT',
  '--set_chooseleaf_stable=0 --set-choose-local-tries=3 --set-choose-local-fallback-tries -7 -o OUT',
  // Items.
  '--remove-item nope',
  '--remove-item host0',
  '--remove-item osd.3 -o OUT',
  '--reweight-item nope 3',
  '--reweight-item osd.3 1.234567 -o OUT',
  '--reweight-item host0 3 -o OUT',
  '--reweight-item osd.3 -1',
  '--add-item 100 1 osd.100',
  '--add-item 100 1 osd.100 --loc host new --loc rack rack0 -o OUT',
  '--add-item 100 1 osd.100 --loc host new -o OUT',
  '--add-item 100 -1 osd.100 --loc host host0',
  '--add-item 100 1 osd.3 --loc host host0',
  '--add-item 3 1x osd.3 --loc host host1 -o OUT',
  '--add-item 100 1 os~d --loc host host1',
  '--update-item 3 1.5 osd.3 --loc host host1 --loc root default -o OUT',
  '--update-item 0 1.5 osd.x --loc host host0 -o OUT',
  '--update-item 500 1.5 osd.500 --loc host host0 -o OUT',
  '--add-bucket a host -o OUT',
  '--add-bucket a host --loc rack new --loc root default -o OUT',
  '--add-bucket a b',
  '--add-bucket a~ host',
  '--add-bucket host0 host',
  '--add-bucket a rack --loc host host0 -o OUT',
  '--move host0 --loc rack rack1 --loc root default -o OUT',
  '--move host0 --loc rack rack0',
  '--move host0',
  '--move nope --loc a b',
  '--move osd.0 --loc host host2 -o OUT',
  '--move rack0 --loc host host0',
  '--reweight -o OUT',
  '--reweight -v -o OUT',
  '--reweight -o /nowhere/map',
  // Rules.
  '--create-simple-rule a default host firstn -o OUT',
  '--create-simple-rule a default osd indep -o OUT',
  '--create-simple-rule a default host d',
  '--create-simple-rule a nope host firstn',
  '--create-replicated-rule a default host --device-class ssd -o OUT',
  '--create-replicated-rule a default host --device-class nope',
  '--remove-rule nope -o OUT',
  // Classes.
  '--rebuild-class-roots -o OUT',
  '--set-subtree-class host0 fast --rebuild-class-roots -o OUT',
  '--set-subtree-class default fast --reclassify --reclassify-root default fast -o OUT',
  '--reclassify --reclassify-bucket %0 fast default -o OUT',
  '--reclassify --reclassify-bucket host% fast default -o OUT',
  '--reclassify --reclassify-root nope a',
  // Words.
  '--frob',
  '--tree --frob a',
  '--tree -- --dump',
  '--tree --test=1',
  '--test --num-rep x',
  '--test --num-rep 1.5',
  '--test --num-rep --x',
  '--test --num-rep 99999999999',
  '--num-rep',
  '--set-choose-total-tries x --num-rep 3',
  '--add-item 5',
  '--add-item x 1 osd.5',
  '--add-item 5 1 osd.5 --loc host',
  '--create-simple-rule',
  '--create-simple-rule a b',
  '--reclassify-root',
  '--reclassify-bucket a b',
  '--compare /nowhere/map',
  '-o',
];

test.each(lines)('classes-straw2 %s', async (line) => {
  await expectSame(['-i', mapFile('classes-straw2'), ...split(line)]);
});

test.each([
  '',
  '-i',
  '-i /nowhere/map --tree',
  '-c /nowhere/map',
  '--tree --dump',
  '-d a -c b',
  '--add-item 0 1 osd.0 --loc host h',
])('without a map: %s', async (line) => {
  await expectSame(split(line));
});

test('a file that is no map', async () => {
  const path = join(folder, 'garbage');
  writeFileSync(path, 'no map');

  await expectSame(['-i', path, '--tree']);
});

test('a map on standard input', async () => {
  await expectSame(['-i', '-', '--tree'], readFileSync(mapFile('set-steps')));
});

test.each([
  ['ca-ids-positions', '--reweight-item osd.3 2.5 -o OUT'],
  ['ca-ids-positions', '--move host1 --loc rack rack0 -o OUT'],
  ['ca-ids-positions', '--remove-item osd.4 -o OUT'],
  ['ca-ids-positions', '--reweight -o OUT'],
  ['ca-one-position', '--add-item 99 1 osd.99 --loc host host1 -o OUT'],
  ['ca-one-position', '--add-bucket a host --loc rack new --loc root default -o OUT'],
  ['ca-mixed-algs', '--reweight -o OUT'],
  ['alg-mixed-levels', '--reweight -o OUT'],
  ['alg-mixed-levels', '--reweight-item osd.3 2.5 -o OUT'],
  ['alg-mixed-levels', '--remove-item osd.3 -o OUT'],
  ['alg-list-any', '--remove-item osd.3 --reweight -o OUT'],
  ['alg-straw-any', '--add-item 99 1.5 osd.99 --loc host host1 -o OUT'],
  ['alg-tree-any', '--remove-item osd.3 -o OUT'],
  ['alg-tree-any', '--reweight-item osd.3 2.5 -o OUT'],
  ['alg-uniform-any', '--remove-item osd.3 -o OUT'],
  ['single-osd', '--remove-item osd.0 --dump -f json -o OUT'],
])('%s %s', async (name, line) => {
  await expectSame(['-i', mapFile(name), ...split(line)]);
});

test('rules of one ruleset that overlap are told of', async () => {
  const [source, map] = [join(folder, 'overlap.txt'), join(folder, 'overlap.bin')];
  const rule = (id: number, min: number, max: number) =>
    `rule r${id} { id ${id} type replicated min_size ${min} max_size ${max} step take r step emit }`;
  // Rulesets have eight bits: 259 is 3 there.
  const rules = [rule(2, 1, 10), rule(3, 1, 10), rule(259, 5, 12)].join(' ');
  writeFileSync(source, `device 0 osd.0 type 0 osd type 1 root root r { alg straw2 item osd.0 } ${rules}`);

  await expectSame(['-c', source, '-o', 'OUT', '--check']);
  expect(runOurs(['-c', source, '-o', map, '--check']).stdout).toBe('overlapped rules in ruleset 3: r259, r3\n');
});

test('buckets without weight sets get some when others are made to add up', async () => {
  const [source, map] = [join(folder, 'sets.txt'), join(folder, 'sets.bin')];
  const hosts = 'host a { id -1 alg list item osd.0 weight 1.5 } host b { id -2 alg straw2 item osd.1 weight 2 }';
  const root = 'root r { id -3 alg straw2 item a weight 1.5 item b weight 2 }';
  const types = 'device 0 osd.0 device 1 osd.1 type 0 osd type 1 host type 2 rack type 3 root';
  writeFileSync(source, `${types} ${hosts} ${root} choose_args 0 { { bucket_id -2 weight_set [ [ 7 ] ] } }`);
  expect(runOurs(['-c', source, '-o', map]).status).toBe(0);

  await expectSame(['-i', map, '--reweight-item', 'osd.1', '3', '-o', 'OUT']);
  await expectSame(['-i', map, ...split('--move a --loc rack new --loc root r -o OUT')]);
});

test.each([
  '--num_osds 4',
  '--num_osds 4 host straw2',
  '--num_osds 4 host frob 2',
  '--num_osds 4 host straw2 2 -o OUT',
  '--num_osds 11 host straw 3 rack list 2 root straw2 0 -o OUT',
  '--num_osds 9 host tree 4 root uniform 0 --tree --set-choose-total-tries 7 -o OUT',
  '--num_osds 0 host tree 4',
  '--num_osds 5 a-name-that-is-long straw2 1 root straw2 0 -o OUT',
])('--build %s', async (line) => {
  await expectSame(['--build', ...split(line)]);
});

test('two maps are compared', async () => {
  const other = join(folder, 'other.bin');
  runOurs(['-i', mapFile('classes-straw2'), '--reweight-item', 'osd.3', '9', '-o', other]);
  const range = ['--min-x', '0', '--max-x', '200', '--num-rep', '2'];

  await expectSame(['-i', mapFile('classes-straw2'), '--compare', mapFile('classes-straw2'), ...range]);
  await expectSame(['-i', mapFile('classes-straw2'), '--compare', other, ...range]);
});

test('data of a test is written to the same files', async () => {
  const map = ['-i', mapFile('classes-straw2'), '--test', '--rule', '0', '--num-rep', '2', '--weight', '4', '0.3'];
  const files: Record<string, string>[] = [];
  for (const prefix of ['ours', 'cephs']) {
    const argv = [
      ...map,
      '--batches',
      '3',
      '--output-csv',
      '--output-name',
      join(folder, prefix),
      '--x',
      '--min-x',
      '0',
    ];
    argv.splice(argv.indexOf('--x'), 1, '--max-x', '300');
    if (prefix === 'ours') expect(runOurs(argv).status).toBe(0);
    else expect((await runCephs(argv)).status).toBe(0);
    const written = goldenFiles(prefix);
    files.push(written);
  }

  expect(Object.keys(files[0]!)).toHaveLength(8);
  expect(files[0]).toEqual(files[1]);
});

/** CSV files that begin so, by the rest of their names. */
function goldenFiles(prefix: string): Record<string, string> {
  const names = [
    'absolute_weights',
    'batch_device_expected_utilization_all',
    'batch_device_utilization_all',
    'device_utilization',
    'device_utilization_all',
    'placement_information',
    'proportional_weights',
    'proportional_weights_all',
  ];
  const path = (name: string) => join(folder, `${prefix}-r_ssd-${name}.csv`);
  return Object.fromEntries(names.map((name) => [name, readFileSync(path(name), 'utf8')]));
}

test('the help names every flag that Ceph’s names, and all of them are known', async () => {
  const flags = (text: string) => [...new Set(text.match(/--[a-z][-a-z_]*/g))].sort();
  const cephs = flags((await runCephs(['--help'])).stdout);
  const ours = runOurs(['--help']);

  expect(ours.status).toBe(0);
  expect(flags(ours.stdout)).toEqual(expect.arrayContaining(cephs));
  for (const flag of cephs.filter((each) => each !== '--help')) {
    expect(runOurs(['--tree', flag, '1', '1', '1', '1']).stderr).not.toContain(`unrecognized arguments: [${flag}`);
  }
});

describe('texts', () => {
  const source = join(folder, 'map.txt');

  test.each([
    'device 0 osd.0\ntype 0 osd\nbogus line  here # c\n',
    'device 0 osd.0\n  type 0 osd\ntype 1   host\nhost h {\n  id -1\n   alg   straw2\n item osd.0 weight x\n}\n',
    'device 0 osd.0\ntype 0 osd type 1 host    foo   bar\n',
    'bad\n',
    '# nothing\n\n',
    'type 1 host\ndevice 0 osd.0 host h{id-1 alg straw2 item osd.0 weight.5}',
    'type 1 host\ntype 0 osd\ndevice 0 osd.0\nhost h {\nid -1\nalg foo\n}\n',
    'type 1 host\ndevice 0 osd.0\nhost h {\nid -1\nalg straw2\n}\nhost g {\nid -1\nalg straw2\n}\n',
    'type 1 host\ndevice 0 osd.0\nhost h {\nalg straw2\nitem osd.0 weight -1\n}\n',
    'type 1 host\ndevice 0 a\nhost h {\nalg straw2\n}\nhost g {\nalg straw2\nitem h weight 65536\n}\n',
    'type 1 host\ndevice 0 a\nhost h {\nalg straw2\nitem g\n}\nhost g {\nalg straw2\nitem h\n}\n',
    'type 1 host\ndevice 0 a\nhost h {\nalg straw2\nitem g weight 3\n}\nhost g {\nalg list\nitem a\n}\n',
    'type 1 host\ndevice 0 a\ndevice 1 b\nhost h {\nid -1\nalg uniform\nitem a weight 1\nitem b weight 2\n}\n',
    'type 1 host\ndevice 0 a\nhost h {\nalg tree\nitem a pos 1\n}\n',
    'type 1 host\ndevice 0 a\nhost h {\nalg tree\n}\nrule r {\nid 300\ntype replicated\nmin_size 1\nmax_size 300\nstep take h\nstep emit\n}\n',
    'type 1 host\ndevice 0 a class c\nhost h {\nalg tree\n}\nrule r {\nid 3\ntype erasure\nmin_size 1\nmax_size 3\nstep take h class d\nstep emit\n}\n',
    'type 1 host\ndevice 0 a\nhost h {\nalg straw2\nitem a\n}\nchoose_args 1 {\n{\nbucket_id -1\nweight_set [ [ 1 2 ] ]\n}\n}\n',
    'type 1 host\ndevice 0 a\nhost h {\nalg straw2\nitem a\n}\nchoose_args 1 {\n{\nbucket_id -2\n}\n}\n',
    'tunable choose_total_tries 4294967297\ntunable chooseleaf_vary_r 257\ndevice 7 seven\n',
  ])('%j', async (text) => {
    writeFileSync(source, text);

    await expectSame(['-c', source, '-o', 'OUT']);
    await expectSame(['-v', '-c', source, '-o', 'OUT']);
  });
});
