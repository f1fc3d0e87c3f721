import type { Epoch, EVersion, OsdId, PgId, PoolId, UTime } from '@spirula/encoding';
import type { SnapInterval } from '@spirula/maps';

/** Counts over objects (object_stat_sum_t), the part that is kept here. */
export interface ObjectStatSum {
  readonly bytes: number;
  readonly objects: number;
  readonly objectClones: number;
  readonly whiteouts: number;
  /** Copies that should exist: objects x size. */
  readonly objectCopies: number;
  readonly objectsMissingOnPrimary: number;
  readonly objectsDegraded: number;
  readonly objectsMisplaced: number;
  readonly objectsUnfound: number;
  readonly reads: number;
  readonly readBytes: number;
  readonly writes: number;
  readonly writeBytes: number;
  readonly objectsRecovered: number;
  readonly bytesRecovered: number;
  readonly omapBytes: number;
  readonly omapKeys: number;
}

/** object_stat_sum_t of nothing. */
export const ZERO_SUM: ObjectStatSum = {
  bytes: 0,
  objects: 0,
  objectClones: 0,
  whiteouts: 0,
  objectCopies: 0,
  objectsMissingOnPrimary: 0,
  objectsDegraded: 0,
  objectsMisplaced: 0,
  objectsUnfound: 0,
  reads: 0,
  readBytes: 0,
  writes: 0,
  writeBytes: 0,
  objectsRecovered: 0,
  bytesRecovered: 0,
  omapBytes: 0,
  omapKeys: 0,
};

/** pool_stat_t: what `rados df` shows. */
export interface PoolStat {
  readonly sum: ObjectStatSum;
  readonly logSize: number;
  readonly ondiskLogSize: number;
  readonly up: number;
  readonly acting: number;
  /** Bytes on the stores, all copies. */
  readonly allocated: number;
  readonly numOsds: number;
}

/** What a primary reports of one PG (pg_stat_t). */
export interface PgStat {
  readonly pgid: PgId;
  /** Ceph's state names joined with `+`, in Ceph's order: `active+clean`, `active+undersized+degraded`, `peering` … */
  readonly state: string;
  readonly version: EVersion;
  readonly reportedSeq: number;
  readonly reportedEpoch: Epoch;
  readonly up: readonly OsdId[];
  readonly upPrimary: OsdId;
  readonly acting: readonly OsdId[];
  readonly actingPrimary: OsdId;
  readonly created: Epoch;
  readonly lastEpochClean: Epoch;
  readonly mappingEpoch: Epoch;
  readonly lastFresh: UTime;
  readonly lastChange: UTime;
  readonly lastActive: UTime;
  readonly lastPeered: UTime;
  readonly lastClean: UTime;
  readonly lastUnstale: UTime;
  readonly lastUndegraded: UTime;
  readonly lastFullsized: UTime;
  readonly logStart: EVersion;
  readonly logSize: number;
  readonly sum: ObjectStatSum;
  readonly blockedBy: readonly OsdId[];
  /** Snapshots that are to be trimmed. */
  readonly snaptrimqLen: number;
  /** Those of the map's queue that are. */
  readonly purgedSnaps: readonly SnapInterval[];
}

/** What an OSD reports of itself (osd_stat_t). */
export interface OsdStat {
  readonly kb: number;
  readonly kbUsed: number;
  readonly kbUsedData: number;
  readonly kbUsedOmap: number;
  readonly kbUsedMeta: number;
  readonly kbAvail: number;
  readonly hbPeers: readonly OsdId[];
  readonly numPgs: number;
  readonly upFrom: Epoch;
  /** Number of the report: greater than all before it, those of earlier lives included. */
  readonly seq: number;
  readonly commitLatencyMs: number;
  readonly applyLatencyMs: number;
  /** Requests under way for longer than osd_op_complaint_time, and for how long the oldest of them. */
  readonly slowOps: { readonly count: number; readonly oldestSeconds: number };
  readonly pings: readonly PingStat[];
}

/**
 * How long a peer takes to answer pings on each network, in microseconds: the mean of the last minute, of five and of fifteen;
 * empty before the first is over.
 */
export interface PingStat {
  readonly osd: OsdId;
  readonly back: readonly number[];
  readonly front: readonly number[];
}

/** One health check, as in `ceph health detail`: code is the key of the map it stands in. */
export interface HealthCheck {
  readonly severity: 'HEALTH_WARN' | 'HEALTH_ERR';
  readonly summary: string;
  readonly count: number;
  readonly detail: readonly string[];
}

/** The manager's digest for the monitors (PGMapDigest): what `ceph -s`, `df` and health need. */
export interface PgMapDigest {
  readonly numPgs: number;
  readonly numPgActive: number;
  readonly numPgUnknown: number;
  readonly pgsByState: ReadonlyMap<string, number>;
  readonly pools: ReadonlyMap<PoolId, PoolStat>;
  readonly pgsPerPool: ReadonlyMap<PoolId, number>;
  readonly osdStats: ReadonlyMap<OsdId, OsdStat>;
  readonly pgsPerOsd: ReadonlyMap<OsdId, number>;
  readonly total: ObjectStatSum;
  readonly kb: number;
  readonly kbUsed: number;
  readonly kbAvail: number;
  /** Rates per second, as in `ceph -s`: client io and recovery. */
  readonly readBytesPerSecond: number;
  readonly writeBytesPerSecond: number;
  readonly readOpsPerSecond: number;
  readonly writeOpsPerSecond: number;
  readonly recoveryBytesPerSecond: number;
  readonly recoveryObjectsPerSecond: number;
  /** Rates of each pool, same fields, for `osd pool stats`. */
  readonly stalePgs: readonly PgId[];
  /** Snapshots that every PG of a pool has trimmed. */
  readonly purgedSnaps: ReadonlyMap<PoolId, readonly SnapInterval[]>;
}
