/** `config show`: the options in force in a daemon, as it says itself (DaemonServer::_handle_command). */
import type { ConfigSource, ShownOption } from '@spirula/config';
import { Errno, fromUtf8 } from '@spirula/encoding';
import { column, formatTable } from '@spirula/formatter';
import {
  type Asked,
  type CommandArgs,
  type CommandOutcome,
  describe,
  formatJson,
  invalid,
  type MgrCommandEntry,
  refuse,
  succeed,
  wantsJson,
} from './command.ts';

const WHO = { name: 'who', type: 'CephString' } as const;

export const configCommands: readonly MgrCommandEntry[] = [
  describe(
    ['config', 'show', WHO, { name: 'key', type: 'CephString', req: 'false' }],
    'show the options in force in a daemon that are not as they are by default',
    (args) => show(args, false),
  ),
  describe(['config', 'show-with-defaults', WHO], 'show the options in force in a daemon', (args) => show(args, true)),
];

function show(args: CommandArgs, withDefaults: boolean): CommandOutcome | Asked {
  const daemon = String(args['who'] ?? '');
  if (!/^(mon|osd|mgr)\../.test(daemon)) return invalid('invalid daemon name: use <type>.<id>');
  const key = args['key'] === undefined ? undefined : String(args['key']);
  return {
    ask: daemon,
    command: { prefix: 'config show-sources', format: 'json', defaults: withDefaults || key !== undefined },
    answer: (answer) => {
      if (answer === undefined || answer.code < 0) return refuse(Errno.ENOENT, `no config state for daemon ${daemon}`);
      const options = JSON.parse(fromUtf8(answer.data)) as readonly ShownOption[];
      return key === undefined ? print(args, options) : printOne(options, key);
    },
  };
}

function printOne(options: readonly ShownOption[], key: string): CommandOutcome {
  const found = options.find(({ name }) => name === key);
  return found === undefined ? refuse(Errno.ENOENT, '') : succeed(`${found.value}\n`);
}

function print(args: CommandArgs, options: readonly ShownOption[]): CommandOutcome {
  // The default is what nobody set: it is no choice that another has put aside.
  const overridden = ({ overrides }: ShownOption) => overrides.filter(({ source }) => source !== 'default');
  if (wantsJson(args)) {
    const json = options.map((option) => ({
      name: option.name,
      value: option.value,
      source: option.source,
      ...(overridden(option).length > 0 && { overrides: overridden(option) }),
      ...(option.ignored !== undefined && { ignores: 'mon' }),
    }));
    return succeed(formatJson(args, json));
  }
  const brackets = (each: { readonly source: ConfigSource; readonly value: string }) => `${each.source}[${each.value}]`;
  const columns = ['NAME', 'VALUE', 'SOURCE', 'OVERRIDES', 'IGNORES'].map((heading) => column(heading, 'left'));
  const rows = options.map((option) => [
    option.name,
    option.value,
    option.source,
    overridden(option).map(brackets).join(','),
    option.ignored === undefined ? '' : `mon[${option.ignored}]`,
  ]);
  return succeed(formatTable(columns, rows));
}
