/**
 * The usage log: each entry twice in the omap, so that it is found by time and by user.
 *
 *   EPOCH_USER_BUCKET      (epoch of eleven digits)
 *   USER_EPOCH_BUCKET
 */
import { type Bytes, Decoder, Errno, MalformedInput, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError } from '../object-class.ts';
import {
  type BucketUsage,
  decodeUsageEntry,
  encodeReadUsageReply,
  encodeUsageEntry,
  isNobody,
  NO_USAGE,
  type ReadUsageInput,
  type Usage,
  type UsageEntry,
  type UsageRange,
} from './usage-codec.ts';

const MAX_ENTRIES = 1000;
const EPOCH_DIGITS = 11;

function byTime({ epoch, bucket }: UsageEntry, user: RawString): RawString {
  return `${epochText(epoch)}_${user}_${bucket}`;
}

function byUser({ epoch, bucket }: UsageEntry, user: RawString): RawString {
  return `${user}_${epochText(epoch)}_${bucket}`;
}

function epochText(epoch: bigint): RawString {
  return String(epoch).padStart(EPOCH_DIGITS, '0');
}

function payerOf({ owner, payer }: UsageEntry): RawString {
  return isNobody(payer) ? owner : payer;
}

function add(a: Usage, b: Usage): Usage {
  const sum = (x: bigint, y: bigint) => BigInt.asUintN(64, x + y);
  return {
    bytesSent: sum(a.bytesSent, b.bytesSent),
    bytesReceived: sum(a.bytesReceived, b.bytesReceived),
    ops: sum(a.ops, b.ops),
    successfulOps: sum(a.successfulOps, b.successfulOps),
  };
}

/** An entry with the categories of another; one that is nobody's becomes of who that is. */
function aggregated(entry: UsageEntry, other: UsageEntry): UsageEntry {
  const { owner, payer, bucket, epoch } = isNobody(entry.owner) ? other : entry;
  let { total } = entry;
  const byCategory = new Map(entry.byCategory);
  for (const [category, usage] of other.byCategory) {
    byCategory.set(category, add(byCategory.get(category) ?? NO_USAGE, usage));
    total = add(total, usage);
  }
  const sorted = new Map([...byCategory].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { owner, payer, bucket, epoch, total, byCategory: sorted };
}

/** @throws ClassError EINVAL when it does not parse */
function decodeStoredUsage(value: Bytes): UsageEntry {
  try {
    return decodeUsageEntry(new Decoder(value));
  } catch (error) {
    throw error instanceof MalformedInput ? new ClassError(Errno.EINVAL) : error;
  }
}

export function addUsage(object: MethodContext, entries: readonly UsageEntry[]): void {
  for (const given of entries) {
    const user = payerOf(given);
    const timeKey = byTime(given, user);
    const stored = object.omapGet(timeKey);
    const entry = stored ? aggregated(given, decodeStoredUsage(stored)) : given;
    const value = encodeUsageEntry(entry);
    object.omapSet(new Map([[timeKey, value]]));
    // An entry without an owner has taken that of the stored one.
    const owner = isNobody(given.payer) ? entry.owner : entry.payer;
    object.omapSet(new Map([[byUser(entry, owner), value]]));
  }
}

/** Whether more follow, and behind which key. */
interface Visited {
  readonly truncated: boolean;
  readonly last: RawString;
}

/** Visits up to `max` entries of a range, by user if one is named, else by time (usage_iterate_range). */
function visit(
  object: MethodContext,
  { start, end, user, bucket }: UsageRange,
  marker: RawString,
  max: number,
  visitor: (entry: UsageEntry) => void,
): Visited {
  const first = user === '' ? epochText(start) : `${user}_${epochText(start)}_`;
  const isPast = (key: RawString) => (user === '' ? key >= epochText(end) : !key.startsWith(`${user}_`));
  const page = object.omapList({ after: marker === '' ? first : marker, max });
  let last = marker;
  for (const [key, value] of page.entries) {
    last = key;
    if (isPast(key)) return { truncated: false, last };
    const entry = decodeStoredUsage(value);
    if ((bucket !== '' && bucket !== entry.bucket) || entry.epoch < start) continue;
    if (entry.epoch >= end) return { truncated: false, last };
    visitor(entry);
  }
  return { truncated: page.more, last };
}

export function readUsage(object: MethodContext, input: ReadUsageInput): Bytes {
  const found = new Map<string, BucketUsage>();
  const { truncated, last } = visit(object, input, input.marker, input.max === 0 ? MAX_ENTRIES : input.max, (entry) => {
    const user = payerOf(entry);
    // Neither has a NUL, and it is less than all else: the order of these keys is that of the pairs.
    const at = `${user}\0${entry.bucket}`;
    const before = found.get(at)?.usage ?? NO_ENTRY;
    found.set(at, { user, bucket: entry.bucket, usage: aggregated(before, entry) });
  });
  const usage = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
  return encodeReadUsageReply({ usage, truncated, next: truncated ? last : '' });
}

const NO_ENTRY: UsageEntry = { owner: '', payer: '', bucket: '', epoch: 0n, total: NO_USAGE, byCategory: new Map() };

/** Removes up to 1000 entries. ENODATA: there is none (any more). ENOENT: there is no object. */
export function trimUsage(object: MethodContext, range: UsageRange): void {
  object.stat();
  let found = false;
  const { truncated } = visit(object, range, '', MAX_ENTRIES, (entry) => {
    found = true;
    // 16.2.15 takes the owner for who is in the key, whoever pays.
    object.omapRemove([byTime(entry, entry.owner)]);
    object.omapRemove([byUser(entry, entry.owner)]);
  });
  if (!truncated && !found) throw new ClassError(Errno.ENODATA);
}

export function clearUsage(object: MethodContext): void {
  try {
    object.omapClear();
  } catch (error) {
    if (!(error instanceof ClassError && error.code === Errno.ENOENT)) throw error;
  }
}
