import type { AddrVec, Bytes, EntityAddr, Epoch, OsdId, PoolId, UTime, Uuid, Weight16 } from '@spirula/encoding';
import type { OsdXInfo, PgKey } from './osdmap.ts';
import type { Pool, SnapInterval } from './pool.ts';

/**
 * What changes from one epoch to the next (OSDMap::Incremental). Absent and empty fields change nothing. This is what
 * the monitors propose; `emptyIncremental` makes one to fill in.
 */
export interface OsdMapIncremental {
  fsid: Uuid;
  /** The epoch it leads to. */
  epoch: Epoch;
  modified: UTime;
  /** -1: unchanged. */
  newPoolMax: PoolId;
  /** -1: unchanged. */
  newFlags: number;
  /** A whole map instead of changes (epoch 1), else empty. */
  fullmap: Bytes;
  /** A whole encoded CRUSH map, else empty. */
  crush: Bytes;
  /** -1: unchanged. */
  newMaxOsd: number;
  newPools: Map<PoolId, Pool>;
  newPoolNames: Map<PoolId, string>;
  oldPools: Set<PoolId>;
  newUpClient: Map<OsdId, AddrVec>;
  newUpCluster: Map<OsdId, AddrVec>;
  newHbBackUp: Map<OsdId, AddrVec>;
  newHbFrontUp: Map<OsdId, AddrVec>;
  /** XORed into osd_state; 0 means "up" toggles. */
  newState: Map<OsdId, number>;
  newWeight: Map<OsdId, Weight16>;
  /** An empty list removes the entry. */
  newPgTemp: Map<PgKey, readonly OsdId[]>;
  /** -1 removes the entry. */
  newPrimaryTemp: Map<PgKey, OsdId>;
  newPrimaryAffinity: Map<OsdId, Weight16>;
  newErasureCodeProfiles: Map<string, ReadonlyMap<string, string>>;
  oldErasureCodeProfiles: string[];
  newPgUpmap: Map<PgKey, readonly OsdId[]>;
  oldPgUpmap: Set<PgKey>;
  newPgUpmapItems: Map<PgKey, readonly (readonly [OsdId, OsdId])[]>;
  oldPgUpmapItems: Set<PgKey>;
  newRemovedSnaps: Map<PoolId, readonly SnapInterval[]>;
  newPurgedSnaps: Map<PoolId, readonly SnapInterval[]>;
  newLastUpChange: UTime;
  newLastInChange: UTime;
  newUpThru: Map<OsdId, Epoch>;
  newLastCleanInterval: Map<OsdId, readonly [begin: Epoch, end: Epoch]>;
  newLost: Map<OsdId, Epoch>;
  newBlocklist: (readonly [EntityAddr, UTime])[];
  oldBlocklist: EntityAddr[];
  clusterSnapshot: string;
  newUuid: Map<OsdId, Uuid>;
  newXInfo: Map<OsdId, OsdXInfo>;
  /** Features the map was encoded with; part of what the CRC covers. */
  encodeFeatures: bigint;
  /** Negative: unchanged. */
  newNearfullRatio: number;
  newFullRatio: number;
  newBackfillfullRatio: number;
  /** 255: unchanged. */
  newRequireMinCompatClient: number;
  /** 255: unchanged. */
  newRequireOsdRelease: number;
  newCrushNodeFlags: Map<number, number>;
  newDeviceClassFlags: Map<number, number>;
  /** CRC of the full map this leads to; filled in by the monitor when it encodes. */
  fullCrc: number;
}
