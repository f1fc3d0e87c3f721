import type { Epoch, UTime } from '@spirula/encoding';
import { type Pool, PoolType } from './pool.ts';

const HASH_RJENKINS = 2;
/** The encoded hit_set parameters of a pool without any. */
const NO_HIT_SET = Uint8Array.of(1, 1, 1, 0, 0, 0, 0);
const NO_VERSION = { epoch: 0, version: 0 };

export interface NewPool {
  readonly size: number;
  readonly minSize: number;
  readonly crushRule: number;
  readonly pgNum: number;
  readonly pgpNum: number;
  readonly flags: bigint;
  /** 0 off, 1 warn, 2 on. */
  readonly pgAutoscaleMode: number;
  /** In which it comes to be. */
  readonly epoch: Epoch;
  readonly createTime: UTime;
  readonly expectedNumObjects: number;
  /** pool_opts_t keys. */
  readonly opts: ReadonlyMap<number, bigint>;
}

/** A replicated pool as Ceph makes one (OSDMonitor::prepare_new_pool). */
export function newPool(pool: NewPool): Pool {
  return {
    type: PoolType.replicated,
    size: pool.size,
    minSize: pool.minSize,
    crushRule: pool.crushRule,
    objectHash: HASH_RJENKINS,
    pgNum: pool.pgNum,
    pgpNum: pool.pgpNum,
    pgNumTarget: pool.pgNum,
    pgpNumTarget: pool.pgpNum,
    pgNumPending: pool.pgNum,
    lastChange: pool.epoch,
    snapSeq: 0n,
    snapEpoch: 0,
    snaps: new Map(),
    removedSnaps: [],
    auid: 0n,
    flags: pool.flags,
    quotaMaxBytes: 0,
    quotaMaxObjects: 0,
    tiers: [],
    tierOf: -1,
    cacheMode: 0,
    readTier: -1,
    writeTier: -1,
    properties: new Map(),
    hitSetParams: NO_HIT_SET,
    hitSetPeriod: 0,
    hitSetCount: 0,
    stripeWidth: 0,
    targetMaxBytes: 0,
    targetMaxObjects: 0,
    cacheTargetDirtyRatioMicro: 400_000,
    cacheTargetFullRatioMicro: 800_000,
    cacheMinFlushAge: 0,
    cacheMinEvictAge: 0,
    erasureCodeProfile: '',
    lastForceResendPreluminous: 0,
    minReadRecencyForPromote: 0,
    expectedNumObjects: pool.expectedNumObjects,
    cacheTargetDirtyHighRatioMicro: 600_000,
    minWriteRecencyForPromote: 0,
    useGmtHitset: true,
    fastRead: false,
    hitSetGradeDecayRate: 0,
    hitSetSearchLastN: 0,
    opts: pool.opts,
    lastForceResendPrenautilus: 0,
    applicationMetadata: new Map(),
    createTime: pool.createTime,
    lastForceResend: 0,
    pgAutoscaleMode: pool.pgAutoscaleMode,
    lastPgMergeMeta: {
      sourcePgid: { pool: 0, seed: 0 },
      readyEpoch: 0,
      lastEpochStarted: 0,
      lastEpochClean: 0,
      sourceVersion: NO_VERSION,
      targetVersion: NO_VERSION,
    },
  };
}
