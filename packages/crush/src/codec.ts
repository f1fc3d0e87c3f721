/**
 * The binary CRUSH map (CrushWrapper::encode and decode, crush/CrushWrapper.cc). Later releases append to it, so a map
 * may end after any of the groups below; what is missing has the value older releases lived with.
 *
 *   magic, sizes | buckets | rules | type, item and rule names | tunables, one release after another | classes | choose_args
 */
import { type Bytes, Decoder, Encoder, fromUtf8 } from '@spirula/encoding';
import {
  BucketAlg,
  type CrushBucket,
  type CrushChooseArg,
  type CrushMap,
  type CrushRule,
  type CrushTunables,
} from './crush-map.ts';

const MAGIC = 0x00010000;

/** The values of releases before tunables (argonaut): what a map that names none means. */
export const LEGACY_TUNABLES: CrushTunables = {
  chooseLocalTries: 2,
  chooseLocalFallbackTries: 5,
  chooseTotalTries: 19,
  chooseleafDescendOnce: 0,
  chooseleafVaryR: 0,
  chooseleafStable: 0,
  strawCalcVersion: 0,
  allowedBucketAlgs: (1 << BucketAlg.uniform) | (1 << BucketAlg.list) | (1 << BucketAlg.straw),
};

/**
 * Reads a CRUSH map.
 *
 * @throws MalformedInput naming the field and offset that do not fit.
 */
export function decodeCrushMap(bytes: Bytes): CrushMap {
  const from = new Decoder(bytes);
  const magic = from.u32('crush.magic');
  if (magic !== MAGIC) from.fail('crush.magic', `is 0x${magic.toString(16)}, not 0x${MAGIC.toString(16)}`);
  const maxBuckets = from.u32('crush.max_buckets');
  const maxRules = from.u32('crush.max_rules');
  from.i32('crush.max_devices');
  const buckets = slots(from, maxBuckets, 'crush.max_buckets', decodeBucket);
  const rules = slots(from, maxRules, 'crush.max_rules', decodeRule);
  const typeNames = decodeNames(from, 'crush.type_names');
  const names = decodeNames(from, 'crush.names');
  const ruleNames = decodeNames(from, 'crush.rule_names');
  const tunables = decodeTunables(from);
  const id = () => from.i32('crush.classes');
  const more = from.remaining > 0;
  const deviceClass = more ? from.map('crush.device_class', 8, id, id) : new Map<number, number>();
  const classNames = more
    ? from.map('crush.class_names', 8, id, () => from.string('crush.class_names'))
    : new Map<number, string>();
  const classBuckets = more
    ? from.map('crush.class_buckets', 8, id, () => from.map('crush.class_buckets', 8, id, id))
    : new Map<number, Map<number, number>>();
  const chooseArgs = from.remaining > 0 ? decodeChooseArgs(from, buckets) : new Map();
  return {
    maxDevices: devicesOf(buckets, names),
    buckets,
    rules,
    typeNames,
    names,
    ruleNames,
    tunables,
    deviceClass,
    classNames,
    classBuckets,
    chooseArgs,
  };
}

/**
 * One more than the last device that a map holds or names (CrushWrapper::finalize, crush_finalize): what the map itself says
 * does not count.
 */
export function devicesOf(buckets: readonly (CrushBucket | undefined)[], names: ReadonlyMap<number, string>): number {
  let last = -1;
  for (const bucket of buckets) for (const item of bucket?.items ?? []) last = Math.max(last, item);
  for (const id of names.keys()) last = Math.max(last, id);
  return last + 1;
}

/** `count` slots that are each led by a u32, zero when empty. */
function slots<T>(
  from: Decoder,
  count: number,
  field: string,
  decode: (from: Decoder, lead: number) => T,
): (T | undefined)[] {
  if (count * 4 > from.remaining) from.fail(field, `${count} slots do not fit in the ${from.remaining} bytes left`);
  const all: (T | undefined)[] = [];
  for (let i = 0; i < count; i++) {
    const lead = from.u32(field);
    all.push(lead === 0 ? undefined : decode(from, lead));
  }
  return all;
}

/** What follows the items is laid out by the algorithm named inside; the one that leads only has to be known. */
function decodeBucket(from: Decoder, lead: number): CrushBucket {
  if (lead > BucketAlg.straw2) from.fail('bucket.alg', `is ${lead}`);
  const id = from.i32('bucket.id');
  const type = from.u16('bucket.type');
  const alg = from.u8('bucket.alg');
  const hash = from.u8('bucket.hash');
  const weight = from.u32('bucket.weight');
  const size = from.count('bucket.size', 4);
  const items = Int32Array.from({ length: size }, () => from.i32('bucket.items'));
  const u32 = () => from.u32('bucket.weights');
  let itemWeights = new Uint32Array(0);
  let sums = new Uint32Array(0);
  switch (alg) {
    case BucketAlg.uniform:
      itemWeights = Uint32Array.of(u32());
      break;
    case BucketAlg.tree:
      sums = Uint32Array.from({ length: from.u8('bucket.num_nodes') }, u32);
      break;
    case BucketAlg.straw2:
      itemWeights = Uint32Array.from({ length: size }, u32);
      break;
    case BucketAlg.list:
    case BucketAlg.straw:
      // list: weight and sum; straw: weight and straw, item by item.
      if (size * 8 > from.remaining) from.fail('bucket.weights', `${size} pairs do not fit`);
      itemWeights = new Uint32Array(size);
      sums = new Uint32Array(size);
      for (let i = 0; i < size; i++) {
        itemWeights[i] = u32();
        sums[i] = u32();
      }
      break;
    default:
      from.fail('bucket.alg', `is ${alg}`);
  }
  return { id, type, alg, hash, weight, items, itemWeights, sums };
}

function decodeRule(from: Decoder): CrushRule {
  const count = from.count('rule.steps', 12);
  const ruleset = from.u8('rule.ruleset');
  const type = from.u8('rule.type');
  const minSize = from.u8('rule.min_size');
  const maxSize = from.u8('rule.max_size');
  const steps = Array.from({ length: count }, () => ({
    op: from.u32('rule.step.op'),
    arg1: from.i32('rule.step.arg1'),
    arg2: from.i32('rule.step.arg2'),
  }));
  return { ruleset, type, minSize, maxSize, steps };
}

/** Once these keys were 64 bits wide: an empty name then is the upper half of the key (decode32_or_64_string_map). */
function decodeNames(from: Decoder, field: string): Map<number, string> {
  const count = from.count(field, 8);
  const names = new Map<number, string>();
  for (let i = 0; i < count; i++) {
    const id = from.i32(field);
    const length = from.u32(field) || from.u32(field);
    names.set(id, fromUtf8(from.raw(length, field)));
  }
  return names;
}

function decodeTunables(from: Decoder): CrushTunables {
  const legacy = LEGACY_TUNABLES;
  const more = () => from.remaining > 0;
  const first = more();
  return {
    chooseLocalTries: first ? from.u32('crush.choose_local_tries') : legacy.chooseLocalTries,
    chooseLocalFallbackTries: first ? from.u32('crush.choose_local_fallback_tries') : legacy.chooseLocalFallbackTries,
    chooseTotalTries: first ? from.u32('crush.choose_total_tries') : legacy.chooseTotalTries,
    chooseleafDescendOnce: more() ? from.u32('crush.chooseleaf_descend_once') : legacy.chooseleafDescendOnce,
    chooseleafVaryR: more() ? from.u8('crush.chooseleaf_vary_r') : legacy.chooseleafVaryR,
    strawCalcVersion: more() ? from.u8('crush.straw_calc_version') : legacy.strawCalcVersion,
    allowedBucketAlgs: more() ? from.u32('crush.allowed_bucket_algs') : legacy.allowedBucketAlgs,
    chooseleafStable: more() ? from.u8('crush.chooseleaf_stable') : legacy.chooseleafStable,
  };
}

function decodeChooseArgs(
  from: Decoder,
  buckets: readonly (CrushBucket | undefined)[],
): Map<number, Map<number, CrushChooseArg>> {
  const field = 'crush.choose_args';
  const u32 = () => from.u32(field);
  let slot = 0;
  return from.map(
    field,
    12,
    () => from.i64(field),
    () =>
      from.map(
        field,
        12,
        () => {
          slot = u32();
          if (slot >= buckets.length) from.fail(field, `names bucket slot ${slot} of ${buckets.length}`);
          return slot;
        },
        () => {
          const weightSets = from.list(field, 4, () => Uint32Array.from(from.list(field, 4, u32)));
          const ids = Int32Array.from(from.list(field, 4, () => from.i32(field)));
          const items = buckets[slot]?.items.length;
          if (ids.length > 0 && ids.length !== items) from.fail(field, `has ${ids.length} ids for ${items} items`);
          return { weightSets, ids };
        },
      ),
  );
}

/** Entries by ascending key, as Ceph's maps are written. */
function ascending<V>(entries: ReadonlyMap<number, V>): ReadonlyMap<number, V> {
  return new Map([...entries].sort(([a], [b]) => a - b));
}

/** Writes a CRUSH map as Ceph 16.2 does. */
export function encodeCrushMap(map: CrushMap): Bytes {
  const to = new Encoder(1024);
  to.u32(MAGIC);
  to.u32(map.buckets.length);
  to.u32(map.rules.length);
  to.i32(map.maxDevices);
  for (const bucket of map.buckets) {
    to.u32(bucket?.alg ?? 0);
    if (bucket !== undefined) encodeBucket(to, bucket);
  }
  for (const rule of map.rules) {
    to.u32(rule === undefined ? 0 : 1);
    if (rule !== undefined) encodeRule(to, rule);
  }
  const id = (value: number) => to.i32(value);
  const text = (value: string) => to.string(value);
  to.map(ascending(map.typeNames), id, text);
  to.map(ascending(map.names), id, text);
  to.map(ascending(map.ruleNames), id, text);
  const { tunables } = map;
  to.u32(tunables.chooseLocalTries);
  to.u32(tunables.chooseLocalFallbackTries);
  to.u32(tunables.chooseTotalTries);
  to.u32(tunables.chooseleafDescendOnce);
  to.u8(tunables.chooseleafVaryR);
  to.u8(tunables.strawCalcVersion);
  to.u32(tunables.allowedBucketAlgs);
  to.u8(tunables.chooseleafStable);
  to.map(ascending(map.deviceClass), id, id);
  to.map(ascending(map.classNames), id, text);
  to.map(ascending(map.classBuckets), id, (shadows) => to.map(ascending(shadows), id, id));
  to.map(
    ascending(map.chooseArgs),
    (set) => to.i64(set),
    (replacements) =>
      to.map(
        ascending(replacements),
        (slot) => to.u32(slot),
        (replacement) => encodeChooseArg(to, replacement),
      ),
  );
  return to.finish();
}

function encodeBucket(to: Encoder, bucket: CrushBucket): void {
  to.i32(bucket.id);
  to.u16(bucket.type);
  to.u8(bucket.alg);
  to.u8(bucket.hash);
  to.u32(bucket.weight);
  to.list(bucket.items, (item) => to.i32(item));
  switch (bucket.alg) {
    case BucketAlg.uniform:
      to.u32(bucket.itemWeights[0]!);
      break;
    case BucketAlg.tree:
      to.u8(bucket.sums.length);
      for (const weight of bucket.sums) to.u32(weight);
      break;
    case BucketAlg.straw2:
      for (const weight of bucket.itemWeights) to.u32(weight);
      break;
    default:
      bucket.itemWeights.forEach((weight, i) => {
        to.u32(weight);
        to.u32(bucket.sums[i]!);
      });
  }
}

function encodeRule(to: Encoder, rule: CrushRule): void {
  to.u32(rule.steps.length);
  to.u8(rule.ruleset);
  to.u8(rule.type);
  to.u8(rule.minSize);
  to.u8(rule.maxSize);
  for (const { op, arg1, arg2 } of rule.steps) {
    to.u32(op);
    to.i32(arg1);
    to.i32(arg2);
  }
}

function encodeChooseArg(to: Encoder, replacement: CrushChooseArg): void {
  to.list(replacement.weightSets, (weights) => to.list(weights, (weight) => to.u32(weight)));
  to.list(replacement.ids, (id) => to.i32(id));
}
