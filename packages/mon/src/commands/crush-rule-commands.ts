/** Commands about CRUSH rules (OSDMonitor::preprocess_command, prepare_command_impl: `osd crush rule ...`). */
import {
  addSimpleRule,
  type CrushMap,
  classByName,
  dumpRule,
  itemByName,
  RuleType,
  removeRule,
  rulesOfClass,
  shadowOf,
  typeByName,
} from '@spirula/crush';
import { Errno } from '@spirula/encoding';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  deprecated,
  indented,
  invalid,
  type MonCommandEntry,
  outputNames,
  refuse,
  text,
  unchanged,
  unsupported,
} from './command.ts';
import { CRUSH_NAME } from './crush-location.ts';

export const crushRuleCommands: readonly MonCommandEntry[] = [
  command(['osd', 'crush', 'rule', 'ls'], 'list the CRUSH rules', 'r', ruleLs, 'osd'),
  deprecated(command(['osd', 'crush', 'rule', 'list'], 'list the CRUSH rules', 'r', ruleLs, 'osd')),
  command(
    ['osd', 'crush', 'rule', 'ls-by-class', { name: 'class', ...CRUSH_NAME }],
    'list the CRUSH rules that take a device class',
    'r',
    ruleLsByClass,
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
  command(
    [
      'osd',
      'crush',
      'rule',
      'create-simple',
      { name: 'name', ...CRUSH_NAME },
      { name: 'root', ...CRUSH_NAME },
      { name: 'type', ...CRUSH_NAME },
      { name: 'mode', type: 'CephChoices', strings: 'firstn|indep', req: 'false' },
    ],
    'make a rule for replicated pools that closes gaps (firstn) or leaves them (indep)',
    'rw',
    ruleCreateSimple,
    'osd',
  ),
  unsupported(
    [
      'osd',
      'crush',
      'rule',
      'create-erasure',
      { name: 'name', ...CRUSH_NAME },
      { name: 'profile', type: 'CephString', goodchars: '[A-Za-z0-9-_.=]', req: 'false' },
    ],
    'make a rule for erasure-coded pools',
    'rw',
    'erasure coding is not supported',
    'osd',
  ),
  command(
    ['osd', 'crush', 'rule', 'rename', { name: 'srcname', ...CRUSH_NAME }, { name: 'dstname', ...CRUSH_NAME }],
    'give a rule another name',
    'rw',
    ruleRename,
    'osd',
  ),
  command(['osd', 'crush', 'rule', 'rm', { name: 'name', ...CRUSH_NAME }], 'remove a CRUSH rule', 'rw', ruleRm, 'osd'),
];

function ruleDump(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const { crush } = map;
  const wanted = text(args, 'name');
  const rules = crush.rules.flatMap((rule, id) =>
    rule === undefined || (wanted !== undefined && crush.ruleNames.get(id) !== wanted) ? [] : [dumpRule(crush, id)],
  );
  if (wanted !== undefined && rules.length === 0) return refuse(Errno.ENOENT, `unknown crush rule '${wanted}'`);
  return indented(args, wanted === undefined ? rules : rules[0]!);
}

export function ruleByName(crush: CrushMap, name: string): number | undefined {
  for (const [ruleNo, each] of crush.ruleNames) if (each === name) return ruleNo;
  return undefined;
}

interface RulePlace {
  readonly name: string;
  readonly rootName: string;
  readonly root: number;
  /** Type of bucket that copies are to be apart in. */
  readonly domain: string;
}

/** What a new rule is about; or the answer, when there is a rule of that name, whatever it says, or no such place. */
function rulePlace(args: CommandArgs, crush: CrushMap): RulePlace | CommandOutcome {
  const name = text(args, 'name') ?? '';
  if (ruleByName(crush, name) !== undefined) return unchanged(`rule ${name} already exists`);
  const rootName = text(args, 'root') ?? '';
  const root = itemByName(crush, rootName);
  if (root === undefined) return refuse(Errno.ENOENT, `root item ${rootName} does not exist`);
  const domain = text(args, 'type') ?? '';
  if (typeByName(crush, domain) === undefined) return invalid(`unknown type ${domain}`);
  return { name, rootName, root, domain };
}

function ruleCreateReplicated(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const crush = osd.pendingCrush;
  const place = rulePlace(args, crush);
  if ('code' in place) return place;
  const { name, rootName, root, domain } = place;
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

function ruleLs(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const names = [...map.crush.ruleNames.values()];
  return outputNames(args, names);
}

function ruleLsByClass(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const className = text(args, 'class') ?? '';
  if (classByName(map.crush, className) === undefined) {
    return refuse(Errno.ENOENT, `failed to get rules by class '${className}'`);
  }
  const names = rulesOfClass(map.crush, className).map((rule) => map.crush.ruleNames.get(rule) ?? '');
  return outputNames(args, names);
}

function ruleCreateSimple(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const crush = osd.pendingCrush;
  const place = rulePlace(args, crush);
  if ('code' in place) return place;
  const { name, root, domain } = place;
  const mode = text(args, 'mode') ?? 'firstn';
  if (mode !== 'firstn' && mode !== 'indep') return invalid(`unknown mode ${mode}`);
  osd.setCrush(addSimpleRule(crush, name, root, domain, mode, RuleType.replicated));
  return changed('');
}

function ruleRename(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const from = text(args, 'srcname') ?? '';
  const to = text(args, 'dstname') ?? '';
  if (from === to) return unchanged('destination rule name is equal to source rule name');
  const crush = osd.pendingCrush;
  const rule = ruleByName(crush, from);
  const taken = ruleByName(crush, to) !== undefined;
  if (rule === undefined) {
    return taken
      ? unchanged(`already renamed to '${to}'`)
      : refuse(Errno.ENOENT, `source rule name '${from}' does not exist`);
  }
  if (taken) return refuse(Errno.EEXIST, `destination rule name '${to}' already exists`);
  osd.setCrush({ ...crush, ruleNames: new Map(crush.ruleNames).set(rule, to) });
  return changed('');
}
