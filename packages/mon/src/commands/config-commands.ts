/** `config …`: options kept by the monitors (mon/ConfigMonitor.cc). */
import {
  allOptions,
  ConfFileError,
  configKey,
  defaultOf,
  dumpOption,
  findOption,
  formatMask,
  formatValue,
  hasFlag,
  type MaskedOption,
  normalName,
  parseConfFile,
  parseTarget,
  parseValue,
  printOption,
} from '@spirula/config';
import {
  type EntityName,
  EntityType,
  Errno,
  formatAddrVec,
  formatUTime,
  formatUuid,
  fromUtf8,
  utf8,
} from '@spirula/encoding';
import { column, formatTable } from '@spirula/formatter';
import type { ConfigChangeSet } from '../config-monitor.ts';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  flag,
  invalid,
  type MonCommandEntry,
  number,
  output,
  outputNames,
  refuse,
  succeed,
  text,
} from './command.ts';

const MODULE = 'config';
const WHO = { name: 'who', type: 'CephString' } as const;
const KEY = { name: 'key', type: 'CephString', req: 'false' } as const;
/** Changes that `config log` shows unless it is told. */
const SHOWN_CHANGES = 10;

export const configCommands: readonly MonCommandEntry[] = [
  command(
    [
      'config',
      'set',
      WHO,
      { name: 'name', type: 'CephString' },
      { name: 'value', type: 'CephString' },
      { name: 'force', type: 'CephBool', req: 'false' },
    ],
    'set an option for everyone, a type of daemon or one, under a mask if need be',
    'rw',
    set,
    MODULE,
  ),
  command(['config', 'rm', WHO, { name: 'name', type: 'CephString' }], 'no longer set an option', 'rw', rm, MODULE),
  command(['config', 'get', WHO, KEY], 'show the options that hold for a daemon or client', 'r', get, MODULE),
  command(['config', 'dump'], 'show every option that is set', 'r', dump, MODULE),
  command(
    ['config', 'help', { name: 'key', type: 'CephString' }],
    'explain an option',
    'r',
    (args) => {
      const name = normalName(text(args, 'key') ?? '');
      const option = findOption(name);
      if (!option) return refuse(Errno.ENOENT, '');
      return output(args, dumpOption(name, option), printOption(name, option));
    },
    MODULE,
  ),
  command(
    ['config', 'ls'],
    'list the options there are',
    'r',
    (args) => outputNames(args, [...allOptions().keys()]),
    MODULE,
  ),
  command(
    ['config', 'assimilate-conf'],
    'take the options of a ceph.conf over, and give back what is left of it',
    'rw',
    assimilate,
    MODULE,
  ),
  command(['config', 'log', { name: 'num', type: 'CephInt', req: 'false' }], 'show the last changes', 'r', log, MODULE),
  command(
    ['config', 'reset', { name: 'num', type: 'CephInt', range: '0' }],
    'go back to what was set at an earlier version',
    'rw',
    reset,
    MODULE,
  ),
  command(
    ['config', 'generate-minimal-conf'],
    'write a ceph.conf with what a client needs to find the cluster',
    'r',
    minimalConf,
    MODULE,
  ),
];

function set(args: CommandArgs, { configs }: CommandContext): CommandOutcome {
  const name = normalName(text(args, 'name') ?? '');
  let value = text(args, 'value') ?? '';
  if (!flag(args, 'force')) {
    const option = findOption(name);
    if (!option && !name.startsWith('mgr/')) return invalid(`unrecognized config option '${name}'`);
    if (option) {
      const parsed = parseValue(name, option, value);
      if (!parsed.ok) return refuse(parsed.code, `error parsing value: ${parsed.problem}`);
      value = parsed.text;
      if (hasFlag(option, 'no_mon_update')) return invalid(isSpecial(name));
    }
  }
  const who = text(args, 'who') ?? '';
  const target = parseTarget(who);
  if (!target) return invalid(`unrecognized config target '${who}'`);
  return configs.apply(new Map([[configKey(target, name), value]])) ? changed('') : succeed('');
}

function isSpecial(name: string): string {
  return `${name} is special and cannot be stored by the mon`;
}

function rm(args: CommandArgs, { configs }: CommandContext): CommandOutcome {
  const who = text(args, 'who') ?? '';
  const target = parseTarget(who);
  if (!target) return invalid(`unrecognized config target '${who}'`);
  const key = configKey(target, normalName(text(args, 'name') ?? ''));
  return configs.apply(new Map([[key, undefined]])) ? changed('') : succeed('');
}

/** `osd.3`, or `osd`, which stands for one without an id. */
function parseEntity(who: string): EntityName | undefined {
  const dot = who.indexOf('.');
  const type = dot < 0 ? who : who.slice(0, dot);
  if (!Object.hasOwn(EntityType, type)) return undefined;
  return { type: type as EntityName['type'], id: dot < 0 ? '' : who.slice(dot + 1) };
}

function get(args: CommandArgs, context: CommandContext): CommandOutcome {
  const who = text(args, 'who') ?? '';
  const entity = parseEntity(who);
  if (!entity) return invalid(`unrecognized entity '${who}'`);
  const options = context.configs.optionsFor(entity, context.osd.map, '');
  const key = text(args, 'key');
  if (key !== undefined) return getOne(normalName(key), entity, options, context);
  const json = [...options].map(([name, { value, section, mask, canUpdateAtRuntime }]) => [
    name,
    { value, section, mask: dumpMask(mask), can_update_at_runtime: canUpdateAtRuntime },
  ]);
  const rows = [...options.values()].map((option) => tableRow(option, option.section));
  return output(args, Object.fromEntries(json), formatTable(COLUMNS, rows));
}

function getOne(
  name: string,
  entity: EntityName,
  options: ReadonlyMap<string, MaskedOption>,
  { monmap }: CommandContext,
): CommandOutcome {
  const option = findOption(name);
  const set = options.get(name);
  if (!option && !name.startsWith('mgr/')) return refuse(Errno.ENOENT, `unrecognized key '${name}'`);
  if (name === 'fsid') return succeed(`${formatUuid(monmap.fsid)}\n`);
  if (option && hasFlag(option, 'no_mon_update')) return invalid(isSpecial(name));
  if (set) return succeed(`${set.value}\n`);
  if (!option) return refuse(Errno.ENOENT, `unrecognized key '${name}'`);
  return succeed(`${formatValue(option.type, defaultOf(option, entity.type !== 'client'))}\n`);
}

const COLUMNS = ['WHO', 'MASK', 'LEVEL', 'OPTION', 'VALUE', 'RO'].map((heading) => column(heading, 'left'));

function tableRow({ mask, level, name, value, canUpdateAtRuntime }: MaskedOption, who: string): string[] {
  return [who, formatMask(mask), level, name, value, canUpdateAtRuntime ? '' : '*'];
}

function dumpMask({ locationType, locationValue, deviceClass }: MaskedOption['mask']) {
  return {
    ...(locationType && { location_type: locationType, location_value: locationValue }),
    ...(deviceClass && { device_class: deviceClass }),
  };
}

function dump(args: CommandArgs, { configs }: CommandContext): CommandOutcome {
  const options = configs.map.all();
  const json = options.map(({ section, name, value, level, canUpdateAtRuntime, mask }) => ({
    section,
    name,
    value,
    level,
    can_update_at_runtime: canUpdateAtRuntime,
    mask: formatMask(mask),
    ...dumpMask(mask),
  }));
  const indent = (section: string) =>
    section === 'global' ? section : `${' '.repeat(section.includes('.') ? 4 : 2)}${section}`;
  return output(
    args,
    json,
    formatTable(
      COLUMNS,
      options.map((option) => tableRow(option, indent(option.section))),
    ),
  );
}

function log(args: CommandArgs, { configs }: CommandContext): CommandOutcome {
  const count = Math.min(configs.version, Math.max(0, number(args, 'num') ?? SHOWN_CHANGES));
  const sets = Array.from({ length: count }, (_, i) => configs.changeSet(configs.version - i));
  const json = sets.map(({ version, stamp, name, changes }) => ({
    version,
    timestamp: formatUTime(stamp),
    name,
    changes: [...changes].map(([key, { before, after }]) => ({
      name: key,
      ...(before !== undefined && { previous_value: before }),
      ...(after !== undefined && { new_value: after }),
    })),
  }));
  return output(args, json, sets.map(printChangeSet).join(''));
}

function printChangeSet({ version, stamp, name, changes }: ConfigChangeSet): string {
  const lines = [...changes].flatMap(([key, { before, after }]) => [
    ...(before === undefined ? [] : [`- ${key} = ${before}\n`]),
    ...(after === undefined ? [] : [`+ ${key} = ${after}\n`]),
  ]);
  return `--- ${version} --- ${formatUTime(stamp)} ---${name === '' ? '' : ` ${name} ---`}\n${lines.join('')}`;
}

function reset(args: CommandArgs, { configs }: CommandContext): CommandOutcome {
  const version = number(args, 'num') ?? -1;
  if (version < 0 || version > configs.version) {
    return invalid(
      "must specify a valid historical version to revert to; see 'ceph config log' for a list of avialable configuration historical versions",
    );
  }
  const isChanged = configs.apply(configs.changesBackTo(version), `reset to ${version}`);
  return isChanged ? changed('') : succeed('');
}

function assimilate(_: CommandArgs, { configs, input }: CommandContext): CommandOutcome {
  let sections: ReturnType<typeof parseConfFile>;
  try {
    sections = parseConfFile(fromUtf8(input));
  } catch (error) {
    if (!(error instanceof ConfFileError)) throw error;
    return invalid(error.message);
  }
  const changes = new Map<string, string>();
  let left = '';
  for (const [section, options] of [...sections].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const kept: string[] = [];
    for (const [name, given] of [...options].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const option = findOption(name);
      const mayTake = option && !hasFlag(option, 'no_mon_update') && !hasFlag(option, 'cluster_create');
      const parsed = mayTake ? parseValue(name, option, given) : undefined;
      const before = configs.map.find(section, name)?.value;
      if (!parsed?.ok || (before !== undefined && before !== parsed.text)) kept.push(`\t${name} = ${given}\n`);
      else if (before === undefined) changes.set(`${section}/${name}`, parsed.text);
    }
    if (kept.length > 0) left += `\n[${section}]\n${kept.join('')}`;
  }
  return configs.apply(changes) ? changed('', left) : { ...succeed(utf8(left)) };
}

function minimalConf(_: CommandArgs, { monmap }: CommandContext): CommandOutcome {
  const fsid = formatUuid(monmap.fsid);
  const mons = [...monmap.mons].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { addrs }]) => formatAddrVec(addrs));
  return succeed(`# minimal ceph.conf for ${fsid}\n[global]\n\tfsid = ${fsid}\n\tmon_host = ${mons.join(' ')}\n`);
}
