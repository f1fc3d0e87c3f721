import type { Bytes, Epoch, EVersion, PgId, UTime } from '@spirula/encoding';

export const PoolType = { replicated: 1, erasure: 3 } as const;

/** pg_pool_t flags. */
export const PoolFlag = {
  hashpspool: 1n,
  full: 2n,
  ecOverwrites: 4n,
  incompleteClones: 8n,
  nodelete: 16n,
  nopgchange: 32n,
  nosizechange: 64n,
  writeFadviseDontneed: 128n,
  noscrub: 256n,
  nodeepScrub: 512n,
  fullQuota: 1024n,
  nearfull: 2048n,
  backfillfull: 4096n,
  selfmanagedSnaps: 8192n,
  poolSnaps: 16384n,
  creating: 32768n,
  bulk: 131072n,
} as const;

export interface PoolSnap {
  readonly id: bigint;
  readonly stamp: UTime;
  readonly name: string;
}

export interface SnapInterval {
  readonly start: bigint;
  readonly length: bigint;
}

/** Last merge of PGs in this pool (pg_merge_meta_t). */
interface PgMergeMeta {
  readonly sourcePgid: PgId;
  readonly readyEpoch: Epoch;
  readonly lastEpochStarted: Epoch;
  readonly lastEpochClean: Epoch;
  readonly sourceVersion: EVersion;
  readonly targetVersion: EVersion;
}

/**
 * A pool (pg_pool_t, osd/osd_types.h). Immutable: a change makes a new one. Fields that nothing here interprets are kept
 * so that a map read is written back byte for byte.
 */
export interface Pool {
  readonly type: number;
  readonly size: number;
  readonly minSize: number;
  readonly crushRule: number;
  /** 2: rjenkins. */
  readonly objectHash: number;
  readonly pgNum: number;
  readonly pgpNum: number;
  readonly pgNumTarget: number;
  readonly pgpNumTarget: number;
  readonly pgNumPending: number;
  readonly lastChange: Epoch;
  readonly snapSeq: bigint;
  readonly snapEpoch: Epoch;
  readonly snaps: ReadonlyMap<bigint, PoolSnap>;
  readonly removedSnaps: readonly SnapInterval[];
  readonly auid: bigint;
  readonly flags: bigint;
  readonly quotaMaxBytes: number;
  readonly quotaMaxObjects: number;
  readonly tiers: readonly bigint[];
  readonly tierOf: number;
  readonly cacheMode: number;
  readonly readTier: number;
  readonly writeTier: number;
  readonly properties: ReadonlyMap<string, string>;
  /** The encoded hit_set parameters, whole (with struct header). */
  readonly hitSetParams: Bytes;
  readonly hitSetPeriod: number;
  readonly hitSetCount: number;
  readonly stripeWidth: number;
  readonly targetMaxBytes: number;
  readonly targetMaxObjects: number;
  readonly cacheTargetDirtyRatioMicro: number;
  readonly cacheTargetFullRatioMicro: number;
  readonly cacheMinFlushAge: number;
  readonly cacheMinEvictAge: number;
  readonly erasureCodeProfile: string;
  readonly lastForceResendPreluminous: Epoch;
  readonly minReadRecencyForPromote: number;
  readonly expectedNumObjects: number;
  readonly cacheTargetDirtyHighRatioMicro: number;
  readonly minWriteRecencyForPromote: number;
  readonly useGmtHitset: boolean;
  readonly fastRead: boolean;
  readonly hitSetGradeDecayRate: number;
  readonly hitSetSearchLastN: number;
  /** Pool options by key number (pool_opts_t): text, 64-bit integer or double. */
  readonly opts: ReadonlyMap<number, string | bigint | number>;
  readonly lastForceResendPrenautilus: Epoch;
  /** application -> key -> value. */
  readonly applicationMetadata: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly createTime: UTime;
  readonly lastForceResend: Epoch;
  /** 0 off, 1 warn, 2 on. */
  readonly pgAutoscaleMode: number;
  readonly lastPgMergeMeta: PgMergeMeta;
}

/** pool_opts_t keys that decide something here. */
export const PoolOpt = { pgNumMin: 15, pgNumMax: 23 } as const;
