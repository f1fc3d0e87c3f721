/** What the methods of `user` take and give, and what the object keeps (cls_user_ops.h, cls_user_types.h). */
import { type Bytes, type Decoder, Encoder, encodeUTime, type RawString, type UTime } from '@spirula/encoding';
import { decodeRealTime, NO_TIME } from '../real-time.ts';

/** cls_user_bucket. */
export interface UserBucket {
  readonly name: RawString;
  readonly marker: RawString;
  readonly bucketId: RawString;
  /** Where its objects are, by the name of a placement; '' when `pools` say. */
  readonly placementId: RawString;
  /** Of data, index and extra data. */
  readonly pools: readonly [data: RawString, index: RawString, extra: RawString];
}

/** cls_user_bucket_entry: a bucket and what it holds. Counts are 64-bit numbers, and wrap. */
export interface BucketEntry {
  readonly bucket: UserBucket;
  /** Bytes, and bytes in whole blocks. */
  readonly size: bigint;
  readonly sizeRounded: bigint;
  readonly created: UTime;
  /** Objects. */
  readonly count: bigint;
  /** Whether the user's sums count it. */
  readonly isCounted: boolean;
}

/** cls_user_stats. */
export interface UserStats {
  readonly entries: bigint;
  readonly bytes: bigint;
  readonly bytesRounded: bigint;
}

/** cls_user_header: kept as the omap header. */
export interface UserHeader {
  readonly stats: UserStats;
  readonly lastSync: UTime;
  readonly lastUpdate: UTime;
}

export const NO_STATS: UserStats = { entries: 0n, bytes: 0n, bytesRounded: 0n };
export const NO_HEADER: UserHeader = {
  stats: NO_STATS,
  lastSync: NO_TIME,
  lastUpdate: NO_TIME,
};

/** Least bytes of an entry: two structs, six numbers, strings. */
const ENTRY_BYTES = 6 + 4 + 8 + 4 + 8 + 6 + 4;

function encodeBucket(encoder: Encoder, { name, marker, bucketId, placementId, pools }: UserBucket): void {
  // Readers from before placements do not understand them.
  if (placementId !== '') {
    encoder.struct(9, 8, () => {
      for (const text of [name, marker, bucketId, placementId]) encoder.rawString(text);
    });
    return;
  }
  const [data, index, extra] = pools;
  encoder.struct(7, 3, () => {
    for (const text of [name, data, marker, bucketId, index, extra]) encoder.rawString(text);
  });
}

function decodeBucket(decoder: Decoder): UserBucket {
  return decoder.struct('bucket', 8, (version) => {
    const text = (field: string) => decoder.rawString(field);
    const name = text('name');
    let data = version < 8 ? text('data pool') : '';
    const marker = version >= 2 ? text('marker') : '';
    const bucketId = version < 2 ? '' : version <= 3 ? String(decoder.u64big('bucket id')) : text('bucket id');
    if (version < 8) {
      const index = version >= 5 ? text('index pool') : data;
      const extra = version >= 7 ? text('data extra pool') : '';
      return { name, marker, bucketId, placementId: '', pools: [data, index, extra] };
    }
    const placementId = text('placement id');
    if (version > 8 || placementId !== '') return { name, marker, bucketId, placementId, pools: ['', '', ''] };
    data = text('data pool');
    const index = text('index pool');
    return { name, marker, bucketId, placementId, pools: [data, index, text('data extra pool')] };
  });
}

export function encodeBucketEntry(encoder: Encoder, entry: BucketEntry): void {
  encoder.struct(9, 5, () => {
    encoder.rawString('');
    encoder.u64big(entry.size);
    encoder.u32(entry.created.sec);
    encoder.u64big(entry.count);
    encodeBucket(encoder, entry.bucket);
    encoder.u64big(entry.sizeRounded);
    encoder.bool(entry.isCounted);
    encodeUTime(encoder, entry.created);
  });
}

/** @throws MalformedInput */
export function decodeBucketEntry(decoder: Decoder): BucketEntry {
  return decoder.struct('bucket entry', 9, (version) => {
    if (version < 5) decoder.fail('bucket entry', `of version ${version}, which had no length`);
    decoder.blob('unused name');
    const size = decoder.u64big('size');
    const seconds = decoder.u32('creation time');
    const count = decoder.u64big('count');
    const bucket = decodeBucket(decoder);
    const sizeRounded = decoder.u64big('size rounded');
    const isCounted = version >= 6 && decoder.bool('user stats sync');
    const created = version >= 7 ? decodeRealTime(decoder, 'creation time') : { sec: seconds, nsec: 0 };
    return { bucket, size, sizeRounded, created, count, isCounted };
  });
}

function encodeStats(encoder: Encoder, { entries, bytes, bytesRounded }: UserStats): void {
  encoder.struct(1, 1, () => {
    for (const sum of [entries, bytes, bytesRounded]) encoder.u64big(sum);
  });
}

function decodeStats(decoder: Decoder): UserStats {
  return decoder.struct('stats', 1, () => ({
    entries: decoder.u64big('entries'),
    bytes: decoder.u64big('bytes'),
    bytesRounded: decoder.u64big('bytes rounded'),
  }));
}

function writeHeader(encoder: Encoder, { stats, lastSync, lastUpdate }: UserHeader): void {
  encoder.struct(1, 1, () => {
    encodeStats(encoder, stats);
    encodeUTime(encoder, lastSync);
    encodeUTime(encoder, lastUpdate);
  });
}

export function encodeHeader(header: UserHeader): Bytes {
  const encoder = new Encoder(64);
  writeHeader(encoder, header);
  return encoder.finish();
}

/** @throws MalformedInput */
export function decodeHeader(decoder: Decoder): UserHeader {
  return decoder.struct('user header', 1, () => ({
    stats: decodeStats(decoder),
    lastSync: decodeRealTime(decoder, 'last stats sync'),
    lastUpdate: decodeRealTime(decoder, 'last stats update'),
  }));
}

/** @throws MalformedInput */
export function decodeHeaderReply(decoder: Decoder): UserHeader {
  return decoder.struct('user header', 1, () => decodeHeader(decoder));
}

export function encodeHeaderReply(header: UserHeader): Bytes {
  const encoder = new Encoder(64);
  encoder.struct(1, 1, () => writeHeader(encoder, header));
  return encoder.finish();
}

export function encodeSetBucketsInput(entries: readonly BucketEntry[], add: boolean, time: UTime): Bytes {
  const encoder = new Encoder();
  encoder.struct(1, 1, () => {
    encoder.list(entries, (entry) => encodeBucketEntry(encoder, entry));
    encoder.bool(add);
    encodeUTime(encoder, time);
  });
  return encoder.finish();
}

export function decodeSetBucketsInput(decoder: Decoder) {
  return decoder.struct('set buckets', 1, () => ({
    entries: decoder.list('entries', ENTRY_BYTES, () => decodeBucketEntry(decoder)),
    /** Whether buckets that are not there are added. */
    add: decoder.bool('add'),
    time: decodeRealTime(decoder, 'time'),
  }));
}

export function encodeRemoveInput(bucket: UserBucket): Bytes {
  const encoder = new Encoder(128);
  encoder.struct(1, 1, () => encodeBucket(encoder, bucket));
  return encoder.finish();
}

export function decodeRemoveInput(decoder: Decoder): UserBucket {
  return decoder.struct('remove bucket', 1, () => decodeBucket(decoder));
}

/** Of `complete_stats_sync` and `reset_user_stats`. */
export function encodeTimeInput(time: UTime): Bytes {
  const encoder = new Encoder(16);
  encoder.struct(1, 1, () => encodeUTime(encoder, time));
  return encoder.finish();
}

export function decodeTimeInput(decoder: Decoder): UTime {
  return decoder.struct('time', 1, () => decodeRealTime(decoder, 'time'));
}

export function encodeListInput(marker: RawString, maxEntries: number, endMarker: RawString): Bytes {
  const encoder = new Encoder(64);
  encoder.struct(2, 1, () => {
    encoder.rawString(marker);
    encoder.i32(maxEntries);
    encoder.rawString(endMarker);
  });
  return encoder.finish();
}

export function decodeListInput(decoder: Decoder) {
  return decoder.struct('list buckets', 2, (version) => ({
    marker: decoder.rawString('marker'),
    maxEntries: decoder.i32('max entries'),
    endMarker: version < 2 ? '' : decoder.rawString('end marker'),
  }));
}

export function encodeListReply(entries: readonly BucketEntry[], marker: RawString, truncated: boolean): Bytes {
  const encoder = new Encoder();
  encoder.struct(1, 1, () => {
    encoder.list(entries, (entry) => encodeBucketEntry(encoder, entry));
    encoder.rawString(marker);
    encoder.bool(truncated);
  });
  return encoder.finish();
}

/** @throws MalformedInput */
export function decodeListReply(decoder: Decoder) {
  return decoder.struct('buckets', 1, () => ({
    entries: decoder.list('entries', ENTRY_BYTES, () => decodeBucketEntry(decoder)),
    /** The last one: where the next page begins. */
    marker: decoder.rawString('marker'),
    truncated: decoder.bool('truncated'),
  }));
}

export function decodeResetInput(decoder: Decoder) {
  return decoder.struct('reset stats', 1, () => ({
    time: decodeRealTime(decoder, 'time'),
    marker: decoder.rawString('marker'),
    /** Of the calls before. */
    stats: decodeStats(decoder),
  }));
}

export function encodeResetReply(marker: RawString, stats: UserStats, truncated: boolean): Bytes {
  const encoder = new Encoder(64);
  encoder.struct(1, 1, () => {
    encoder.rawString(marker);
    encodeStats(encoder, stats);
    encoder.bool(truncated);
  });
  return encoder.finish();
}
