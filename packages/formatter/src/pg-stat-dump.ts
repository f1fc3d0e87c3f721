/** What PGs report, as JSON with Ceph's keys (object_stat_sum_t::dump, pg_stat_t::dump; osd/osd_types.cc). */
import { formatVersion } from '@spirula/encoding';
import type { ObjectStatSum, PgStat } from '@spirula/messages';
import { formatStamp } from './units.ts';

const KIB = 1024;

/** Sums over objects. */
export function dumpStatSum(sum: ObjectStatSum) {
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
    num_whiteouts: sum.whiteouts,
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

/** pg_stat_t::dump. What is not kept here (scrubs) has the value of a PG never scrubbed. */
export function dumpPgStat(stat: PgStat, state = stat.state) {
  const never = formatStamp({ sec: 0, nsec: 0 });
  return {
    version: formatVersion(stat.version),
    reported_seq: stat.reportedSeq,
    reported_epoch: stat.reportedEpoch,
    state,
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
    snaptrimq_len: stat.snaptrimqLen,
    stat_sum: dumpStatSum(stat.sum),
    up: stat.up,
    acting: stat.acting,
    avail_no_missing: [],
    object_location_counts: [],
    blocked_by: stat.blockedBy,
    up_primary: stat.upPrimary,
    acting_primary: stat.actingPrimary,
    purged_snaps: dumpSnapIntervals(stat.purgedSnaps),
  };
}

/** Snapshot ids are printed in hexadecimal, lengths of intervals as well. */
export function dumpSnapIntervals(intervals: readonly { readonly start: bigint; readonly length: bigint }[]) {
  return intervals.map(({ start, length }) => ({ start: start.toString(16), length: length.toString(16) }));
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
