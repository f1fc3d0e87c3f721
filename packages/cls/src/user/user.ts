/**
 * The buckets of a user, as the object gateway keeps them (cls/user/cls_user.cc): an omap value for each, under its name, and
 * in the omap header the sums of those that are counted.
 */
import { compareUTimes, Encoder, Errno, type RawString, type UTime } from '@spirula/encoding';
import type { MethodContext, OmapPage } from '../method-context.ts';
import { ClassError, decodeStored, MethodFlag, method, type ObjectClass } from '../object-class.ts';
import {
  type BucketEntry,
  decodeBucketEntry,
  decodeHeader,
  decodeListInput,
  decodeRemoveInput,
  decodeResetInput,
  decodeSetBucketsInput,
  decodeTimeInput,
  encodeBucketEntry,
  encodeHeader,
  encodeHeaderReply,
  encodeListReply,
  encodeResetReply,
  NO_HEADER,
  NO_STATS,
  type UserBucket,
  type UserHeader,
  type UserStats,
} from './user-codec.ts';

const MAX_ENTRIES = 1000;
const U64_BITS = 64;

function readHeader(object: MethodContext): UserHeader {
  const stored = object.omapHeader();
  return stored.length === 0 ? NO_HEADER : decodeStored(stored, decodeHeader);
}

/** Undefined: it is not there. @throws ClassError EINVAL without a name, EIO when it does not parse */
function readEntry(object: MethodContext, name: RawString): BucketEntry | undefined {
  if (name === '') throw new ClassError(Errno.EINVAL);
  const stored = object.omapGet(name);
  return stored && decodeStored(stored, decodeBucketEntry);
}

function writeEntry(object: MethodContext, name: RawString, entry: BucketEntry): void {
  const encoder = new Encoder(128);
  encodeBucketEntry(encoder, entry);
  object.omapSet(new Map([[name, encoder.finish()]]));
}

/** Adds an entry to the sums, or takes it away (`sign` -1). Sums wrap, as unsigned numbers do. */
function sum(stats: UserStats, { count, size, sizeRounded }: BucketEntry, sign: 1n | -1n): UserStats {
  const wrap = (value: bigint) => BigInt.asUintN(U64_BITS, value);
  return {
    entries: wrap(stats.entries + sign * count),
    bytes: wrap(stats.bytes + sign * size),
    bytesRounded: wrap(stats.bytesRounded + sign * sizeRounded),
  };
}

function later(a: UTime, b: UTime): UTime {
  return compareUTimes(a, b) < 0 ? b : a;
}

/** What becomes of the entry that is there. An added bucket may have been made anew; an updated one has new sizes. */
function updated(before: BucketEntry, given: BucketEntry, add: boolean): BucketEntry {
  if (add) {
    return { ...before, bucket: { ...before.bucket, bucketId: given.bucket.bucketId }, created: given.created };
  }
  return { ...before, size: given.size, sizeRounded: given.sizeRounded, count: given.count };
}

function setBucketsInfo(object: MethodContext, { entries, add, time }: ReturnType<typeof decodeSetBucketsInput>): void {
  const header = readHeader(object);
  let { stats } = header;
  for (const given of entries) {
    const { name } = given.bucket;
    const before = readEntry(object, name);
    // Somebody has removed it meanwhile.
    if (before === undefined && !add) continue;
    const was = before ?? given;
    if (was.isCounted) stats = sum(stats, was, -1n);
    const entry = { ...(before ? updated(before, given, add) : given), isCounted: true };
    writeEntry(object, name, entry);
    stats = sum(stats, entry, 1n);
  }
  object.omapSetHeader(encodeHeader({ ...header, stats, lastUpdate: later(header.lastUpdate, time) }));
}

function completeStatsSync(object: MethodContext, time: UTime): void {
  const header = readHeader(object);
  object.omapSetHeader(encodeHeader({ ...header, lastSync: later(header.lastSync, time) }));
}

function removeBucket(object: MethodContext, { name }: UserBucket): void {
  const header = readHeader(object);
  const entry = readEntry(object, name);
  if (entry === undefined) return;
  object.omapRemove([name]);
  if (entry.isCounted) object.omapSetHeader(encodeHeader({ ...header, stats: sum(header.stats, entry, -1n) }));
}

function listBuckets(object: MethodContext, { marker, endMarker, maxEntries }: ReturnType<typeof decodeListInput>) {
  const max = maxEntries < 0 ? MAX_ENTRIES : Math.min(maxEntries, MAX_ENTRIES);
  const page = object.omapList({ after: marker, max });
  const entries: BucketEntry[] = [];
  let last: RawString = '';
  let truncated = page.more;
  for (const [name, value] of page.entries) {
    last = name;
    if (endMarker !== '' && endMarker <= name) {
      truncated = false;
      break;
    }
    const entry = entryOrUndefined(value);
    if (entry) entries.push(entry);
  }
  return encodeListReply(entries, truncated ? last : '', truncated);
}

/** What does not parse is passed over. */
function entryOrUndefined(value: Uint8Array): BucketEntry | undefined {
  try {
    return decodeStored(value, decodeBucketEntry);
  } catch (error) {
    if (error instanceof ClassError) return undefined;
    throw error;
  }
}

function sumOf(page: OmapPage, stats: UserStats): UserStats {
  let sums = stats;
  for (const value of page.entries.values()) sums = sum(sums, decodeStored(value, decodeBucketEntry), 1n);
  return sums;
}

/** Counts all buckets anew, in one call. */
function resetStats(object: MethodContext, time: UTime): void {
  let stats = NO_STATS;
  for (let after: RawString = '', more = true; more; ) {
    const page = object.omapList({ after, max: MAX_ENTRIES });
    stats = sumOf(page, stats);
    after = [...page.entries.keys()].at(-1) ?? after;
    more = page.more;
  }
  object.omapSetHeader(encodeHeader({ stats, lastSync: NO_HEADER.lastSync, lastUpdate: time }));
}

/** Counts 1000 buckets, and answers where to go on; the last call puts its sums into the header. */
function resetStats2(object: MethodContext, { time, marker }: ReturnType<typeof decodeResetInput>) {
  const page = object.omapList({ after: marker, max: MAX_ENTRIES });
  // 16.2.15 does not add what the calls before have counted.
  const stats = sumOf(page, NO_STATS);
  if (!page.more) object.omapSetHeader(encodeHeader({ stats, lastSync: NO_HEADER.lastSync, lastUpdate: time }));
  return encodeResetReply([...page.entries.keys()].at(-1) ?? '', stats, page.more);
}

const { read, write } = MethodFlag;

export const userClass: ObjectClass = {
  name: 'user',
  methods: {
    set_buckets_info: method(read | write, decodeSetBucketsInput, setBucketsInfo),
    complete_stats_sync: method(read | write, decodeTimeInput, completeStatsSync),
    remove_bucket: method(read | write, decodeRemoveInput, removeBucket),
    list_buckets: method(read, decodeListInput, listBuckets),
    get_header: method(
      read,
      (decoder) => decoder.struct('get header', 1, () => undefined),
      (object) => encodeHeaderReply(readHeader(object)),
    ),
    reset_user_stats: method(read | write, decodeTimeInput, resetStats),
    reset_user_stats2: method(read | write, decodeResetInput, resetStats2),
  },
};
