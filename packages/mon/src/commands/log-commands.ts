/** Commands about the cluster log (mon/LogMonitor.cc). */
import { AddrType, type EntityAddr, formatSockaddr } from '@spirula/encoding';
import { formatStamp } from '@spirula/formatter';
import type { LogEntry } from '@spirula/messages';
import { LOG_LEVELS, priorityOf } from '@spirula/messages';
import { levelTag } from '../log-level.ts';
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
  texts,
} from './command.ts';

const DEFAULT_LINES = 20;

export const logCommands: readonly MonCommandEntry[] = [
  command(
    [
      'log',
      'last',
      { name: 'num', type: 'CephInt', range: '1', req: 'false' },
      { name: 'level', type: 'CephChoices', strings: LOG_LEVELS.join('|'), req: 'false' },
      { name: 'channel', type: 'CephChoices', strings: '*|cluster|audit|cephadm', req: 'false' },
    ],
    'show the last lines of the cluster log',
    'r',
    logLast,
  ),
  command(['log', { name: 'logtext', type: 'CephString', n: 'N' }], 'write a line to the cluster log', 'rw', logLine),
];

function logLast(args: CommandArgs, { log }: CommandContext): CommandOutcome {
  const level = text(args, 'level') ?? 'info';
  const priority = priorityOf(level);
  if (priority < 0) return invalid(`Invalid severity '${level}'`);
  const count = Math.max(0, number(args, 'num') ?? DEFAULT_LINES);
  const entries = count === 0 ? [] : log.last(count, priority, text(args, 'channel') ?? 'cluster');
  return output(args, entries.map(dump), entries.map((entry) => `${print(entry)}\n`).join(''));
}

function print(entry: LogEntry): string {
  const { stamp, seq, channel, priority } = entry;
  const who = `${nameOf(entry)} (${rankOf(entry)})`;
  return `${formatStamp(stamp)} ${who} ${seq} : ${channel} ${levelTag(priority)} ${entry.text}`;
}

function dump(entry: LogEntry) {
  return {
    name: nameOf(entry),
    rank: rankOf(entry),
    addrs: { addrvec: entry.addrs.map(dumpAddr) },
    stamp: formatStamp(entry.stamp),
    seq: entry.seq,
    channel: entry.channel,
    priority: levelTag(entry.priority),
    message: entry.text,
  };
}

function dumpAddr(addr: EntityAddr) {
  const type = Object.entries(AddrType).find(([, number]) => number === addr.type)?.[0] ?? 'none';
  return { type, addr: formatSockaddr(addr), nonce: addr.nonce };
}

function nameOf({ name }: LogEntry): string {
  return `${name.type}.${name.id}`;
}

function rankOf({ name, rank }: LogEntry): string {
  return `${name.type}.${rank < 0n ? '?' : rank}`;
}

function logLine(args: CommandArgs, { log, wall, asker }: CommandContext): CommandOutcome {
  const line = texts(args, 'logtext').join(' ');
  const { entity, addrs } = asker;
  const rank = entity.type !== 'client' && /^\d{1,9}$/.test(entity.id) ? BigInt(entity.id) : -1n;
  const priority = priorityOf('info');
  log.append([{ name: entity, rank, addrs, stamp: wall(), seq: 0, priority, text: line, channel: 'cluster' }]);
  return changed('');
}
