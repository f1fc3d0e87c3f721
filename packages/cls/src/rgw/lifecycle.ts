/** The methods lc_*: an omap value for each bucket that has lifecycle rules, and in the omap header how far a round is. */
import { type Bytes, Decoder, Errno, MalformedInput, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, decodeStored } from '../object-class.ts';
import {
  decodeLifecycleEntry,
  decodeLifecycleHead,
  decodeOldLifecycleEntry,
  encodeLifecycleEntry,
  encodeLifecycleEntryReply,
  encodeLifecycleHead,
  encodeLifecycleHeadInput,
  encodeLifecycleListReply,
  type LifecycleEntry,
  type LifecycleHead,
  type LifecycleListInput,
  NO_LIFECYCLE_ENTRY,
  NO_LIFECYCLE_HEAD,
} from './lifecycle-codec.ts';

export function setLifecycleEntry(object: MethodContext, entry: LifecycleEntry): void {
  object.omapSet(new Map([[entry.bucket, encodeLifecycleEntry(entry)]]));
}

export function removeLifecycleEntry(object: MethodContext, { bucket }: LifecycleEntry): void {
  object.omapRemove([bucket]);
}

/** ENOENT: it is not there. */
export function getLifecycleEntry(object: MethodContext, bucket: RawString): Bytes {
  const stored = object.omapGet(bucket);
  if (!stored) throw new ClassError(Errno.ENOENT);
  return encodeLifecycleEntryReply(decodeStored(stored, decodeLifecycleEntry), 1);
}

/** The entry behind a bucket's; with an empty name when there is none. */
export function getNextLifecycleEntry(object: MethodContext, marker: RawString): Bytes {
  const [value] = object.omapList({ after: marker, max: 1 }).entries.values();
  const entry = value ? decodeStored(value, decodeLifecycleEntry) : NO_LIFECYCLE_ENTRY;
  return encodeLifecycleEntryReply(entry, 2);
}

export function listLifecycle(object: MethodContext, { marker, max, version }: LifecycleListInput): Bytes {
  const page = object.omapList({ after: marker, max });
  const entries = [...page.entries.values()].map(decodeOldOrNew);
  return encodeLifecycleListReply({ entries, truncated: page.more }, version);
}

/** @throws ClassError EIO when it is neither */
function decodeOldOrNew(value: Bytes): LifecycleEntry {
  try {
    return decodeLifecycleEntry(new Decoder(value));
  } catch (error) {
    if (error instanceof MalformedInput) return decodeStored(value, decodeOldLifecycleEntry);
    throw error;
  }
}

export function putLifecycleHead(object: MethodContext, head: LifecycleHead): void {
  object.omapSetHeader(encodeLifecycleHead(head));
}

/** EINVAL: it does not parse. */
export function getLifecycleHead(object: MethodContext): Bytes {
  const stored = object.omapHeader();
  return encodeLifecycleHeadInput(stored.length === 0 ? NO_LIFECYCLE_HEAD : decodeLifecycleHead(new Decoder(stored)));
}
