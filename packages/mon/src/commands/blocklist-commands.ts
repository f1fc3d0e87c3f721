/** Which clients the OSDs refuse, and until when (OSDMonitor: `osd blocklist`, and `osd blacklist` as it was called). */
import { concatBytes, formatAddr, formatUTime, parseEntityAddr } from '@spirula/encoding';
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
  unchanged,
} from './command.ts';

/** Ceph's flag of commands that are not to be used any more. */
const DEPRECATED = 4;

function list(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const entries = map.blocklist.map(([addr, until]) => ({ addr: formatAddr(addr), until: formatUTime(until) }));
  const lines = entries.map(({ addr, until }) => `${addr} ${until}\n`).join('');
  const status = `listed ${entries.length} entries`;
  // JSON is two documents, the second of ranges of addresses, of which there are none here.
  const listed = output(args, entries, lines);
  const ranges = output(args, [], '');
  return { ...listed, data: concatBytes([listed.data, ranges.data]), status };
}

function clear(_: CommandArgs, { osd }: CommandContext): CommandOutcome {
  osd.clearBlocklist();
  return changed(' removed all blocklist entries');
}

function change(args: CommandArgs, { osd, config }: CommandContext, operation: string | undefined): CommandOutcome {
  const named = text(args, 'addr') ?? '';
  const addr = parseEntityAddr(named);
  if (addr === undefined) return invalid(`unable to parse address ${named}`);
  if (operation === 'add') {
    const seconds = number(args, 'expire') ?? config.mon_osd_blocklist_default_expire;
    const until = osd.blocklist(addr, seconds);
    return changed(`blocklisting ${formatAddr(addr)} until ${formatUTime(until)} (${seconds} sec)`);
  }
  if (operation !== 'rm') return invalid('blocklistop must be add or rm');
  if (!osd.unblocklist(addr)) return unchanged(`${formatAddr(addr)} isn't blocklisted`);
  return changed(`un-blocklisting ${formatAddr(addr)}`);
}

function under(word: 'blocklist' | 'blacklist', flags: number): MonCommandEntry[] {
  const operation = `${word}op`;
  const entries = [
    command(
      [
        'osd',
        word,
        { name: operation, type: 'CephChoices', strings: 'add|rm' },
        { name: 'addr', type: 'CephEntityAddr' },
        { name: 'expire', type: 'CephFloat', range: '0.0', req: 'false' },
      ],
      `refuse a client (for <expire> seconds), or no longer`,
      'rw',
      (args, context) => change(args, context, text(args, operation)),
      'osd',
    ),
    command(['osd', word, 'ls'], 'list the clients that are refused', 'r', list, 'osd'),
    command(['osd', word, 'clear'], 'refuse no client any longer', 'rw', clear, 'osd'),
  ];
  return entries.map(({ description, run }) => ({ description: { ...description, flags }, run }));
}

export const blocklistCommands: readonly MonCommandEntry[] = [
  ...under('blocklist', 0),
  ...under('blacklist', DEPRECATED),
];
