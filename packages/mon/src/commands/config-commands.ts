/** Options set centrally (mon/ConfigMonitor.cc). */
import { Errno } from '@spirula/encoding';
import { column, formatTable } from '@spirula/formatter';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  jsonAlways,
  type MonCommandEntry,
  output,
  refuse,
  succeed,
  text,
} from './command.ts';

export const configCommands: readonly MonCommandEntry[] = [
  command(['config', 'dump'], 'show every option that is set', 'r', configDump),
  command(
    ['config', 'get', { name: 'who', type: 'CephString' }, { name: 'key', type: 'CephString', req: 'false' }],
    'show the options that hold for a daemon or client',
    'r',
    configGet,
    'config',
  ),
  command(
    [
      'config',
      'set',
      { name: 'who', type: 'CephString' },
      { name: 'name', type: 'CephString' },
      { name: 'value', type: 'CephString' },
      { name: 'force', type: 'CephBool', req: 'false' },
    ],
    'set an option for a daemon, a type of daemon or all',
    'rw',
    (args, { configs }) => {
      configs.set(text(args, 'who') ?? '', text(args, 'name') ?? '', text(args, 'value') ?? '');
      return changed('');
    },
    'config',
  ),
  command(
    ['config', 'rm', { name: 'who', type: 'CephString' }, { name: 'name', type: 'CephString' }],
    'no longer set an option',
    'rw',
    (args, { configs }) => {
      configs.set(text(args, 'who') ?? '', text(args, 'name') ?? '', undefined);
      return changed('');
    },
    'config',
  ),
];

function configDump(args: CommandArgs, { configs }: CommandContext): CommandOutcome {
  const entries = configs.entries;
  const json = entries.map(({ section, name, value }) => ({
    section,
    name,
    value,
    level: 'advanced',
    can_update_at_runtime: true,
    mask: '',
    location_type: '',
    location_value: '',
  }));
  const columns = ['WHO', 'MASK', 'LEVEL', 'OPTION', 'VALUE', 'RO'].map((heading) => column(heading, 'left'));
  const indent = (section: string) => (section === 'global' ? section : `  ${section}`);
  const rows = entries.map(({ section, name, value }) => [indent(section), '', 'advanced', name, value, '']);
  return output(args, json, formatTable(columns, rows));
}

function configGet(args: CommandArgs, { configs }: CommandContext): CommandOutcome {
  const who = text(args, 'who') ?? '';
  const [type = '', ...rest] = who.split('.');
  const values = configs.valuesFor(type, rest.join('.'));
  const key = text(args, 'key');
  if (key === undefined) return jsonAlways(args, Object.fromEntries(values));
  const value = values.get(key);
  return value === undefined ? refuse(Errno.ENOENT, `option ${key} is not set for ${who}`) : succeed(`${value}\n`);
}
