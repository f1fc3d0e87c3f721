/** Items and steps of CRUSH maps, as people call them. */
import { type CrushMap, type CrushRuleStep, type Rejection, RuleOp } from '@spirula/crush';

const STEP_NAMES: Readonly<Record<number, string>> = {
  [RuleOp.chooseFirstn]: 'choose firstn',
  [RuleOp.chooseIndep]: 'choose indep',
  [RuleOp.chooseleafFirstn]: 'chooseleaf firstn',
  [RuleOp.chooseleafIndep]: 'chooseleaf indep',
  [RuleOp.emit]: 'emit',
  [RuleOp.setChooseTries]: 'set_choose_tries',
  [RuleOp.setChooseleafTries]: 'set_chooseleaf_tries',
  [RuleOp.setChooseLocalTries]: 'set_choose_local_tries',
  [RuleOp.setChooseLocalFallbackTries]: 'set_choose_local_fallback_tries',
  [RuleOp.setChooseleafVaryR]: 'set_chooseleaf_vary_r',
  [RuleOp.setChooseleafStable]: 'set_chooseleaf_stable',
};

export const REASONS: Readonly<Record<Rejection, string>> = {
  collision: 'it is chosen already',
  out: 'it is out, or its reweight rejects this input',
  'no-device-below': 'no device below it will do',
  empty: 'the bucket is empty',
  nowhere: 'the map leads nowhere',
};

export function nameOfItem(crush: CrushMap, item: number): string {
  return crush.names.get(item) ?? (item >= 0 ? `osd.${item}` : `bucket ${item}`);
}

export function nameOfType(crush: CrushMap, type: number): string {
  return crush.typeNames.get(type) ?? `type ${type}`;
}

/** As a text map has it. */
export function nameOfStep(crush: CrushMap, { op, arg1, arg2 }: CrushRuleStep): string {
  if (op === RuleOp.take) return `take ${nameOfItem(crush, arg1)}`;
  const name = STEP_NAMES[op] ?? `step ${op}`;
  if (op === RuleOp.emit) return name;
  return op >= RuleOp.setChooseTries ? `${name} ${arg1}` : `${name} ${arg1} type ${nameOfType(crush, arg2)}`;
}
