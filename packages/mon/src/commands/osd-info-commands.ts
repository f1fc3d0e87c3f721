/** Commands that show what is known of OSDs. */
import { devicesBelow, itemByName } from '@spirula/crush';
import { Errno, formatFloat, type OsdId } from '@spirula/encoding';
import { column, formatTable } from '@spirula/formatter';
import { dumpOsd, mapPg, type OsdMap, osdExists, osdIn, printOsd } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  command,
  invalid,
  type MonCommandEntry,
  output,
  refuse,
  text,
} from './command.ts';
import { atEpoch, EPOCH, ID, osdsOf, parseOsd } from './osd-arguments.ts';

export const osdInfoCommands: readonly MonCommandEntry[] = [
  command(['osd', 'info', { ...ID, req: 'false' }], 'show what the OSD map says of OSDs', 'r', osdInfo, 'osd'),
  command(
    ['osd', 'ls-tree', EPOCH, { name: 'name', type: 'CephString' }],
    'list the ids of the OSDs below a bucket',
    'r',
    osdLsTree,
    'osd',
  ),
  command(['osd', 'last-stat-seq', ID], 'show the number of the last report of an OSD', 'r', lastStatSeq, 'osd'),
  command(['osd', 'numa-status'], 'show on which NUMA nodes OSDs run', 'r', numaStatus, 'osd'),
  command(['osd', 'utilization'], 'show how evenly placement groups lie on OSDs', 'r', utilization, 'osd'),
];

function osdInfo(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const wanted = text(args, 'id');
  if (wanted === undefined) {
    const osds = osdsOf(map);
    return output(
      args,
      osds.map((id) => dumpOsd(map, id)),
      osds.map((id) => `${printOsd(map, id)}\n`).join(''),
      '\n',
    );
  }
  const id = parseOsd(wanted);
  if (id === undefined) return invalid(`invalid osd id ${wanted}`);
  if (!osdExists(map, id)) return invalid(`osd.${id} does not exist`);
  return output(args, dumpOsd(map, id), `${printOsd(map, id)}\n`, '\n');
}

function osdLsTree(args: CommandArgs, context: CommandContext): CommandOutcome {
  const name = text(args, 'name') ?? '';
  return atEpoch(args, context, (map) => {
    const item = itemByName(map.crush, name);
    if (item === undefined) return refuse(Errno.ENOENT, `"${name}" does not exist`);
    const osds = (item >= 0 ? [item] : devicesBelow(map.crush, item)).sort((a, b) => a - b);
    return output(args, osds, osds.map((id) => `${id}\n`).join(''), '\n');
  });
}

/** 0 for one that nobody has heard of. */
function lastStatSeq(args: CommandArgs, { mgrStat }: CommandContext): CommandOutcome {
  const id = parseOsd(text(args, 'id') ?? '');
  const seq = (id !== undefined && mgrStat.digest?.osdStats.get(id)?.seq) || 0;
  return output(args, seq, `${seq}`);
}

/** Nothing is pinned here: no OSD has a node. */
function numaStatus(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const hosts = osdsOf(osd.map).map((id) => ({ osd: id, host: osd.metadata(id).get('hostname') ?? '' }));
  const columns = [
    column('OSD', 'right'),
    column('HOST', 'left'),
    column('NETWORK', 'right'),
    column('STORAGE', 'right'),
    column('AFFINITY', 'right'),
    column('CPUS', 'left'),
  ];
  const rows = hosts.map(({ osd: id, host }) => [id, host, '-', '-', '-', '-']);
  return output(args, hosts, formatTable(columns, rows));
}

/** How many placement groups each OSD is to hold. */
function pgsPerOsd(map: OsdMap): Map<OsdId, number> {
  const counts = new Map(
    osdsOf(map)
      .filter((id) => osdIn(map, id))
      .map((id) => [id, 0]),
  );
  for (const [pool, { pgNum }] of map.pools) {
    for (let seed = 0; seed < pgNum; seed++) {
      for (const id of mapPg(map, { pool, seed }).up) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  }
  return counts;
}

/** As OSDMap::summarize_mapping_stats has it, without pools that are not there any more. */
function utilization(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const counts = [...pgsPerOsd(map)];
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  if (counts.length === 0) return output(args, {}, '');
  const average = Math.floor(total / counts.length);
  const deviation = Math.sqrt(counts.reduce((sum, [, count]) => sum + (count - average) ** 2, 0) / counts.length);
  const share = 1 / counts.length;
  const baseline = Math.sqrt(total * share * (1 - share));
  const least = counts.reduce((a, b) => (b[1] < a[1] ? b : a));
  const most = counts.reduce((a, b) => (b[1] > a[1] ? b : a));
  const ratio = (count: number) => (average === 0 ? 0 : count / average);
  const line =
    `avg ${average}\nstddev ${formatFloat(deviation)} (expected baseline ${formatFloat(baseline)})\n` +
    `min osd.${least[0]} with ${least[1]} pgs (${formatFloat(ratio(least[1]))} * mean)\n` +
    `max osd.${most[0]} with ${most[1]} pgs (${formatFloat(ratio(most[1]))} * mean)\n`;
  return output(
    args,
    {
      utilization: {
        avg_pgs: average,
        std_dev: deviation,
        expected_baseline_std_dev: baseline,
        min_osd: least[0],
        min_osd_pgs: least[1],
        max_osd: most[0],
        max_osd_pgs: most[1],
      },
    },
    line,
  );
}
