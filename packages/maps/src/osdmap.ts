import type { CrushMap } from '@spirula/crush';
import type { AddrVec, Bytes, EntityAddr, Epoch, OsdId, PgId, PoolId, UTime, Uuid, Weight16 } from '@spirula/encoding';
import type { Pool, SnapInterval } from './pool.ts';

/** osd_state bits (CEPH_OSD_*). */
export const OsdState = {
  exists: 1,
  up: 2,
  autoout: 4,
  new: 8,
  full: 16,
  nearfull: 32,
  backfillfull: 64,
  destroyed: 128,
  noup: 256,
  nodown: 512,
  noin: 1024,
  noout: 2048,
  stop: 4096,
} as const;

/** OSDMap flags (CEPH_OSDMAP_*). */
export const OsdMapFlag = {
  nearfull: 1,
  full: 2,
  pauserd: 4,
  pausewr: 8,
  pauserec: 16,
  noup: 32,
  nodown: 64,
  noout: 128,
  noin: 256,
  nobackfill: 512,
  norecover: 1024,
  noscrub: 2048,
  nodeepScrub: 4096,
  notieragent: 8192,
  norebalance: 16384,
  sortbitwise: 32768,
  requireJewel: 65536,
  requireKraken: 131072,
  requireLuminous: 262144,
  recoveryDeletes: 524288,
  purgedSnapdirs: 1048576,
  nosnaptrim: 2097152,
  pglogHardlimit: 4194304,
} as const;

/** Since when an OSD has been what it is (osd_info_t). */
export interface OsdInfo {
  readonly lastCleanBegin: Epoch;
  readonly lastCleanEnd: Epoch;
  /** Epoch in which it was last marked up. */
  readonly upFrom: Epoch;
  /** Last epoch for which it is known to have been alive and up (see up_thru in Ceph's peering documentation). */
  readonly upThru: Epoch;
  readonly downAt: Epoch;
  readonly lostAt: Epoch;
}

export interface OsdXInfo {
  readonly downStamp: UTime;
  /** 0 .. 1, encoded in 32 bits. */
  readonly laggyProbability: number;
  /** Seconds. */
  readonly laggyInterval: number;
  readonly features: bigint;
  readonly oldWeight: Weight16;
  readonly lastPurgedSnapsScrub: UTime;
  readonly deadEpoch: Epoch;
}

/**
 * The map of OSDs, pools and placement at one epoch (osd/OSDMap.h). Immutable: `applyIncremental` makes the next.
 * Per-OSD arrays have `maxOsd` entries. PG-keyed tables are keyed by `pgKey`.
 */
export interface OsdMap {
  readonly fsid: Uuid;
  readonly epoch: Epoch;
  readonly created: UTime;
  readonly modified: UTime;
  readonly pools: ReadonlyMap<PoolId, Pool>;
  readonly poolNames: ReadonlyMap<PoolId, string>;
  readonly poolMax: PoolId;
  readonly flags: number;
  readonly maxOsd: number;
  readonly osdState: readonly number[];
  /** 0x10000 is in, 0 is out. */
  readonly osdWeight: readonly Weight16[];
  readonly clientAddrs: readonly AddrVec[];
  readonly clusterAddrs: readonly AddrVec[];
  readonly hbBackAddrs: readonly AddrVec[];
  readonly hbFrontAddrs: readonly AddrVec[];
  readonly pgTemp: PgTable<readonly OsdId[]>;
  readonly primaryTemp: PgTable<OsdId>;
  /** Empty: every OSD has 0x10000. */
  readonly primaryAffinity: readonly Weight16[];
  /** The decoded CRUSH map and the bytes it came from (kept: they are re-encoded as they are). */
  readonly crush: CrushMap;
  readonly crushBytes: Bytes;
  readonly erasureCodeProfiles: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly pgUpmap: PgTable<readonly OsdId[]>;
  readonly pgUpmapItems: PgTable<readonly (readonly [from: OsdId, to: OsdId])[]>;
  readonly crushVersion: number;
  readonly newRemovedSnaps: ReadonlyMap<PoolId, readonly SnapInterval[]>;
  readonly newPurgedSnaps: ReadonlyMap<PoolId, readonly SnapInterval[]>;
  readonly lastUpChange: UTime;
  readonly lastInChange: UTime;
  readonly osdInfo: readonly OsdInfo[];
  readonly osdXInfo: readonly OsdXInfo[];
  readonly osdUuid: readonly Uuid[];
  readonly blocklist: readonly (readonly [EntityAddr, UTime])[];
  readonly clusterSnapshotEpoch: Epoch;
  readonly clusterSnapshot: string;
  readonly nearfullRatio: number;
  readonly fullRatio: number;
  readonly backfillfullRatio: number;
  readonly requireMinCompatClient: number;
  readonly requireOsdRelease: number;
  readonly removedSnapsQueue: ReadonlyMap<PoolId, readonly SnapInterval[]>;
  readonly crushNodeFlags: ReadonlyMap<number, number>;
  readonly deviceClassFlags: ReadonlyMap<number, number>;
}

/** A table keyed by PG, in PG order when encoded. */
export type PgTable<V> = ReadonlyMap<PgKey, V>;
/** A PG as one number: pool * 2^32 + seed. Pools stay below 2^20 here; a larger one is refused by the decoder. */
export type PgKey = number;

export function pgKey(pg: PgId): PgKey {
  return pg.pool * 0x1_0000_0000 + pg.seed;
}

export function pgOfKey(key: PgKey): PgId {
  const pool = Math.floor(key / 0x1_0000_0000);
  return { pool, seed: key - pool * 0x1_0000_0000 };
}

export function osdExists(map: OsdMap, osd: OsdId): boolean {
  return osd >= 0 && osd < map.maxOsd && (map.osdState[osd]! & OsdState.exists) !== 0;
}

export function osdUp(map: OsdMap, osd: OsdId): boolean {
  return osdExists(map, osd) && (map.osdState[osd]! & OsdState.up) !== 0;
}

export function osdIn(map: OsdMap, osd: OsdId): boolean {
  return osdExists(map, osd) && map.osdWeight[osd]! > 0;
}
