import {
  formatAddr,
  formatPgId,
  formatUTime,
  formatUuid,
  formatVersion,
  type OsdId,
  type PoolId,
} from '@spirula/encoding';
import { dumpAddrVec, legacyAddr } from './addr-dump.ts';
import { formatMapFlags, formatPoolFlags, mapFlagSet, stateNames } from './flag-names.ts';
import { minCompatClient } from './min-compat-client.ts';
import { type OsdMap, osdExists, osdIn, osdUp, pgOfKey } from './osdmap.ts';
import { type Pool, PoolFlag, type SnapInterval } from './pool.ts';
import { autoscaleModeName, cacheModeName, namedOptions } from './pool-names.ts';
import { releaseName } from './release.ts';
import { sorted } from './sorted.ts';

/** 1 in 16.16. */
const ONE = 0x10000;
const CRUSH_ITEM_NONE = 0x7fffffff;

/** What stands for a number of 64 bits. */
type Whole<T> = (value: bigint) => T;

/**
 * The document of `ceph osd dump -f json` (OSDMap::dump). 64-bit numbers are the nearest doubles. Of a cache pool's hit set
 * only whether there is one is told.
 */
export function dumpOsdMap(map: OsdMap) {
  return dumpMapWith(map, Number);
}

/** The same with numbers of 64 bits in full, as `osdmaptool --dump json` has them. */
export function dumpOsdMapExactly(map: OsdMap) {
  return dumpMapWith<number | bigint>(map, (value) => value);
}

function dumpMapWith<T>(map: OsdMap, whole: Whole<T>) {
  const osds = existingOsds(map);
  return {
    epoch: map.epoch,
    fsid: formatUuid(map.fsid),
    created: formatUTime(map.created),
    modified: formatUTime(map.modified),
    last_up_change: formatUTime(map.lastUpChange),
    last_in_change: formatUTime(map.lastInChange),
    flags: formatMapFlags(map.flags),
    flags_num: map.flags,
    flags_set: mapFlagSet(map.flags),
    crush_version: map.crushVersion,
    full_ratio: map.fullRatio,
    backfillfull_ratio: map.backfillfullRatio,
    nearfull_ratio: map.nearfullRatio,
    cluster_snapshot: map.clusterSnapshot,
    pool_max: map.poolMax,
    max_osd: map.maxOsd,
    require_min_compat_client: releaseName(map.requireMinCompatClient),
    min_compat_client: releaseName(minCompatClient(map)),
    require_osd_release: releaseName(map.requireOsdRelease),
    pools: [...sorted(map.pools)].map(([id, pool]) => dumpPoolWith(map, id, pool, whole)),
    osds: osds.map((osd) => dumpOsd(map, osd)),
    osd_xinfo: osds.map((osd) => dumpXInfo(map, osd, whole)),
    pg_upmap: [...sorted(map.pgUpmap)].map(([key, mapped]) => ({ pgid: pgText(key), osds: mapped })),
    pg_upmap_items: [...sorted(map.pgUpmapItems)].map(([key, items]) => ({
      pgid: pgText(key),
      mappings: items.map(([from, to]) => ({ from, to })),
    })),
    pg_temp: [...sorted(map.pgTemp)].map(([key, temp]) => ({ pgid: pgText(key), osds: temp })),
    // Ceph opens an array and then names its items as if in an object: pgid, OSD, pgid, OSD...
    primary_temp: [...sorted(map.primaryTemp)].flatMap(([key, osd]) => [pgText(key), osd]),
    blocklist: Object.fromEntries(map.blocklist.map(([addr, until]) => [formatAddr(addr), formatUTime(until)])),
    range_blocklist: {},
    erasure_code_profiles: Object.fromEntries(
      [...sorted(map.erasureCodeProfiles)].map(([name, profile]) => [name, Object.fromEntries(sorted(profile))]),
    ),
    removed_snaps_queue: dumpPoolSnaps(map.removedSnapsQueue, whole),
    new_removed_snaps: dumpPoolSnaps(map.newRemovedSnaps, whole),
    new_purged_snaps: dumpPoolSnaps(map.newPurgedSnaps, whole),
    crush_node_flags: Object.fromEntries(
      [...sorted(map.crushNodeFlags)].map(([id, flags]) => [map.crush.names.get(id) ?? String(id), stateNames(flags)]),
    ),
    device_class_flags: Object.fromEntries(
      [...sorted(map.deviceClassFlags)].map(([id, flags]) => [
        map.crush.classNames.get(id) ?? String(id),
        stateNames(flags),
      ]),
    ),
    stretch_mode: {
      stretch_mode_enabled: false,
      stretch_bucket_count: 0,
      degraded_stretch_mode: 0,
      recovering_stretch_mode: 0,
      stretch_mode_bucket: 0,
    },
  };
}

/** One entry of `ceph osd dump -f json`'s pools, also the form of `ceph osd pool ls detail -f json` (pg_pool_t::dump). */
export function dumpPool(map: OsdMap, id: PoolId, pool: Pool) {
  return dumpPoolWith(map, id, pool, Number);
}

function dumpPoolWith<T>(map: OsdMap, id: PoolId, pool: Pool, whole: Whole<T>) {
  const merge = pool.lastPgMergeMeta;
  return {
    pool: id,
    pool_name: map.poolNames.get(id) ?? '<unknown>',
    create_time: formatUTime(pool.createTime),
    flags: whole(pool.flags),
    flags_names: formatPoolFlags(pool.flags),
    type: pool.type,
    size: pool.size,
    min_size: pool.minSize,
    crush_rule: pool.crushRule,
    peering_crush_bucket_count: 0,
    peering_crush_bucket_target: 0,
    peering_crush_bucket_barrier: 0,
    peering_crush_bucket_mandatory_member: CRUSH_ITEM_NONE,
    object_hash: pool.objectHash,
    pg_autoscale_mode: autoscaleModeName(pool.pgAutoscaleMode),
    pg_num: pool.pgNum,
    pg_placement_num: pool.pgpNum,
    pg_placement_num_target: pool.pgpNumTarget,
    pg_num_target: pool.pgNumTarget,
    pg_num_pending: pool.pgNumPending,
    last_pg_merge_meta: {
      source_pgid: formatPgId(merge.sourcePgid),
      ready_epoch: merge.readyEpoch,
      last_epoch_started: merge.lastEpochStarted,
      last_epoch_clean: merge.lastEpochClean,
      source_version: formatVersion(merge.sourceVersion),
      target_version: formatVersion(merge.targetVersion),
    },
    last_change: String(pool.lastChange),
    last_force_op_resend: String(pool.lastForceResend),
    last_force_op_resend_prenautilus: String(pool.lastForceResendPrenautilus),
    last_force_op_resend_preluminous: String(pool.lastForceResendPreluminous),
    auid: whole(pool.auid),
    snap_mode: (pool.flags & PoolFlag.poolSnaps) === 0n ? 'selfmanaged' : 'pool',
    snap_seq: whole(pool.snapSeq),
    snap_epoch: pool.snapEpoch,
    pool_snaps: [...sorted(pool.snaps).values()].map((snap) => ({
      snapid: whole(snap.id),
      stamp: formatUTime(snap.stamp),
      name: snap.name,
    })),
    removed_snaps: formatSnapIntervals(pool.removedSnaps),
    quota_max_bytes: pool.quotaMaxBytes,
    quota_max_objects: pool.quotaMaxObjects,
    tiers: pool.tiers.map((tier) => whole(tier)),
    tier_of: pool.tierOf,
    read_tier: pool.readTier,
    write_tier: pool.writeTier,
    cache_mode: cacheModeName(pool.cacheMode),
    target_max_bytes: pool.targetMaxBytes,
    target_max_objects: pool.targetMaxObjects,
    cache_target_dirty_ratio_micro: pool.cacheTargetDirtyRatioMicro,
    cache_target_dirty_high_ratio_micro: pool.cacheTargetDirtyHighRatioMicro,
    cache_target_full_ratio_micro: pool.cacheTargetFullRatioMicro,
    cache_min_flush_age: pool.cacheMinFlushAge,
    cache_min_evict_age: pool.cacheMinEvictAge,
    erasure_code_profile: pool.erasureCodeProfile,
    hit_set_params: { type: 'none' },
    hit_set_period: pool.hitSetPeriod,
    hit_set_count: pool.hitSetCount,
    use_gmt_hitset: pool.useGmtHitset,
    min_read_recency_for_promote: pool.minReadRecencyForPromote,
    min_write_recency_for_promote: pool.minWriteRecencyForPromote,
    hit_set_grade_decay_rate: pool.hitSetGradeDecayRate,
    hit_set_search_last_n: pool.hitSetSearchLastN,
    grade_table: [] as number[],
    stripe_width: pool.stripeWidth,
    expected_num_objects: pool.expectedNumObjects,
    fast_read: pool.fastRead,
    options: Object.fromEntries(
      namedOptions(pool).map(([name, value]) => [name, typeof value === 'bigint' ? whole(value) : value]),
    ),
    application_metadata: Object.fromEntries(
      [...sorted(pool.applicationMetadata)].map(([name, values]) => [name, Object.fromEntries(sorted(values))]),
    ),
  };
}

/** One entry of `osds`, also `ceph osd info -f json`. */
export function dumpOsd(map: OsdMap, osd: OsdId) {
  const info = map.osdInfo[osd]!;
  return {
    osd,
    uuid: formatUuid(map.osdUuid[osd]!),
    up: osdUp(map, osd) ? 1 : 0,
    in: osdIn(map, osd) ? 1 : 0,
    weight: map.osdWeight[osd]! / ONE,
    primary_affinity: (map.primaryAffinity[osd] ?? ONE) / ONE,
    last_clean_begin: info.lastCleanBegin,
    last_clean_end: info.lastCleanEnd,
    up_from: info.upFrom,
    up_thru: info.upThru,
    down_at: info.downAt,
    lost_at: info.lostAt,
    public_addrs: dumpAddrVec(map.clientAddrs[osd]!),
    cluster_addrs: dumpAddrVec(map.clusterAddrs[osd]!),
    heartbeat_back_addrs: dumpAddrVec(map.hbBackAddrs[osd]!),
    heartbeat_front_addrs: dumpAddrVec(map.hbFrontAddrs[osd]!),
    public_addr: legacyAddr(map.clientAddrs[osd]!),
    cluster_addr: legacyAddr(map.clusterAddrs[osd]!),
    heartbeat_back_addr: legacyAddr(map.hbBackAddrs[osd]!),
    heartbeat_front_addr: legacyAddr(map.hbFrontAddrs[osd]!),
    state: stateNames(map.osdState[osd]!),
  };
}

function dumpXInfo<T>(map: OsdMap, osd: OsdId, whole: Whole<T>) {
  const xinfo = map.osdXInfo[osd]!;
  return {
    osd,
    down_stamp: formatUTime(xinfo.downStamp),
    laggy_probability: xinfo.laggyProbability,
    laggy_interval: xinfo.laggyInterval,
    features: whole(xinfo.features),
    old_weight: xinfo.oldWeight,
    last_purged_snaps_scrub: formatUTime(xinfo.lastPurgedSnapsScrub),
    dead_epoch: xinfo.deadEpoch,
  };
}

function dumpPoolSnaps<T>(pools: ReadonlyMap<PoolId, readonly SnapInterval[]>, whole: Whole<T>) {
  return [...sorted(pools)].map(([pool, snaps]) => ({
    pool,
    snaps: snaps.map(({ start, length }) => ({ begin: whole(start), length: whole(length) })),
  }));
}

/** `[1~3,a~1]`: starts and lengths, in hexadecimal. */
export function formatSnapIntervals(intervals: readonly SnapInterval[]): string {
  return `[${intervals.map(({ start, length }) => `${start.toString(16)}~${length.toString(16)}`).join(',')}]`;
}

export function existingOsds(map: OsdMap): OsdId[] {
  return Array.from({ length: map.maxOsd }, (_, osd) => osd).filter((osd) => osdExists(map, osd));
}

export function pgText(key: number): string {
  return formatPgId(pgOfKey(key));
}
