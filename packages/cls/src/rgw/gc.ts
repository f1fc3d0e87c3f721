/**
 * Garbage collection by omap, as before the class `rgw_gc`: each entry twice, so that it is found by tag and by time.
 *
 *   0_TAG
 *   1_SECONDS.NANOSECONDS     (of eleven and of nine digits)
 */
import { type Bytes, Errno, type RawString, type UTime } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, decodeStored } from '../object-class.ts';
import {
  decodeGcEntry,
  encodeGcEntry,
  encodeGcListReply,
  type GcDeferInput,
  type GcEntry,
  type GcListInput,
  type GcSetInput,
} from './gc-codec.ts';

const TAG_PREFIX: RawString = '0_';
const TIME_PREFIX: RawString = '1_';
const DEFAULT_MAX = 128;

function timeKey({ sec, nsec }: UTime): RawString {
  return `${TIME_PREFIX}${String(sec).padStart(11, '0')}.${String(nsec).padStart(9, '0')}`;
}

/** @throws ClassError EIO when it does not parse */
function readByTag(object: MethodContext, tag: RawString): GcEntry | undefined {
  const stored = object.omapGet(TAG_PREFIX + tag);
  return stored && decodeStored(stored, decodeGcEntry);
}

/** Replaces what has the same tag. */
export function setGcEntry(object: MethodContext, { expirationSec, entry }: GcSetInput): void {
  const before = readByTagIf(object, entry.tag);
  if (before) object.omapRemove([timeKey(before.time)]);
  const { sec, nsec } = object.now();
  const time = { sec: (sec + expirationSec) >>> 0, nsec };
  const value = encodeGcEntry({ ...entry, time });
  object.omapSet(new Map([[TAG_PREFIX + entry.tag, value]]));
  object.omapSet(new Map([[timeKey({ sec: sec + expirationSec, nsec }), value]]));
}

/** One that does not parse is replaced like none. */
function readByTagIf(object: MethodContext, tag: RawString): GcEntry | undefined {
  try {
    return readByTag(object, tag);
  } catch (error) {
    if (error instanceof ClassError) return undefined;
    throw error;
  }
}

/** ENOENT: there is none of this tag. */
export function deferGcEntry(object: MethodContext, { expirationSec, tag }: GcDeferInput): void {
  const entry = readByTag(object, tag);
  if (!entry) throw new ClassError(Errno.ENOENT);
  setGcEntry(object, { expirationSec, entry });
}

export function listGc(object: MethodContext, { marker, max, expiredOnly }: GcListInput): Bytes {
  const end = expiredOnly ? timeKey(object.now()) : undefined;
  const page = object.omapList({ after: marker === '' ? TIME_PREFIX : marker, max: max === 0 ? DEFAULT_MAX : max });
  const entries: GcEntry[] = [];
  let last: RawString = '';
  for (const [key, value] of page.entries) {
    if ((end !== undefined && key >= end) || !key.startsWith(TIME_PREFIX)) {
      return encodeGcListReply({ entries, next: '', truncated: false });
    }
    entries.push(decodeStored(value, decodeGcEntry));
    last = key;
  }
  return encodeGcListReply({ entries, next: page.more ? last : '', truncated: page.more });
}

/** Those that are not there are passed over. */
export function removeGcEntries(object: MethodContext, tags: readonly RawString[]): void {
  for (const tag of tags) {
    const entry = readByTag(object, tag);
    if (!entry) continue;
    object.omapRemove([timeKey(entry.time)]);
    object.omapRemove([TAG_PREFIX + tag]);
  }
}
