/** Rules of a CRUSH map's source (CrushCompiler::parse_rule). */
import { type CrushRuleStep, RuleOp } from '../crush-map.ts';
import { MAX_RULES, RuleType } from '../simple-rule.ts';
import type { SymbolTable } from './compile-symbols.ts';
import type { RuleStatement, SetVariable, StepLine } from './syntax.ts';
import { CrushTextError } from './text-error.ts';

/** A rule with a higher number is refused: Ceph makes slots for all below it. */
const MOST_SLOTS = 1 << 16;

const SET_OPS: Readonly<Record<SetVariable, number>> = {
  set_choose_tries: RuleOp.setChooseTries,
  set_choose_local_tries: RuleOp.setChooseLocalTries,
  set_choose_local_fallback_tries: RuleOp.setChooseLocalFallbackTries,
  set_chooseleaf_tries: RuleOp.setChooseleafTries,
  set_chooseleaf_vary_r: RuleOp.setChooseleafVaryR,
  set_chooseleaf_stable: RuleOp.setChooseleafStable,
};

const CHOOSE_OPS = {
  choose: { firstn: RuleOp.chooseFirstn, indep: RuleOp.chooseIndep },
  chooseleaf: { firstn: RuleOp.chooseleafFirstn, indep: RuleOp.chooseleafIndep },
} as const;

export function compileRule(symbols: SymbolTable, rule: RuleStatement): void {
  const { draft, ruleNames } = symbols;
  const { id, name, type } = rule;
  if (name !== '' && ruleNames.has(name)) throw new CrushTextError(`rule name '${name}' already defined\n\n`);
  if (draft.rules[id] !== undefined) throw new CrushTextError(`rule ${id} already exists\n`);
  const isFull = id >= draft.rules.length && (draft.rules.length + 1 > MAX_RULES || id >= MOST_SLOTS);
  if (id < 0 || isFull) throw new CrushTextError(`unable to add rule id ${id} for rule '${name}'\n`);
  while (draft.rules.length < id) draft.rules.push(undefined);
  if (name !== '') {
    draft.ruleNames.set(id, name);
    ruleNames.add(name);
  }
  draft.rules[id] = {
    ruleset: id & 0xff,
    type: RuleType[type],
    minSize: rule.minSize & 0xff,
    maxSize: rule.maxSize & 0xff,
    steps: rule.steps.map((line) => compileStep(symbols, name, line)),
  };
}

function compileStep(symbols: SymbolTable, rule: string, line: StepLine): CrushRuleStep {
  switch (line.step) {
    case 'take':
      return { op: RuleOp.take, arg1: takenItem(symbols, rule, line.item, line.className), arg2: 0 };
    case 'set':
      return { op: SET_OPS[line.variable], arg1: line.value, arg2: 0 };
    case 'emit':
      return { op: RuleOp.emit, arg1: 0, arg2: 0 };
    default: {
      const type = symbols.types.get(line.typeName);
      if (type === undefined) throw new CrushTextError(`in rule '${rule}' type '${line.typeName}' not defined\n`);
      return { op: CHOOSE_OPS[line.step][line.mode], arg1: line.count, arg2: type };
    }
  }
}

/** The item of that name or, with a class, its shadow. */
function takenItem({ draft, items, notes }: SymbolTable, rule: string, name: string, className?: string): number {
  const item = items.get(name);
  if (item === undefined) throw new CrushTextError(`in rule '${rule}' item '${name}' not defined\n`);
  if (className === undefined) {
    notes(`rule ${rule} take ${name}\n`);
    return item;
  }
  const classId = draft.classOf(className);
  // 16.2.15 says nothing of a class that there is not.
  if (classId === undefined) throw new CrushTextError('');
  const shadows = draft.classBuckets.get(item);
  const shadow = shadows?.get(classId);
  if (shadow === undefined) {
    const lack = shadows === undefined ? 'has no class information' : `no matching bucket for class ${className}`;
    throw new CrushTextError(`in rule '${rule}' step take ${name} ${lack}\n`);
  }
  notes(`rule ${rule} take ${name} remapped to ${draft.nameOf(shadow)}\n`);
  return shadow;
}
