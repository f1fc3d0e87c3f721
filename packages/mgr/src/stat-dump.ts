/** Statistics as JSON, with Ceph's keys (object_stat_sum_t::dump and its kin, osd/osd_types.cc). */

import { formatPgId, formatVersion } from '@spirula/encoding';
import { formatStamp } from '@spirula/formatter';
import type { ObjectStatSum, OsdStat, PgStat, PoolStat } from '@spirula/messages';
import { shownState } from './digest.ts';
import type { PgRecord } from './pg-map.ts';

const KIB = 1024;

function dumpSum(sum: ObjectStatSum) {
  return {
    num_bytes: sum.bytes,
    num_objects: sum.objects,
    num_object_clones: sum.objectClones,
    num_object_copies: sum.objectCopies,
    num_objects_missing_on_primary: sum.objectsMissingOnPrimary,
    num_objects_missing: 0,
    num_objects_degraded: sum.objectsDegraded,
    num_objects_misplaced: sum.objectsMisplaced,
    num_objects_unfound: sum.objectsUnfound,
    num_objects_dirty: sum.objects,
    num_whiteouts: 0,
    num_read: sum.reads,
    num_read_kb: Math.floor(sum.readBytes / KIB),
    num_write: sum.writes,
    num_write_kb: Math.floor(sum.writeBytes / KIB),
    num_scrub_errors: 0,
    num_shallow_scrub_errors: 0,
    num_deep_scrub_errors: 0,
    num_objects_recovered: sum.objectsRecovered,
    num_bytes_recovered: sum.bytesRecovered,
    num_keys_recovered: 0,
    num_objects_omap: 0,
    num_objects_hit_set_archive: 0,
    num_bytes_hit_set_archive: 0,
    num_flush: 0,
    num_flush_kb: 0,
    num_evict: 0,
    num_evict_kb: 0,
    num_promote: 0,
    num_flush_mode_high: 0,
    num_flush_mode_low: 0,
    num_evict_mode_some: 0,
    num_evict_mode_full: 0,
    num_objects_pinned: 0,
    num_legacy_snapsets: 0,
    num_large_omap_objects: 0,
    num_objects_manifest: 0,
    num_omap_bytes: sum.omapBytes,
    num_omap_keys: sum.omapKeys,
    num_objects_repaired: 0,
  };
}

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
    stat_sum: dumpSum(stat.sum),
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
    seq: 0,
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

/** pg_stat_t::dump with the PG's id before it. What is not kept here (scrubs) has the value of a PG never scrubbed. */
export function dumpPg(record: PgRecord) {
  const { stat } = record;
  const never = formatStamp({ sec: 0, nsec: 0 });
  return {
    pgid: formatPgId(stat.pgid),
    version: formatVersion(stat.version),
    reported_seq: stat.reportedSeq,
    reported_epoch: stat.reportedEpoch,
    state: shownState(record),
    ...dumpStamps(stat),
    mapping_epoch: stat.mappingEpoch,
    log_start: formatVersion(stat.logStart),
    ondisk_log_start: formatVersion(stat.logStart),
    created: stat.created,
    last_epoch_clean: stat.lastEpochClean,
    parent: '0.0',
    parent_split_bits: 0,
    last_scrub: "0'0",
    last_scrub_stamp: never,
    last_deep_scrub: "0'0",
    last_deep_scrub_stamp: never,
    last_clean_scrub_stamp: never,
    log_size: stat.logSize,
    ondisk_log_size: stat.logSize,
    stats_invalid: false,
    dirty_stats_invalid: false,
    omap_stats_invalid: false,
    hitset_stats_invalid: false,
    hitset_bytes_stats_invalid: false,
    pin_stats_invalid: false,
    manifest_stats_invalid: false,
    snaptrimq_len: 0,
    stat_sum: dumpSum(stat.sum),
    up: stat.up,
    acting: stat.acting,
    avail_no_missing: [],
    object_location_counts: [],
    blocked_by: stat.blockedBy,
    up_primary: stat.upPrimary,
    acting_primary: stat.actingPrimary,
    purged_snaps: [],
  };
}

function dumpStamps(stat: PgStat) {
  return {
    last_fresh: formatStamp(stat.lastFresh),
    last_change: formatStamp(stat.lastChange),
    last_active: formatStamp(stat.lastActive),
    last_peered: formatStamp(stat.lastPeered),
    last_clean: formatStamp(stat.lastClean),
    last_became_active: formatStamp(stat.lastActive),
    last_became_peered: formatStamp(stat.lastPeered),
    last_unstale: formatStamp(stat.lastUnstale),
    last_undegraded: formatStamp(stat.lastUndegraded),
    last_fullsized: formatStamp(stat.lastFullsized),
  };
}
