/** Edits of CRUSH maps, each beside what a monitor made of the same map with the same words. */
import {
  addBucket,
  addSimpleRule,
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
import { goldenJson } from '../golden-data.ts';

const weight16 = (word: string) => Math.trunc(Math.fround(Number(word)) * 0x10000);

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
