/** What the head object of an object says of its versions: which one is current, and which changes of that were begun. */
import { type Bytes, bytesFromRaw, type RawString, rawFromBytes, type UTime } from '@spirula/encoding';
import type { IoCtx, ObjectOperation } from '@spirula/rados';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { decoded, encoded } from '../formats/encoded.ts';
import type { ObjectKey } from '../formats/object.ts';
import { decodeOlhInfo, decodeOlhPending, encodeOlhPending } from '../formats/olh.ts';
import { garbageTag, type Head } from './head.ts';
import { Attr, OLH_PENDING_PREFIX, OlhAttr } from './object-attrs.ts';
import type { Stripes } from './stripes.ts';

/** OLH, object logical head: a head object that leads to the current one of an object's versions. */
export interface OlhState {
  readonly tag: RawString;
  /** The epoch up to which the index's log was followed. */
  readonly version: bigint;
  /** Undefined: nothing was linked yet, and what data there is is the object. */
  readonly target: OlhTarget | undefined;
  /** Tags of changes that were begun, and when. */
  readonly pending: ReadonlyMap<RawString, UTime>;
}

export interface OlhTarget {
  /** Of the version that has no instance: ''. */
  readonly key: ObjectKey;
  readonly isDeleteMarker: boolean;
}

/** Undefined: there are no versions of the object. @throws MalformedInput */
export function olhOf({ attrs }: Head): OlhState | undefined {
  const tag = attrs.get(OlhAttr.tag);
  if (tag === undefined) return undefined;
  const pending = new Map<RawString, UTime>();
  for (const [name, value] of attrs) {
    if (name.startsWith(OLH_PENDING_PREFIX)) {
      pending.set(name.slice(OLH_PENDING_PREFIX.length), decoded(decodeOlhPending, value));
    }
  }
  const encodedInfo = attrs.get(OlhAttr.info);
  const info = encodedInfo && decoded(decodeOlhInfo, encodedInfo);
  const target = info && { key: info.target.key, isDeleteMarker: info.removed };
  return { tag: rawFromBytes(tag), version: versionOf(attrs.get(OlhAttr.version)), target, pending };
}

function versionOf(value: Bytes | undefined): bigint {
  const [digits] = /^\d+/.exec(value ? rawFromBytes(value) : '') ?? [];
  return BigInt(digits ?? 0);
}

/** Whether an object is here, beside what tells of versions: the one from before them, or from when they were suspended. */
export function hasObject(head: Head): boolean {
  return head.attrs.has(Attr.manifest) || olhOf(head) === undefined;
}

/** The xattrs of a change that begins; with those of a new OLH, unless there is one. */
export function begunAttrs(opTag: RawString, now: UTime, olhTag: RawString, isNew: boolean): Map<RawString, Bytes> {
  const attrs = new Map([[OLH_PENDING_PREFIX + opTag, encoded(encodeOlhPending, now)]]);
  if (isNew) {
    attrs.set(OlhAttr.tag, bytesFromRaw(olhTag));
    attrs.set(OlhAttr.version, new Uint8Array(0));
  }
  return attrs;
}

/** Guards the rest: the OLH is the one that was seen. */
export function requireOlh(operation: ObjectOperation, tag: RawString): ObjectOperation {
  return operation.requireXattr(OlhAttr.tag, bytesFromRaw(tag));
}

/** The change that a write of version null began is still under way: its tag is the write's. */
export function isUnlinked(head: Head, { pending }: OlhState): boolean {
  return hasObject(head) && pending.has(garbageTag(head));
}

/** Where the head object of a name is. */
export function placeOfOlh(
  stripes: Stripes,
  bucket: BucketInfo,
  name: RawString,
): { readonly io: IoCtx; readonly oid: RawString } {
  return stripes.place({ bucket: bucket.bucket, key: { name, instance: '', ns: '' } }, bucket);
}
