/** Commands about the cluster log (mon/LogMonitor.cc). */
import { formatAddr } from '@spirula/encoding';
import { formatStamp } from '@spirula/formatter';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  invalid,
  type MonCommandEntry,
  number,
  output,
  text,
} from './command.ts';

const PRIORITIES = ['[DBG]', '[INF]', '[SEC]', '[WRN]', '[ERR]'];

export const logCommands: readonly MonCommandEntry[] = [
  command(
    [
      'log',
      'last',
      { name: 'num', type: 'CephInt', range: '1', req: 'false' },
      { name: 'level', type: 'CephChoices', strings: 'debug|info|sec|warn|error', req: 'false' },
      { name: 'channel', type: 'CephChoices', strings: '*|cluster|audit|cephadm', req: 'false' },
    ],
    'show the last lines of the cluster log',
    'r',
    logLast,
  ),
  command(['log', { name: 'logtext', type: 'CephString', n: 'N' }], 'write a line to the cluster log', 'rw', logLine),
];

function logLast(args: CommandArgs, context: CommandContext): CommandOutcome {
  const least = ['debug', 'info', 'sec', 'warn', 'error'].indexOf(text(args, 'level') ?? 'info');
  const entries = context.log
    .last(500)
    .filter((entry) => entry.priority >= least)
    .slice(-(number(args, 'num') ?? 20));
  const rankOf = (id: string) => context.monmap.ranks.indexOf(id);
  const who = (entry: (typeof entries)[number]) => `${entry.name.type}.${entry.name.id}`;
  const rank = (entry: (typeof entries)[number]) =>
    entry.name.type === 'mon' ? `mon.${rankOf(entry.name.id)}` : who(entry);
  const lines = entries.map(
    (entry) =>
      `${formatStamp(entry.stamp)} ${who(entry)} (${rank(entry)}) ${entry.seq} : ${entry.channel} ${PRIORITIES[entry.priority]} ${entry.text}\n`,
  );
  const json = entries.map((entry) => ({
    name: who(entry),
    rank: rank(entry),
    addrs: {
      addrvec: (context.monmap.mons.get(entry.name.id)?.addrs ?? []).map((addr) => ({
        type: 'v2',
        addr: formatAddr(addr)
          .replace(/^v2:/, '')
          .replace(/\/\d+$/, ''),
        nonce: addr.nonce,
      })),
    },
    stamp: formatStamp(entry.stamp),
    seq: entry.seq,
    channel: entry.channel,
    priority: PRIORITIES[entry.priority],
    message: entry.text,
  }));
  return output(args, json, lines.join(''));
}

function logLine(args: CommandArgs, context: CommandContext): CommandOutcome {
  const words = args['logtext'];
  const line = Array.isArray(words) ? words.join(' ') : String(words ?? '');
  if (line === '') return invalid('no text to log');
  const stamp = { sec: context.wallSeconds(), nsec: 0 };
  context.log.append([
    { name: { type: 'client', id: 'admin' }, stamp, seq: 0, priority: 1, text: line, channel: 'cluster' },
  ]);
  return changed('');
}
