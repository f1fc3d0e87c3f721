/** Statistics as JSON, with Ceph's keys (object_stat_sum_t::dump and its kin, osd/osd_types.cc). */

import { formatPgId } from '@spirula/encoding';
import { dumpPgStat, dumpStatSum } from '@spirula/formatter';
import type { OsdStat, PoolStat } from '@spirula/messages';
import { shownState } from './digest.ts';
import type { PgRecord } from './pg-map.ts';

const KIB = 1024;

function dumpStatfs(statfs: {
  total: number;
  available: number;
  allocated: number;
  stored: number;
  omap: number;
  metadata: number;
}) {
  return {
    total: statfs.total,
    available: statfs.available,
    internally_reserved: 0,
    allocated: statfs.allocated,
    data_stored: statfs.stored,
    data_compressed: 0,
    data_compressed_allocated: 0,
    data_compressed_original: 0,
    omap_allocated: statfs.omap,
    internal_metadata: statfs.metadata,
  };
}

/** A pool's statistics, or with `PoolStat`s added up, those of all PGs. */
export function dumpPoolStat(stat: PoolStat) {
  const copies = stat.sum.objects === 0 ? 0 : stat.sum.objectCopies / stat.sum.objects;
  return {
    stat_sum: dumpStatSum(stat.sum),
    store_stats: dumpStatfs({
      total: 0,
      available: 0,
      allocated: stat.allocated,
      stored: Math.round(stat.sum.bytes * copies),
      omap: stat.sum.omapBytes,
      metadata: 0,
    }),
    log_size: stat.logSize,
    ondisk_log_size: stat.ondiskLogSize,
    up: stat.up,
    acting: stat.acting,
    num_store_stats: stat.numOsds,
  };
}

/** The part of osd_stat_t from `up_from` on, of one OSD or of `count` of them added up. */
export function dumpOsdStat(stat: OsdStat, count: number) {
  const perf = { commit: Math.round(stat.commitLatencyMs), apply: Math.round(stat.applyLatencyMs) };
  return {
    up_from: stat.upFrom,
    seq: stat.seq,
    num_pgs: stat.numPgs,
    num_osds: count,
    num_per_pool_osds: count,
    num_per_pool_omap_osds: count,
    kb: stat.kb,
    kb_used: stat.kbUsed,
    kb_used_data: stat.kbUsedData,
    kb_used_omap: stat.kbUsedOmap,
    kb_used_meta: stat.kbUsedMeta,
    kb_avail: stat.kbAvail,
    statfs: dumpStatfs({
      total: stat.kb * KIB,
      available: stat.kbAvail * KIB,
      allocated: stat.kbUsedData * KIB,
      stored: stat.kbUsedData * KIB,
      omap: stat.kbUsedOmap * KIB,
      metadata: stat.kbUsedMeta * KIB,
    }),
    hb_peers: stat.hbPeers,
    snap_trim_queue_len: 0,
    num_snap_trimming: 0,
    num_shards_repaired: 0,
    op_queue_age_hist: { histogram: [], upper_bound: 1 },
    perf_stat: {
      commit_latency_ms: perf.commit,
      apply_latency_ms: perf.apply,
      commit_latency_ns: Math.round(stat.commitLatencyMs * 1e6),
      apply_latency_ns: Math.round(stat.applyLatencyMs * 1e6),
    },
    alerts: [],
    network_ping_times: [],
  };
}

export function dumpPgBrief(record: PgRecord) {
  const { stat } = record;
  return {
    pgid: formatPgId(stat.pgid),
    state: shownState(record),
    up: stat.up,
    acting: stat.acting,
    up_primary: stat.upPrimary,
    acting_primary: stat.actingPrimary,
  };
}

/** A PG's statistics with its id before them. */
export function dumpPg(record: PgRecord) {
  return { pgid: formatPgId(record.stat.pgid), ...dumpPgStat(record.stat, shownState(record)) };
}
