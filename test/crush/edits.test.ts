/** Edits of CRUSH maps, each beside what crushtool, or a monitor, made of the same map with the same words. */
import {
  addBucket,
  addSimpleRule,
  BucketAlg,
  COMPAT_WEIGHT_SET,
  type CrushLocation,
  type CrushMap,
  createOrMove,
  createWeightSet,
  decodeCrushMap,
  emptyCrushMap,
  encodeCrushMap,
  itemByName,
  moveBucket,
  RuleType,
  removeDeviceClass,
  removeItem,
  reweightInSet,
  reweightItem,
  setDeviceClass,
  shadowOf,
  typeByName,
} from '@spirula/crush';
import { expect, test } from 'vitest';
import { goldenBytes, goldenJson, goldenNames } from '../golden-data.ts';

interface Step {
  readonly step: number;
  readonly args: readonly string[];
  readonly wrote: boolean;
  readonly stable?: boolean;
}

const weight16 = (word: string) => Math.trunc(Math.fround(Number(word)) * 0x10000);

/** `--loc host host0 --loc root default` */
function locationIn(args: readonly string[]): CrushLocation {
  return new Map(args.flatMap((arg, i) => (arg === '--loc' ? [[args[i + 1]!, args[i + 2]!] as const] : [])));
}

/** The edit that a command line of crushtool asks for; undefined for those that monitors make otherwise. */
function edit(map: CrushMap, args: readonly string[]): CrushMap | undefined {
  const [option, first = '', second = '', third = '', fourth = ''] = args;
  switch (option) {
    case '--reweight-item':
      return reweightItem(map, itemByName(map, first)!, weight16(second));
    case '--remove-item':
      return removeItem(map, itemByName(map, first)!);
    case '--move':
      return moveBucket(map, itemByName(map, first)!, locationIn(args));
    case '--add-bucket': {
      const [added, id] = addBucket(map, first, typeByName(map, second)!);
      return moveBucket(added, id, locationIn(args));
    }
    case '--add-item':
    case '--update-item': {
      const placed = createOrMove(map, Number(first), weight16(second), locationIn(args));
      return reweightItem(placed, Number(first), weight16(second));
    }
    case '--create-simple-rule':
      return addSimpleRule(
        map,
        first,
        itemByName(map, second)!,
        third,
        fourth as 'firstn' | 'indep',
        RuleType.replicated,
      );
    case '--create-replicated-rule': {
      const root = itemByName(map, second)!;
      const taken = args.includes('--device-class') ? shadowOf(map, root, args.at(-1)!)! : root;
      return addSimpleRule(map, first, taken, third, 'firstn');
    }
    default:
      return undefined;
  }
}

/** The others set tunables, take rules away or work out all weights anew: no edits of ours. */
const offered = new Set([
  '--reweight-item',
  '--remove-item',
  '--move',
  '--add-bucket',
  '--add-item',
  '--update-item',
  '--create-simple-rule',
  '--create-replicated-rule',
]);

const edits = goldenNames('crush/edits').flatMap((folder) => {
  const steps = goldenJson<Step[]>(`crush/edits/${folder}/steps.json`);
  let before = 0;
  return steps.flatMap(({ step, args, wrote, stable }) => {
    const from = before;
    if (wrote) before = step;
    // In e04, step 7, the hole that a removal left in a tree bucket reads as osd.0, and Ceph weighs it.
    const asOurs = offered.has(args[0]!) && !(folder === 'e04' && step === 7);
    return wrote && stable && asOurs ? [{ folder, from, to: step, args, words: args.join(' ') }] : [];
  });
});

const bytesOf = (folder: string, step: number) =>
  goldenBytes(`crush/edits/${folder}/step${String(step).padStart(2, '0')}.bin`);

test.each(edits)('$folder, step $to: $words', ({ folder, from, to, args }) => {
  const expected = decodeCrushMap(bytesOf(folder, to));

  const edited = edit(decodeCrushMap(bytesOf(folder, from)), args)!;

  if (expected.buckets.some((bucket) => bucket?.alg === BucketAlg.tree)) {
    // Ceph edits tree buckets in place: removed items leave holes, and freed nodes keep their weights. Ours are made anew.
    const weights = (map: CrushMap) => map.buckets.map((bucket) => bucket && [bucket.id, bucket.alg, bucket.weight]);
    expect(weights(edited)).toEqual(weights(expected));
    expect({ ...edited, buckets: [] }).toEqual({ ...expected, buckets: [] });
    return;
  }
  expect(decodeCrushMap(encodeCrushMap(edited))).toEqual(expected);
  expect(Buffer.from(encodeCrushMap(edited)).equals(bytesOf(folder, to))).toBe(true);
});

/** What a monitor does to its map for a command; undefined for commands that it makes in ways not offered here. */
function command(map: CrushMap, words: readonly string[]): CrushMap | undefined {
  const [verb, first = '', second = '', third = '', fourth = ''] = words.slice(2);
  const osd = Number((verb === 'set-device-class' ? second : first).replace('osd.', ''));
  const location: CrushLocation = new Map(
    words.flatMap((word) => (word.includes('=') ? [word.split('=') as [string, string]] : [])),
  );
  switch (verb === 'rule' ? `${verb} ${first}` : verb) {
    case 'create-or-move':
      return createOrMove(map, osd, Math.round(Number(second) * 0x10000), location);
    case 'set-device-class':
      return setDeviceClass(map, osd, first);
    case 'rm-device-class':
      return removeDeviceClass(map, osd);
    case 'add-bucket':
      return addBucket(map, first, typeByName(map, second)!)[0];
    case 'move':
      return moveBucket(map, itemByName(map, first)!, location);
    case 'reweight':
      return reweightItem(map, osd, Math.round(Number(second) * 0x10000));
    case 'rm':
      return removeItem(map, itemByName(map, first)!);
    case 'rule create-replicated': {
      const root = itemByName(map, third)!;
      const taken = words[7] === undefined ? root : shadowOf(map, root, words[7])!;
      return addSimpleRule(map, second, taken, fourth, 'firstn');
    }
    case 'weight-set':
      return weightSetEdit(map, words.slice(3));
    case 'rule create-simple':
      return addSimpleRule(map, second, itemByName(map, third)!, fourth, words[7] as 'indep', RuleType.replicated);
    default:
      return undefined;
  }
}

function weightSetEdit(map: CrushMap, [verb, item = '', ...weights]: readonly string[]): CrushMap | undefined {
  if (verb === 'create-compat') return createWeightSet(map, COMPAT_WEIGHT_SET, 1);
  return reweightInSet(map, COMPAT_WEIGHT_SET, itemByName(map, item)!, weights.map(weight16));
}

interface Recorded {
  readonly command: string | null;
  readonly status: number;
  readonly map: string;
}

const recorded = goldenJson<Recorded[]>('crush/monitor/steps.json.gz');
const recordedMap = (at: number) => Buffer.from(recorded[at]!.map, 'base64');

test('the map of a new cluster is that of Ceph', () => {
  const [map, root] = addBucket(emptyCrushMap(), 'default', typeByName(emptyCrushMap(), 'root')!);

  const made = addSimpleRule(map, 'replicated_rule', root, 'osd', 'firstn');

  expect(decodeCrushMap(encodeCrushMap(made))).toEqual(decodeCrushMap(recordedMap(0)));
  expect(recordedMap(0).equals(encodeCrushMap(made))).toBe(true);
});

test.each(
  recorded.flatMap(({ command: words, status }, at) => (words === null || status !== 0 ? [] : [{ at, words }])),
)('a monitor, command $at: $words', ({ at, words }) => {
  const edited = command(decodeCrushMap(recordedMap(at - 1)), words.split(' '))!;

  expect(decodeCrushMap(encodeCrushMap(edited))).toEqual(decodeCrushMap(recordedMap(at)));
  expect(recordedMap(at).equals(encodeCrushMap(edited))).toBe(true);
});
