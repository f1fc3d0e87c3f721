/** Rules that spread over one type of bucket, in a draft (CrushWrapper::add_simple_rule). */
import { type CrushRule, RuleOp } from './crush-map.ts';
import type { CrushDraft, EditFailure } from './draft.ts';
import { rebuildShadowTrees } from './shadow-trees.ts';

/** pg_pool_t's types, as rules know them. */
export const RuleType = { replicated: 1, erasure: 3 } as const;

/** CRUSH_MAX_RULES. */
export const MAX_RULES = 256;

export interface SimpleRule {
  readonly name: string;
  readonly root: string;
  /** Type to spread over; '' is that of devices. */
  readonly type: string;
  /** Only devices of that class; '': all. */
  readonly deviceClass: string;
  readonly mode: string;
}

/** The steps and sizes of a rule that takes an item and spreads over a type. `firstn` is for replicas, `indep` for shards. */
export function simpleRule(
  ruleset: number,
  type: number,
  item: number,
  domain: number,
  mode: 'firstn' | 'indep',
): CrushRule {
  const firstn = mode === 'firstn';
  const leafOp = firstn ? RuleOp.chooseleafFirstn : RuleOp.chooseleafIndep;
  const deviceOp = firstn ? RuleOp.chooseFirstn : RuleOp.chooseIndep;
  const tries = [
    { op: RuleOp.setChooseleafTries, arg1: 5, arg2: 0 },
    { op: RuleOp.setChooseTries, arg1: 100, arg2: 0 },
  ];
  return {
    ruleset,
    type,
    minSize: firstn ? 1 : 3,
    maxSize: firstn ? 10 : 20,
    steps: [
      ...(firstn ? [] : tries),
      { op: RuleOp.take, arg1: item, arg2: 0 },
      { op: domain === 0 ? deviceOp : leafOp, arg1: 0, arg2: domain },
      { op: RuleOp.emit, arg1: 0, arg2: 0 },
    ],
  };
}

/** The lowest number that neither a rule nor a ruleset has. */
export function freeRuleNumber(rules: readonly (CrushRule | undefined)[]): number {
  const rulesets = new Set(rules.map((rule) => rule?.ruleset));
  let number = 0;
  // Past the last slot, Ceph no longer looks for rulesets.
  while (number < rules.length && (rules[number] !== undefined || rulesets.has(number))) number += 1;
  return number;
}

/** Adds a rule for replicated pools; returns why it cannot be, in Ceph's words. */
export function addRule(draft: CrushDraft, rule: SimpleRule): string | undefined {
  const { name, root, type, deviceClass, mode } = rule;
  if ([...draft.ruleNames.values()].includes(name)) return `rule ${name} exists`;
  let item = draft.idOf(root);
  if (item === undefined) return `root item ${root} does not exist`;
  const domain = type === '' ? 0 : draft.typeOf(type);
  if (domain === undefined) return `unknown type ${type}`;
  if (deviceClass !== '') {
    const classId = draft.classOf(deviceClass);
    if (classId === undefined) return `device class ${deviceClass} does not exist`;
    item = draft.classBuckets.get(item)?.get(classId);
    if (item === undefined) return `root ${root} has no devices with class ${deviceClass}`;
  }
  if (mode !== 'firstn' && mode !== 'indep') return `unknown mode ${mode}`;
  const number = freeRuleNumber(draft.rules);
  if (number >= MAX_RULES) return `failed to add rule ${number} because (28) No space left on device`;
  draft.rules[number] = simpleRule(number, RuleType.replicated, item, domain, mode);
  draft.ruleNames.set(number, name);
  return undefined;
}

/** Takes a rule away; the numbers of the others stay (remove_rule). */
export function takeRuleAway(draft: CrushDraft, ruleNo: number): EditFailure | undefined {
  draft.rules[ruleNo] = undefined;
  draft.ruleNames.delete(ruleNo);
  return rebuildShadowTrees(draft);
}
