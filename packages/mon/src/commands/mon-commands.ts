/** Commands about the monitors and their quorum (mon/MonmapMonitor.cc, mon/Monitor.cc). */
import { Errno, formatAddrVec, formatUuid } from '@spirula/encoding';
import { dumpMonMap, printMonMap } from '@spirula/maps';
import { SECOND } from '@spirula/world';
import { describeSkew, isTooFar } from '../time-check.ts';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  command,
  jsonAlways,
  type MonCommandEntry,
  number,
  output,
  refuse,
} from './command.ts';
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
  const { monmap, quorum } = context;
  const epoch = number(args, 'epoch');
  if (epoch !== undefined && epoch !== 0 && epoch !== monmap.epoch) {
    return refuse(Errno.ENOENT, `there is no map for epoch ${epoch}`);
  }
  return {
    ...output(args, { ...dumpMonMap(monmap), quorum: quorum.ranks }, printMonMap(monmap), '\n'),
    status: `dumped monmap epoch ${monmap.epoch}`,
  };
}

function monStat(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { monmap, quorum } = context;
  const mons = monmap.ranks.map((name) => `${name}=${formatAddrVec(monmap.mons.get(name)!.addrs)}`).join(',');
  const names = quorumNames(context).join(',');
  const leader = monmap.ranks[quorum.leader] ?? '';
  const line =
    `e${monmap.epoch}: ${monmap.ranks.length} mons at {${mons}} removed_ranks: {}, election epoch ${quorum.epoch}, ` +
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
