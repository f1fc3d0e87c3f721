/** Where the index of a bucket is, and its log (rgw_bucket_layout.h, from release 16). */
import type { Decoder, Encoder } from '@spirula/encoding';

/** BucketIndexType, and RGWBucketIndexType, which has the same numbers. */
export const BucketIndexType = { normal: 0, indexless: 1 } as const;
/** BucketHashType::Mod: the only one. */
export const BUCKET_HASH_MOD = 0;

/** bucket_index_normal_layout. */
export interface IndexShards {
  /** 0: an index of one object, whose name bears no number. */
  readonly count: number;
  readonly hashType: number;
}

/** bucket_index_layout_generation. Each resharding is a generation. */
export interface IndexLayout {
  readonly generation: bigint;
  readonly type: number;
  /** Of a normal index. */
  readonly shards: IndexShards;
}

/** bucket_log_layout_generation: which generation of the index has the log of changes. */
export interface LogLayout {
  readonly generation: bigint;
  readonly type: number;
  readonly indexGeneration: bigint;
  readonly shards: IndexShards;
}

export interface BucketLayout {
  /** BucketReshardState: 0 none, 1 in progress. */
  readonly resharding: number;
  readonly current: IndexLayout;
  /** The one that resharding goes to. */
  readonly target: IndexLayout | undefined;
  readonly logs: readonly LogLayout[];
}

const NO_SHARDS: IndexShards = { count: 1, hashType: BUCKET_HASH_MOD };
/** BucketLogType::InIndex. */
const LOG_IN_INDEX = 0;
/** Least bytes of a log: two structs, a generation, a type. */
const LOG_BYTES = 6 + 8 + 6 + 1;

/** Of a new bucket. */
export function newBucketLayout(type: number, shardCount: number): BucketLayout {
  const shards: IndexShards = { count: shardCount, hashType: BUCKET_HASH_MOD };
  const current: IndexLayout = { generation: 0n, type, shards };
  const log: LogLayout = { generation: 0n, type: LOG_IN_INDEX, indexGeneration: 0n, shards };
  return { resharding: 0, current, target: undefined, logs: type === BucketIndexType.normal ? [log] : [] };
}

function encodeShards(to: Encoder, { count, hashType }: IndexShards): void {
  to.struct(1, 1, () => {
    to.u32(count);
    to.u8(hashType);
  });
}

function decodeShards(from: Decoder): IndexShards {
  return from.struct('index shards', 1, () => ({ count: from.u32('shards'), hashType: from.u8('hash type') }));
}

function encodeIndex(to: Encoder, { generation, type, shards }: IndexLayout): void {
  to.struct(1, 1, () => {
    to.u64big(generation);
    to.struct(1, 1, () => {
      to.u8(type);
      if (type === BucketIndexType.normal) encodeShards(to, shards);
    });
  });
}

function decodeIndex(from: Decoder): IndexLayout {
  return from.struct('index layout generation', 1, () => {
    const generation = from.u64big('generation of the index');
    const layout = from.struct('index layout', 1, () => {
      const type = from.u8('index type');
      return { type, shards: type === BucketIndexType.normal ? decodeShards(from) : NO_SHARDS };
    });
    return { generation, ...layout };
  });
}

function encodeLog(to: Encoder, { generation, type, indexGeneration, shards }: LogLayout): void {
  to.struct(1, 1, () => {
    to.u64big(generation);
    to.struct(1, 1, () => {
      to.u8(type);
      if (type !== LOG_IN_INDEX) return;
      to.struct(1, 1, () => {
        to.u64big(indexGeneration);
        encodeShards(to, shards);
      });
    });
  });
}

function decodeLog(from: Decoder): LogLayout {
  return from.struct('log layout generation', 1, () => {
    const generation = from.u64big('generation of the log');
    const layout = from.struct('log layout', 1, () => {
      const type = from.u8('log type');
      if (type !== LOG_IN_INDEX) return { type, indexGeneration: 0n, shards: NO_SHARDS };
      const inIndex = from.struct('log in the index', 1, () => ({
        indexGeneration: from.u64big('generation of the index'),
        shards: decodeShards(from),
      }));
      return { type, ...inIndex };
    });
    return { generation, ...layout };
  });
}

export function encodeBucketLayout(to: Encoder, { resharding, current, target, logs }: BucketLayout): void {
  to.struct(2, 1, () => {
    to.u8(resharding);
    encodeIndex(to, current);
    to.optional(target, (index) => encodeIndex(to, index));
    to.list(logs, (log) => encodeLog(to, log));
  });
}

/** @throws MalformedInput */
export function decodeBucketLayout(from: Decoder): BucketLayout {
  return from.struct('bucket layout', 2, (version) => {
    const resharding = from.u8('resharding');
    const current = decodeIndex(from);
    const target = from.optional('target index', () => decodeIndex(from));
    if (version >= 2) return { resharding, current, target, logs: from.list('logs', LOG_BYTES, () => decodeLog(from)) };
    return { resharding, current, target, logs: newBucketLayout(current.type, current.shards.count).logs };
  });
}
