/** Commands about CRUSH rules (OSDMonitor::preprocess_command, prepare_command_impl: `osd crush rule ...`). */
import { addSimpleRule, type CrushMap, itemByName, removeRule, shadowOf, typeByName } from '@spirula/crush';
import { Errno } from '@spirula/encoding';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  invalid,
  type MonCommandEntry,
  output,
  refuse,
  text,
  unchanged,
} from './command.ts';
import { CRUSH_NAME } from './crush-location.ts';

export const crushRuleCommands: readonly MonCommandEntry[] = [
  command(
    ['osd', 'crush', 'rule', 'ls'],
    'list the CRUSH rules',
    'r',
    (args, { osd: { map } }) => {
      const names = [...map.crush.ruleNames.values()];
      return output(args, names, names.map((name) => `${name}\n`).join(''));
    },
    'osd',
  ),
  command(
    ['osd', 'crush', 'rule', 'dump', { name: 'name', ...CRUSH_NAME, req: 'false' }],
    'show CRUSH rules',
    'r',
    ruleDump,
    'osd',
  ),
  command(
    [
      'osd',
      'crush',
      'rule',
      'create-replicated',
      { name: 'name', ...CRUSH_NAME },
      { name: 'root', ...CRUSH_NAME },
      { name: 'type', ...CRUSH_NAME },
      { name: 'class', ...CRUSH_NAME, req: 'false' },
    ],
    'make a rule for replicated pools: one copy in each bucket of a type, on devices of a class',
    'rw',
    ruleCreateReplicated,
    'osd',
  ),
  command(['osd', 'crush', 'rule', 'rm', { name: 'name', ...CRUSH_NAME }], 'remove a CRUSH rule', 'rw', ruleRm, 'osd'),
];

function ruleDump(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const { crush } = map;
  const names: Record<number, string> = {
    0: 'noop',
    2: 'choose_firstn',
    3: 'choose_indep',
    4: 'emit',
    6: 'chooseleaf_firstn',
    7: 'chooseleaf_indep',
    8: 'set_choose_tries',
    9: 'set_chooseleaf_tries',
    10: 'set_choose_local_tries',
    11: 'set_choose_local_fallback_tries',
    12: 'set_chooseleaf_vary_r',
    13: 'set_chooseleaf_stable',
  };
  const step = ({ op, arg1, arg2 }: { op: number; arg1: number; arg2: number }) => {
    if (op === 1) return { op: 'take', item: arg1, item_name: crush.names.get(arg1) ?? '' };
    if (op === 4 || op === 0) return { op: names[op] };
    if (op >= 8) return { op: names[op], num: arg1 };
    return { op: names[op] ?? String(op), num: arg1, type: crush.typeNames.get(arg2) ?? '' };
  };
  const wanted = text(args, 'name');
  const rules = crush.rules.flatMap((rule, id) =>
    rule === undefined || (wanted !== undefined && crush.ruleNames.get(id) !== wanted)
      ? []
      : [
          {
            rule_id: id,
            rule_name: crush.ruleNames.get(id) ?? '',
            ruleset: rule.ruleset,
            type: rule.type,
            min_size: rule.minSize,
            max_size: rule.maxSize,
            steps: rule.steps.map(step),
          },
        ],
  );
  if (wanted !== undefined && rules.length === 0) return refuse(Errno.ENOENT, `unknown crush rule '${wanted}'`);
  const shown = wanted === undefined ? rules : rules[0];
  return output(args, shown, `${JSON.stringify(shown, null, 4)}\n\n`, '\n');
}

export function ruleByName(crush: CrushMap, name: string): number | undefined {
  for (const [ruleNo, each] of crush.ruleNames) if (each === name) return ruleNo;
  return undefined;
}

/** Nothing changes when there is a rule of that name, whatever it says. */
function ruleCreateReplicated(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const name = text(args, 'name') ?? '';
  const crush = osd.pendingCrush;
  if (ruleByName(crush, name) !== undefined) return unchanged(`rule ${name} already exists`);
  const rootName = text(args, 'root') ?? '';
  const root = itemByName(crush, rootName);
  if (root === undefined) return refuse(Errno.ENOENT, `root item ${rootName} does not exist`);
  const domain = text(args, 'type') ?? '';
  if (typeByName(crush, domain) === undefined) return invalid(`unknown type ${domain}`);
  const className = text(args, 'class') ?? '';
  if (className === '') {
    osd.setCrush(addSimpleRule(crush, name, root, domain, 'firstn'));
    return changed('');
  }
  if (![...crush.classNames.values()].includes(className)) {
    return invalid(`device class ${className} does not exist`);
  }
  const shadow = shadowOf(crush, root, className);
  if (shadow === undefined) return invalid(`root ${rootName} has no devices with class ${className}`);
  osd.setCrush(addSimpleRule(crush, name, shadow, domain, 'firstn'));
  return changed('');
}

function ruleRm(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const name = text(args, 'name') ?? '';
  const crush = osd.pendingCrush;
  const ruleNo = ruleByName(crush, name);
  if (ruleNo === undefined) return unchanged(`rule ${name} does not exist`);
  const { ruleset } = crush.rules[ruleNo]!;
  if (osd.isRuleUsed(ruleset)) return refuse(Errno.EBUSY, `crush ruleset ${name} ${ruleset} is in use`);
  osd.setCrush(removeRule(crush, ruleNo));
  return changed('');
}
