/** Tags say what the entries of a journal are about, of each class the newest (cls/journal/cls_journal.cc, journal_tag_*). */
import { type Bytes, Errno, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, decodeStored } from '../object-class.ts';
import { encodeWith, entriesFrom, writeKey } from '../stored-key.ts';
import {
  ClientState,
  type CommitPosition,
  decodeClient,
  decodeTag,
  encodeTag,
  type JournalTag,
} from './journal-codec.ts';
import { CLIENT_PREFIX, requireKey, requireNumber, TAG_PREFIX, tagKey, writeNumber } from './journal-keys.ts';

/** TAG_CLASS_NEW. */
const NEW_CLASS = (1n << 64n) - 1n;

interface StoredTag {
  readonly key: RawString;
  readonly tag: JournalTag;
}

function* tagsOf(object: MethodContext): Generator<StoredTag> {
  for (const [key, value] of entriesFrom(object, TAG_PREFIX)) yield { key, tag: decodeStored(value, decodeTag) };
}

/** The least tag of the positions; undefined: there are none. */
function leastTag(positions: CommitPosition): bigint | undefined {
  return positions.reduce<bigint | undefined>(
    (least, { tagTid }) => (least === undefined || tagTid < least ? tagTid : least),
    undefined,
  );
}

/** Of each class the newest tag below `limit`, or the first behind it. */
function newestByClass(tags: Iterable<StoredTag>, limit: bigint): Map<bigint, bigint> {
  const newest = new Map<bigint, bigint>();
  for (const { tag } of tags) {
    newest.set(tag.tagClass, tag.tid);
    if (tag.tid >= limit) break;
  }
  return newest;
}

/** Removes tags that no client needs any more. @param except a client that does not count */
export function expireTags(object: MethodContext, except?: RawString): void {
  let limit: bigint | undefined;
  for (const [key, value] of entriesFrom(object, CLIENT_PREFIX, '')) {
    if (except !== undefined && key === CLIENT_PREFIX + except) continue;
    const { state, commitPosition } = decodeStored(value, decodeClient);
    if (state === ClientState.disconnected) continue;
    const least = leastTag(commitPosition);
    // It has not begun yet, and may need any.
    if (least === undefined) return;
    if (limit === undefined || least < limit) limit = least;
  }
  if (limit === undefined) return;
  const newest = newestByClass(checkedTags(object), limit);
  for (const { key, tag } of checkedTags(object)) {
    if (tag.tid < (newest.get(tag.tagClass) ?? 0n)) object.omapRemove([key]);
    if (tag.tid >= limit) return;
  }
}

/** @throws ClassError EINVAL: one is under the key of another */
function* checkedTags(object: MethodContext): Generator<StoredTag> {
  for (const stored of tagsOf(object)) {
    if (stored.key !== tagKey(stored.tag.tid)) throw new ClassError(Errno.EINVAL);
    yield stored;
  }
}

/** @throws ClassError ESTALE: another one is next */
export function tagCreate(object: MethodContext, { tid, tagClass: given, data }: JournalTag): void {
  if (object.omapGet(tagKey(tid)) !== undefined) throw new ClassError(Errno.EEXIST);
  if (tid !== requireNumber(object, 'next_tag_tid')) throw new ClassError(Errno.ESTALE);
  const nextClass = requireNumber(object, 'next_tag_class');
  if (given === NEW_CLASS) writeNumber(object, 'next_tag_class', nextClass + 1n);
  else if (given >= nextClass) throw new ClassError(Errno.EINVAL);
  const tagClass = given === NEW_CLASS ? nextClass : given;
  expireTags(object);
  writeNumber(object, 'next_tag_tid', tid + 1n);
  writeKey(object, tagKey(tid), (encoder) => encodeTag(encoder, { tid, tagClass, data }));
}

export interface TagListInput {
  /** 0: from the first one on. */
  readonly after: bigint;
  readonly max: bigint;
  readonly clientId: RawString;
  /** Undefined: of all classes. */
  readonly tagClass: bigint | undefined;
}

/** Those that the client may still need. */
export function tagList(object: MethodContext, { after, max, clientId, tagClass }: TagListInput): Bytes {
  const { commitPosition } = requireKey(object, CLIENT_PREFIX + clientId, decodeClient);
  const limit = leastTag(commitPosition);
  const newest = limit === undefined ? new Map<bigint, bigint>() : newestByClass(tagsOf(object), limit);
  const listed: JournalTag[] = [];
  for (const { tag } of tagsOf(object)) {
    if (after !== 0n && tag.tid <= after) continue;
    const isNeeded = tag.tid >= (newest.get(tag.tagClass) ?? 0n);
    if (isNeeded && (tagClass === undefined || tagClass === tag.tagClass)) listed.push(tag);
    // Looked at behind each tag only: who asks for none gets one.
    if (BigInt(listed.length) >= max) break;
  }
  return encodeWith((encoder) => encoder.list(listed, (tag) => encodeTag(encoder, tag)));
}
