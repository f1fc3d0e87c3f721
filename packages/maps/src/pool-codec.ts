import {
  type Decoder,
  decodeEVersion,
  decodePgId,
  decodeUTime,
  type Encoder,
  type Epoch,
  encodeEVersion,
  encodePgId,
  encodeUTime,
} from '@spirula/encoding';
import type { Pool, PoolSnap } from './pool.ts';
import { decodeSnapIntervals, encodeSnapIntervals } from './snap-intervals.ts';
import { sorted } from './sorted.ts';

/** The version Pacific writes for clients of Nautilus and later. */
const VERSION = 29;
const COMPAT = 5;

/** Kinds of pool options in their encoding. */
const OPT_TEXT = 0;
const OPT_INTEGER = 1;
const OPT_DOUBLE = 2;

/** pg_pool_t (osd/osd_types.cc). */
export function encodePool(to: Encoder, pool: Pool): void {
  const text = (value: string) => to.string(value);
  to.struct(VERSION, COMPAT, () => {
    to.u8(pool.type);
    to.u8(pool.size);
    to.u8(pool.crushRule);
    to.u8(pool.objectHash);
    to.u32(pool.pgNum);
    to.u32(pool.pgpNum);
    to.u64(0);
    to.u32(pool.lastChange);
    to.u64big(pool.snapSeq);
    to.u32(pool.snapEpoch);
    to.map(
      sorted(pool.snaps),
      (id) => to.u64big(id),
      (snap) => encodeSnap(to, snap),
    );
    encodeSnapIntervals(to, pool.removedSnaps);
    to.u64big(pool.auid);
    to.u64big(pool.flags);
    to.u32(0);
    to.u8(pool.minSize);
    to.u64(pool.quotaMaxBytes);
    to.u64(pool.quotaMaxObjects);
    to.list(pool.tiers, (tier) => to.u64big(tier));
    to.i64(pool.tierOf);
    to.u8(pool.cacheMode);
    to.i64(pool.readTier);
    to.i64(pool.writeTier);
    to.map(sorted(pool.properties), text, text);
    to.raw(pool.hitSetParams);
    to.u32(pool.hitSetPeriod);
    to.u32(pool.hitSetCount);
    to.u32(pool.stripeWidth);
    to.u64(pool.targetMaxBytes);
    to.u64(pool.targetMaxObjects);
    to.u32(pool.cacheTargetDirtyRatioMicro);
    to.u32(pool.cacheTargetFullRatioMicro);
    to.u32(pool.cacheMinFlushAge);
    to.u32(pool.cacheMinEvictAge);
    to.string(pool.erasureCodeProfile);
    to.u32(pool.lastForceResendPreluminous);
    to.i32(pool.minReadRecencyForPromote);
    to.u64(pool.expectedNumObjects);
    to.u32(pool.cacheTargetDirtyHighRatioMicro);
    to.i32(pool.minWriteRecencyForPromote);
    to.bool(pool.useGmtHitset);
    to.bool(pool.fastRead);
    to.i32(pool.hitSetGradeDecayRate);
    to.u32(pool.hitSetSearchLastN);
    encodeOpts(to, pool.opts);
    to.u32(pool.lastForceResendPrenautilus);
    to.map(sorted(pool.applicationMetadata), text, (values) => to.map(sorted(values), text, text));
    encodeUTime(to, pool.createTime);
    to.u32(pool.pgNumTarget);
    to.u32(pool.pgpNumTarget);
    to.u32(pool.pgNumPending);
    to.u64(0);
    to.u32(pool.lastForceResend);
    to.u8(pool.pgAutoscaleMode);
    to.struct(1, 1, () => {
      const merge = pool.lastPgMergeMeta;
      encodePgId(to, merge.sourcePgid);
      to.u32(merge.readyEpoch);
      to.u32(merge.lastEpochStarted);
      to.u32(merge.lastEpochClean);
      encodeEVersion(to, merge.sourceVersion);
      encodeEVersion(to, merge.targetVersion);
    });
  });
}

/** @throws MalformedInput, also for a pool older than Nautilus. */
export function decodePool(from: Decoder): Pool {
  const text = () => from.string('pool');
  return from.struct('pool', VERSION, (version) => {
    if (version < VERSION) from.fail('pool', `version ${version} is older than ${VERSION} (Nautilus)`);
    const type = from.u8('pool.type');
    const size = from.u8('pool.size');
    const crushRule = from.u8('pool.crush_rule');
    const objectHash = from.u8('pool.object_hash');
    const pgNum = from.u32('pool.pg_num');
    const pgpNum = from.u32('pool.pgp_num');
    from.u64big('pool.lpg_num');
    const lastChange = from.u32('pool.last_change');
    const snapSeq = from.u64big('pool.snap_seq');
    const snapEpoch = from.u32('pool.snap_epoch');
    const snaps = from.map(
      'pool.snaps',
      28,
      () => from.u64big('pool.snaps'),
      () => decodeSnap(from),
    );
    const removedSnaps = decodeSnapIntervals(from, 'pool.removed_snaps');
    const auid = from.u64big('pool.auid');
    const flags = from.u64big('pool.flags');
    from.u32('pool.crash_replay_interval');
    const minSize = from.u8('pool.min_size');
    const quotaMaxBytes = from.u64('pool.quota_max_bytes');
    const quotaMaxObjects = from.u64('pool.quota_max_objects');
    const tiers = from.list('pool.tiers', 8, () => from.u64big('pool.tiers'));
    const tierOf = from.i64('pool.tier_of');
    const cacheMode = from.u8('pool.cache_mode');
    const readTier = from.i64('pool.read_tier');
    const writeTier = from.i64('pool.write_tier');
    const properties = from.map('pool.properties', 8, text, text);
    const hitSetParams = rawStruct(from, 'pool.hit_set_params');
    return {
      type,
      size,
      crushRule,
      objectHash,
      pgNum,
      pgpNum,
      lastChange,
      snapSeq,
      snapEpoch,
      snaps,
      removedSnaps,
      auid,
      flags,
      minSize,
      quotaMaxBytes,
      quotaMaxObjects,
      tiers,
      tierOf,
      cacheMode,
      readTier,
      writeTier,
      properties,
      hitSetParams,
      hitSetPeriod: from.u32('pool.hit_set_period'),
      hitSetCount: from.u32('pool.hit_set_count'),
      stripeWidth: from.u32('pool.stripe_width'),
      targetMaxBytes: from.u64('pool.target_max_bytes'),
      targetMaxObjects: from.u64('pool.target_max_objects'),
      cacheTargetDirtyRatioMicro: from.u32('pool.cache_target_dirty_ratio_micro'),
      cacheTargetFullRatioMicro: from.u32('pool.cache_target_full_ratio_micro'),
      cacheMinFlushAge: from.u32('pool.cache_min_flush_age'),
      cacheMinEvictAge: from.u32('pool.cache_min_evict_age'),
      erasureCodeProfile: from.string('pool.erasure_code_profile'),
      lastForceResendPreluminous: from.u32('pool.last_force_op_resend_preluminous'),
      minReadRecencyForPromote: from.i32('pool.min_read_recency_for_promote'),
      expectedNumObjects: from.u64('pool.expected_num_objects'),
      cacheTargetDirtyHighRatioMicro: from.u32('pool.cache_target_dirty_high_ratio_micro'),
      minWriteRecencyForPromote: from.i32('pool.min_write_recency_for_promote'),
      useGmtHitset: from.bool('pool.use_gmt_hitset'),
      fastRead: from.bool('pool.fast_read'),
      hitSetGradeDecayRate: from.i32('pool.hit_set_grade_decay_rate'),
      hitSetSearchLastN: from.u32('pool.hit_set_search_last_n'),
      opts: decodeOpts(from),
      lastForceResendPrenautilus: from.u32('pool.last_force_op_resend_prenautilus'),
      applicationMetadata: from.map('pool.application_metadata', 8, text, () =>
        from.map('pool.application_metadata', 8, text, text),
      ),
      createTime: decodeUTime(from, 'pool.create_time'),
      pgNumTarget: from.u32('pool.pg_num_target'),
      pgpNumTarget: from.u32('pool.pgp_num_target'),
      pgNumPending: from.u32('pool.pg_num_pending'),
      lastForceResend: decodeLastForceResend(from),
      pgAutoscaleMode: from.u8('pool.pg_autoscale_mode'),
      lastPgMergeMeta: from.struct('pool.last_pg_merge_meta', 1, () => ({
        sourcePgid: decodePgId(from, 'pool.last_pg_merge_meta.source_pgid'),
        readyEpoch: from.u32('pool.last_pg_merge_meta.ready_epoch'),
        lastEpochStarted: from.u32('pool.last_pg_merge_meta.last_epoch_started'),
        lastEpochClean: from.u32('pool.last_pg_merge_meta.last_epoch_clean'),
        sourceVersion: decodeEVersion(from, 'pool.last_pg_merge_meta.source_version'),
        targetVersion: decodeEVersion(from, 'pool.last_pg_merge_meta.target_version'),
      })),
    };
  });
}

/** Behind two epochs of a merge protocol that no release speaks any more. */
function decodeLastForceResend(from: Decoder): Epoch {
  from.u64big('pool.pg_num_dec_last_epochs');
  return from.u32('pool.last_force_op_resend');
}

function encodeSnap(to: Encoder, snap: PoolSnap): void {
  to.struct(2, 2, () => {
    to.u64big(snap.id);
    encodeUTime(to, snap.stamp);
    to.string(snap.name);
  });
}

function decodeSnap(from: Decoder): PoolSnap {
  return from.struct('pool.snap', 2, () => ({
    id: from.u64big('pool.snap.id'),
    stamp: decodeUTime(from, 'pool.snap.stamp'),
    name: from.string('pool.snap.name'),
  }));
}

function encodeOpts(to: Encoder, opts: Pool['opts']): void {
  to.struct(2, 1, () =>
    to.map(
      sorted(opts),
      (key) => to.i32(key),
      (value) => {
        if (typeof value === 'string') {
          to.i32(OPT_TEXT);
          to.string(value);
        } else if (typeof value === 'bigint') {
          to.i32(OPT_INTEGER);
          to.u64big(value);
        } else {
          to.i32(OPT_DOUBLE);
          to.f64(value);
        }
      },
    ),
  );
}

function decodeOpts(from: Decoder): Map<number, string | bigint | number> {
  const field = 'pool.opts';
  return from.struct(field, 2, () =>
    from.map(
      field,
      12,
      () => from.i32(field),
      () => {
        const kind = from.i32(field);
        if (kind === OPT_TEXT) return from.string(field);
        if (kind === OPT_INTEGER) return from.i64big(field);
        if (kind === OPT_DOUBLE) return from.f64(field);
        return from.fail(field, `an option of kind ${kind}`);
      },
    ),
  );
}

/** A whole versioned struct, header included, unread. */
function rawStruct(from: Decoder, field: string): Uint8Array {
  const start = from.offset;
  from.struct(field, 255, () => undefined);
  return from.bytes.slice(start, from.offset);
}
