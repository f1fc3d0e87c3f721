/** Commands about the monitors and their quorum (mon/MonmapMonitor.cc, mon/Monitor.cc). */
import { formatUuid } from '@spirula/encoding';
import { dumpMonMap, printMonMap } from '@spirula/maps';
import { SECOND } from '@spirula/world';
import { summariseMonMap } from '../map-lines.ts';
import { describeSkew, isTooFar } from '../time-check.ts';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  command,
  jsonAlways,
  type MonCommandEntry,
  output,
} from './command.ts';
import { withMap } from './monmap-commands.ts';
import { quorumJson, quorumNames } from './quorum-summary.ts';

export const monCommands: readonly MonCommandEntry[] = [
  command(['fsid'], 'show the id of the cluster', 'r', (args, { monmap }) => {
    const fsid = formatUuid(monmap.fsid);
    return output(args, { fsid }, `${fsid}\n`);
  }),
  command(
    ['mon', 'dump', { name: 'epoch', type: 'CephInt', range: '0', req: 'false' }],
    'show the monitor map',
    'r',
    monDump,
  ),
  command(['mon', 'stat'], 'show the monitors in one line', 'r', monStat),
  command(['quorum_status'], 'show who is in quorum', 'r', (args, context) => {
    const json = { ...quorumJson(context), monmap: dumpMonMap(context.monmap) };
    return output(args, json, `${JSON.stringify(json)}\n`, '\n');
  }),
  command(['time-sync-status'], "show how far the monitors' clocks are apart", 'r', timeSyncStatus),
];

function monDump(args: CommandArgs, context: CommandContext): CommandOutcome {
  return withMap(args, context, (map) => ({
    ...output(args, { ...dumpMonMap(map), quorum: context.quorum.ranks }, printMonMap(map), '\n'),
    status: `dumped monmap epoch ${map.epoch}`,
  }));
}

function monStat(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { monmap, quorum } = context;
  const names = quorumNames(context).join(',');
  const leader = monmap.ranks[quorum.leader] ?? '';
  const line =
    `${summariseMonMap(monmap)}, election epoch ${quorum.epoch}, ` +
    `leader ${quorum.leader} ${leader}, quorum ${quorum.ranks.join(',')} ${names}\n`;
  const json = {
    epoch: monmap.epoch,
    min_mon_release_name: 'pacific',
    num_mons: monmap.ranks.length,
    leader,
    quorum: quorum.ranks.map((rank) => ({ rank, name: monmap.ranks[rank] })),
  };
  return output(args, json, line, '\n');
}

/** As Monitor::get_cluster_status and `time-sync-status` have it: seconds, by name. */
function timeSyncStatus(args: CommandArgs, { config, monmap, quorum, timeCheck }: CommandContext): CommandOutcome {
  const { round, readings } = timeCheck;
  const clocks = [...readings].map(([rank, reading]) => {
    const isOff = isTooFar(reading, config);
    const seen = { skew: reading.skewUs / SECOND, latency: reading.latencyUs / SECOND };
    const verdict = isOff ? { health: 'HEALTH_WARN', details: describeSkew(reading, config) } : { health: 'HEALTH_OK' };
    return [monmap.ranks[rank]!, { ...seen, ...verdict }] as const;
  });
  return jsonAlways(args, {
    ...(clocks.length > 0 && { time_skew_status: Object.fromEntries(clocks) }),
    timechecks: { epoch: quorum.epoch, round, round_status: round % 2 === 1 ? 'on-going' : 'finished' },
  });
}
