/** `ceph df` (PGMapDigest::dump_cluster_stats, dump_pool_stats_full, mon/PGMap.cc). */
import { deviceClassOf } from '@spirula/crush';
import { column, formatBytes, formatCount, formatTable } from '@spirula/formatter';
import type { OsdStat } from '@spirula/messages';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  command,
  type MonCommandEntry,
  output,
  text,
} from './command.ts';
import { countOsds } from './osd-summary.ts';

export const dfCommands: readonly MonCommandEntry[] = [
  command(
    ['df', { name: 'detail', type: 'CephChoices', strings: 'detail', req: 'false' }],
    'show how full the cluster is',
    'r',
    df,
  ),
];

interface RawUsage {
  /** Bytes. */
  readonly total: number;
  readonly used: number;
  readonly available: number;
  readonly ratio: number;
}

function rawUsage(stats: readonly OsdStat[]): RawUsage {
  const sum = (field: 'kb' | 'kbUsed' | 'kbAvail') => 1024 * stats.reduce((total, stat) => total + stat[field], 0);
  const total = sum('kb');
  const used = sum('kbUsed');
  return { total, used, available: sum('kbAvail'), ratio: total > 0 ? used / total : 0 };
}

function dumpRawUsage({ total, used, available, ratio }: RawUsage) {
  return {
    total_bytes: total,
    total_avail_bytes: available,
    total_used_bytes: used,
    total_used_raw_bytes: used,
    total_used_raw_ratio: ratio,
  };
}

function df(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { digest } = context.mgrStat;
  const { map } = context.osd;
  const detail = text(args, 'detail') === 'detail';
  const osdStats = [...(digest?.osdStats ?? [])];
  const whole = rawUsage(osdStats.map(([, stat]) => stat));
  const { available } = whole;
  const byClass = [...map.crush.classNames.values()].sort().map((name) => {
    const ofClass = osdStats.filter(([osd]) => deviceClassOf(map.crush, osd) === name);
    return [name, rawUsage(ofClass.map(([, stat]) => stat))] as const;
  });
  const pools = [...map.pools].map(([id, pool]) => {
    const stat = digest?.pools.get(id);
    const stored = stat?.sum.bytes ?? 0;
    const bytesUsed = stat === undefined ? 0 : stat.allocated;
    const omap = stat?.sum.omapBytes ?? 0;
    const maxAvail = Math.floor((available * map.fullRatio) / pool.size);
    const objects = stat?.sum.objects ?? 0;
    const percent = bytesUsed + maxAvail * pool.size > 0 ? bytesUsed / (bytesUsed + maxAvail * pool.size) : 0;
    return { id, name: map.poolNames.get(id) ?? '', pool, stat, stored, bytesUsed, omap, maxAvail, objects, percent };
  });
  const json = {
    stats: {
      ...dumpRawUsage(whole),
      num_osds: countOsds(context).exist,
      num_per_pool_osds: digest?.osdStats.size ?? 0,
      num_per_pool_omap_osds: digest?.osdStats.size ?? 0,
    },
    stats_by_class: Object.fromEntries(byClass.map(([name, usage]) => [name, dumpRawUsage(usage)])),
    pools: pools.map(({ id, name, pool, stat, stored, bytesUsed, omap, maxAvail, objects, percent }) => ({
      name,
      id,
      stats: {
        stored,
        ...(detail ? { stored_data: stored - omap, stored_omap: omap } : {}),
        objects,
        kb_used: Math.ceil(bytesUsed / 1024),
        bytes_used: bytesUsed,
        ...(detail ? { data_bytes_used: bytesUsed - omap * pool.size, omap_bytes_used: omap * pool.size } : {}),
        percent_used: percent,
        max_avail: maxAvail,
        ...(detail
          ? {
              quota_objects: pool.quotaMaxObjects,
              quota_bytes: pool.quotaMaxBytes,
              dirty: 0,
              rd: stat?.sum.reads ?? 0,
              rd_bytes: stat?.sum.readBytes ?? 0,
              wr: stat?.sum.writes ?? 0,
              wr_bytes: stat?.sum.writeBytes ?? 0,
              compress_bytes_used: 0,
              compress_under_bytes: 0,
              stored_raw: stored * pool.size,
              avail_raw: maxAvail * pool.size,
            }
          : {}),
      },
    })),
  };
  const percent = (value: number) => (value * 100 < 0.001 ? '0' : (value * 100).toFixed(2));
  const raw = formatTable(
    ['CLASS', 'SIZE', 'AVAIL', 'USED', 'RAW USED', '%RAW USED'].map((each, i) =>
      column(each, i === 0 ? 'left' : 'right', i === 0 ? 'left' : 'right'),
    ),
    [...byClass, ['TOTAL', whole] as const].map(([name, usage]) => {
      const used = formatBytes(usage.used);
      return [name, formatBytes(usage.total), formatBytes(usage.available), used, used, percent(usage.ratio)];
    }),
  );
  const headings = detail
    ? [
        'POOL',
        'ID',
        'PGS',
        'STORED',
        '(DATA)',
        '(OMAP)',
        'OBJECTS',
        'USED',
        '(DATA)',
        '(OMAP)',
        '%USED',
        'MAX AVAIL',
        'QUOTA OBJECTS',
        'QUOTA BYTES',
        'DIRTY',
        'USED COMPR',
        'UNDER COMPR',
      ]
    : ['POOL', 'ID', 'PGS', 'STORED', 'OBJECTS', 'USED', '%USED', 'MAX AVAIL'];
  const rows = pools.map(({ id, name, pool, stored, bytesUsed, omap, maxAvail, objects, percent: share }) =>
    detail
      ? [
          name,
          id,
          pool.pgNum,
          formatBytes(stored),
          formatBytes(stored - omap),
          formatBytes(omap),
          formatCount(objects),
          formatBytes(bytesUsed),
          formatBytes(bytesUsed - omap * pool.size),
          formatBytes(omap * pool.size),
          percent(share),
          formatBytes(maxAvail),
          pool.quotaMaxObjects === 0 ? 'N/A' : formatCount(pool.quotaMaxObjects),
          pool.quotaMaxBytes === 0 ? 'N/A' : formatBytes(pool.quotaMaxBytes),
          'N/A',
          '0 B',
          '0 B',
        ]
      : [
          name,
          id,
          pool.pgNum,
          formatBytes(stored),
          formatCount(objects),
          formatBytes(bytesUsed),
          percent(share),
          formatBytes(maxAvail),
        ],
  );
  const table = formatTable(
    headings.map((each, i) => column(each, i === 0 ? 'left' : 'right', i === 0 ? 'left' : 'right')),
    rows,
  );
  return output(args, json, `--- RAW STORAGE ---\n${raw} \n--- POOLS ---\n${table}`, '\n');
}
