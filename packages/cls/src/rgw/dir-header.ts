/** What a bucket's index knows of itself (rgw_bucket_dir_header): the omap header, and first in every listing. */
import { type Bytes, type Decoder, Encoder, type RawString } from '@spirula/encoding';
import type { EntryMeta } from './dir-entry.ts';

/** rgw_bucket_category_stats. Sums are 64-bit numbers, and wrap. */
export interface CategoryStats {
  /** Bytes as users see them, and these in whole blocks. */
  readonly size: bigint;
  readonly sizeRounded: bigint;
  readonly entries: bigint;
  /** Bytes as they are stored. */
  readonly actualSize: bigint;
}

/** By `ObjectCategory`, ascending. */
export type BucketStats = ReadonlyMap<number, CategoryStats>;

/** cls_rgw_reshard_status. */
export const ReshardStatus = { notResharding: 0, inProgress: 1, done: 2 } as const;

/** cls_rgw_bucket_instance_entry: where the bucket's entries are moved to. */
export interface ReshardState {
  /** `ReshardStatus`. */
  readonly status: number;
  /** The instance of the bucket that takes this one's place. */
  readonly newInstanceId: RawString;
  /** Shards of its index; -1: none was named. */
  readonly shards: number;
}

export interface DirHeader {
  readonly stats: BucketStats;
  /** Seconds after which a pending change counts as abandoned; 0: 120. */
  readonly tagTimeout: bigint;
  /** Counted up with each change of the header. */
  readonly version: bigint;
  readonly masterVersion: bigint;
  /** The last entry of the log of changes. */
  readonly maxMarker: RawString;
  readonly reshard: ReshardState;
  /** No changes are logged. */
  readonly syncStopped: boolean;
}

const NO_RESHARD: ReshardState = { status: ReshardStatus.notResharding, newInstanceId: '', shards: -1 };

export const NO_DIR_HEADER: DirHeader = {
  stats: new Map(),
  tagTimeout: 0n,
  version: 0n,
  masterVersion: 0n,
  maxMarker: '',
  reshard: NO_RESHARD,
  syncStopped: false,
};

export const NO_STATS: CategoryStats = { size: 0n, sizeRounded: 0n, entries: 0n, actualSize: 0n };
const U64_BITS = 64;
const BLOCK = 4096n;
/** Least bytes of a category's sums: category, struct, four numbers (three before version 3). */
const STATS_BYTES = 1 + 6 + 3 * 8;
/** Encodings before this had no length. */
const FIRST_WITH_LENGTH = 2;

const wrap = (value: bigint) => BigInt.asUintN(U64_BITS, value);

/** Bytes that so many take in whole blocks (cls_rgw_get_rounded_size). */
export function roundedSize(size: bigint): bigint {
  return wrap(size + BLOCK - 1n) & ~(BLOCK - 1n);
}

/** Sums with more of a category, or less (`sign` -1). */
export function addStats(stats: BucketStats, category: number, more: CategoryStats, sign: 1n | -1n = 1n): BucketStats {
  const before = stats.get(category) ?? NO_STATS;
  return setStats(stats, category, {
    size: wrap(before.size + sign * more.size),
    sizeRounded: wrap(before.sizeRounded + sign * more.sizeRounded),
    entries: wrap(before.entries + sign * more.entries),
    actualSize: wrap(before.actualSize + sign * more.actualSize),
  });
}

export function setStats(stats: BucketStats, category: number, sums: CategoryStats): BucketStats {
  return new Map([...stats, [category, sums] as const].sort(([a], [b]) => a - b));
}

/** With an entry counted, or no more (`sign` -1). */
export function accountEntry(stats: BucketStats, meta: EntryMeta, sign: 1n | -1n): BucketStats {
  const { accountedSize, size } = meta;
  const one = { size: accountedSize, sizeRounded: roundedSize(accountedSize), entries: 1n, actualSize: size };
  return addStats(stats, meta.category, one, sign);
}

export function encodeStats(encoder: Encoder, stats: BucketStats): void {
  encoder.map(
    stats,
    (category) => encoder.u8(category),
    ({ size, sizeRounded, entries, actualSize }) =>
      encoder.struct(3, 2, () => {
        for (const sum of [size, sizeRounded, entries, actualSize]) encoder.u64big(sum);
      }),
  );
}

/** @throws MalformedInput */
export function decodeStats(decoder: Decoder): BucketStats {
  const decodeSums = () =>
    decoder.struct('stats', 3, (version) => {
      if (version < FIRST_WITH_LENGTH) decoder.fail('stats', `of version ${version}, which had no length`);
      const size = decoder.u64big('total size');
      const sizeRounded = decoder.u64big('total size rounded');
      const entries = decoder.u64big('entries');
      return { size, sizeRounded, entries, actualSize: version < 3 ? size : decoder.u64big('actual size') };
    });
  const stats = decoder.map('stats', STATS_BYTES, () => decoder.u8('category'), decodeSums);
  return new Map([...stats].sort(([a], [b]) => a - b));
}

export function encodeReshardState(encoder: Encoder, { status, newInstanceId, shards }: ReshardState): void {
  encoder.struct(1, 1, () => {
    encoder.u8(status);
    encoder.rawString(newInstanceId);
    encoder.i32(shards);
  });
}

/** @throws MalformedInput */
export function decodeReshardState(decoder: Decoder): ReshardState {
  return decoder.struct('new instance', 1, () => ({
    status: decoder.u8('reshard status'),
    newInstanceId: decoder.rawString('new bucket instance id'),
    shards: decoder.i32('shards'),
  }));
}

export function writeDirHeader(encoder: Encoder, header: DirHeader): void {
  encoder.struct(7, 2, () => {
    encodeStats(encoder, header.stats);
    encoder.u64big(header.tagTimeout);
    encoder.u64big(header.version);
    encoder.u64big(header.masterVersion);
    encoder.rawString(header.maxMarker);
    encodeReshardState(encoder, header.reshard);
    encoder.bool(header.syncStopped);
  });
}

export function encodeDirHeader(header: DirHeader): Bytes {
  const encoder = new Encoder(128);
  writeDirHeader(encoder, header);
  return encoder.finish();
}

/** @throws MalformedInput */
export function decodeDirHeader(decoder: Decoder): DirHeader {
  return decoder.struct('dir header', 7, (version) => {
    if (version < FIRST_WITH_LENGTH) decoder.fail('dir header', `of version ${version}, which had no length`);
    return {
      stats: decodeStats(decoder),
      tagTimeout: version < 3 ? 0n : decoder.u64big('tag timeout'),
      version: version < 4 ? 0n : decoder.u64big('ver'),
      masterVersion: version < 4 ? 0n : decoder.u64big('master ver'),
      maxMarker: version < 5 ? '' : decoder.rawString('max marker'),
      reshard: version < 6 ? NO_RESHARD : decodeReshardState(decoder),
      syncStopped: version >= 7 && decoder.bool('sync stopped'),
    };
  });
}
