import { OsdMapFlag, OsdState } from './osdmap.ts';
import { PoolFlag } from './pool.ts';

/** Flags of the whole map in the order in which Ceph prints them (OSDMap::get_flag_string). */
const MAP_FLAGS: readonly (readonly [flag: number, name: string])[] = [
  [OsdMapFlag.pauserd, 'pauserd'],
  [OsdMapFlag.pausewr, 'pausewr'],
  [OsdMapFlag.pauserec, 'pauserec'],
  [OsdMapFlag.noup, 'noup'],
  [OsdMapFlag.nodown, 'nodown'],
  [OsdMapFlag.noout, 'noout'],
  [OsdMapFlag.noin, 'noin'],
  [OsdMapFlag.nobackfill, 'nobackfill'],
  [OsdMapFlag.norebalance, 'norebalance'],
  [OsdMapFlag.norecover, 'norecover'],
  [OsdMapFlag.noscrub, 'noscrub'],
  [OsdMapFlag.nodeepScrub, 'nodeep-scrub'],
  [OsdMapFlag.notieragent, 'notieragent'],
  [OsdMapFlag.nosnaptrim, 'nosnaptrim'],
  [OsdMapFlag.sortbitwise, 'sortbitwise'],
  [OsdMapFlag.requireJewel, 'require_jewel_osds'],
  [OsdMapFlag.requireKraken, 'require_kraken_osds'],
  [OsdMapFlag.requireLuminous, 'require_luminous_osds'],
  [OsdMapFlag.recoveryDeletes, 'recovery_deletes'],
  [OsdMapFlag.purgedSnapdirs, 'purged_snapdirs'],
  [OsdMapFlag.pglogHardlimit, 'pglog_hardlimit'],
];

/** By bit, from the lowest. */
const POOL_FLAGS: readonly (readonly [flag: bigint, name: string])[] = [
  [PoolFlag.hashpspool, 'hashpspool'],
  [PoolFlag.full, 'full'],
  [PoolFlag.ecOverwrites, 'ec_overwrites'],
  [PoolFlag.incompleteClones, 'incomplete_clones'],
  [PoolFlag.nodelete, 'nodelete'],
  [PoolFlag.nopgchange, 'nopgchange'],
  [PoolFlag.nosizechange, 'nosizechange'],
  [PoolFlag.writeFadviseDontneed, 'write_fadvise_dontneed'],
  [PoolFlag.noscrub, 'noscrub'],
  [PoolFlag.nodeepScrub, 'nodeep-scrub'],
  [PoolFlag.fullQuota, 'full_quota'],
  [PoolFlag.nearfull, 'nearfull'],
  [PoolFlag.backfillfull, 'backfillfull'],
  [PoolFlag.selfmanagedSnaps, 'selfmanaged_snaps'],
  [PoolFlag.poolSnaps, 'pool_snaps'],
  [PoolFlag.creating, 'creating'],
  [PoolFlag.bulk, 'bulk'],
];

/** `noout,sortbitwise,...`; empty when no flag is set. */
export function formatMapFlags(flags: number): string {
  return MAP_FLAGS.filter(([flag]) => (flags & flag) !== 0)
    .map(([, name]) => name)
    .join(',');
}

/** The names of the flags that are set, sorted; '' stands for those that have none any more (full, nearfull). */
export function mapFlagSet(flags: number): string[] {
  const named = MAP_FLAGS.filter(([flag]) => (flags & flag) !== 0);
  const rest = named.reduce((left, [flag]) => left & ~flag, flags);
  const names = named.map(([, name]) => name).sort();
  return rest === 0 ? names : ['', ...names];
}

/** `hashpspool,creating`; empty when no flag is set. */
export function formatPoolFlags(flags: bigint): string {
  return POOL_FLAGS.filter(([flag]) => (flags & flag) !== 0n)
    .map(([, name]) => name)
    .join(',');
}

/** Names of the bits of an osd_state, or of the flags of a CRUSH node, sorted. */
export function stateNames(state: number): string[] {
  return Object.entries(OsdState)
    .filter(([, bit]) => (state & bit) !== 0)
    .map(([name]) => name)
    .sort();
}
