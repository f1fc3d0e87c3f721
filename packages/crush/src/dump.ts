/** A CRUSH map as `osd crush dump` and its rules as `osd crush rule dump` show it (CrushWrapper::dump). */
import { BucketAlg, type CrushMap, type CrushRuleStep, RuleOp } from './crush-map.ts';
import { deviceClassOf } from './device-class.ts';
import { weightAt } from './hierarchy.ts';
import { dumpTunables } from './tunables.ts';

const ONE = 0x10000;

const OP_NAMES: Readonly<Record<number, string>> = {
  [RuleOp.noop]: 'noop',
  [RuleOp.chooseFirstn]: 'choose_firstn',
  [RuleOp.chooseIndep]: 'choose_indep',
  [RuleOp.emit]: 'emit',
  [RuleOp.chooseleafFirstn]: 'chooseleaf_firstn',
  [RuleOp.chooseleafIndep]: 'chooseleaf_indep',
  [RuleOp.setChooseTries]: 'set_choose_tries',
  [RuleOp.setChooseleafTries]: 'set_chooseleaf_tries',
};

const ALG_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(BucketAlg).map(([name, alg]) => [alg, name]),
);

/** `straw2`. */
export function bucketAlgName(alg: number): string {
  return ALG_NAMES[alg] ?? 'unknown';
}

export function dumpCrushMap(map: CrushMap) {
  return {
    devices: Array.from({ length: map.maxDevices }, (_, id) => ({
      id,
      name: map.names.get(id) ?? `device${id}`,
      class: deviceClassOf(map, id),
    })),
    types: dumpTypes(map),
    buckets: map.buckets.flatMap((bucket) =>
      bucket === undefined
        ? []
        : [
            {
              id: bucket.id,
              name: map.names.get(bucket.id),
              type_id: bucket.type,
              type_name: map.typeNames.get(bucket.type),
              weight: bucket.weight,
              alg: bucketAlgName(bucket.alg),
              hash: bucket.hash === 0 ? 'rjenkins1' : 'unknown',
              items: Array.from(bucket.items, (id, pos) => ({ id, weight: weightAt(bucket, pos), pos })),
            },
          ],
    ),
    rules: map.rules.flatMap((rule, id) => (rule === undefined ? [] : [dumpRule(map, id)])),
    tunables: dumpTunables(map),
    choose_args: dumpWeightSets(map),
  };
}

/** Devices have a type, whether or not the map names it. */
function dumpTypes({ typeNames }: CrushMap) {
  const named = [...typeNames].sort(([a], [b]) => a - b).map(([type_id, name]) => ({ type_id, name }));
  return typeNames.size === 0 || typeNames.has(0) ? named : [{ type_id: 0, name: 'device' }, ...named];
}

/** A rule there is, by number. */
export function dumpRule(map: CrushMap, id: number) {
  const rule = map.rules[id]!;
  return {
    rule_id: id,
    rule_name: map.ruleNames.get(id),
    ruleset: rule.ruleset,
    type: rule.type,
    min_size: rule.minSize,
    max_size: rule.maxSize,
    steps: rule.steps.map((step) => dumpStep(map, step)),
  };
}

/** Steps of later releases than this document go by their numbers. */
function dumpStep(map: CrushMap, { op, arg1, arg2 }: CrushRuleStep) {
  if (op === RuleOp.take) return { op: 'take', item: arg1, item_name: map.names.get(arg1) ?? '' };
  if (op === RuleOp.emit || op === RuleOp.noop) return { op: OP_NAMES[op] };
  if (op === RuleOp.setChooseTries || op === RuleOp.setChooseleafTries) return { op: OP_NAMES[op], num: arg1 };
  if (OP_NAMES[op] === undefined) return { opcode: op, arg1, arg2 };
  return { op: OP_NAMES[op], num: arg1, type: map.typeNames.get(arg2) ?? '' };
}

/** The weight sets, by id as text: by bucket, the weights for each position (dump_choose_args). */
export function dumpWeightSets(map: CrushMap) {
  return Object.fromEntries(
    [...map.chooseArgs].map(([id, replacements]) => [
      String(id),
      [...replacements].map(([slot, { weightSets, ids }]) => ({
        bucket_id: -1 - slot,
        ...(weightSets.length > 0 && {
          weight_set: weightSets.map((weights) => Array.from(weights, (weight) => weight / ONE)),
        }),
        ...(ids.length > 0 && { ids: Array.from(ids) }),
      })),
    ]),
  );
}
