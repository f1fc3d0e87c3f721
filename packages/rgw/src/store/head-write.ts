/** How a head comes to be what a write makes it: the one operation by which an object changes, and what the index is told of it. */
import {
  type EntryMeta,
  encodeCheckXattrsInput,
  encodeRemoveObjectInput,
  encodeStorePgVersionInput,
  NO_META,
  ObjectCategory,
} from '@spirula/cls';
import { type Bytes, bytesFromRaw, EMPTY, type RawString, type UTime } from '@spirula/encoding';
import { ObjectOperation } from '@spirula/rados';
import { type Acl, encodeAcl } from '../formats/acl.ts';
import { encoded } from '../formats/encoded.ts';
import { encodeManifest, type Manifest } from '../formats/manifest.ts';
import type { ObjectKey } from '../formats/object.ts';
import { formatUserId } from '../formats/user-id.ts';
import { etagOf, garbageTag, type Head, storageClassOf } from './head.ts';
import { Attr, attrText, OLH_PENDING_PREFIX, OLH_PREFIX, textAttr } from './object-attrs.ts';

/** What becomes of a head. */
export interface HeadContent {
  readonly data: Bytes;
  readonly manifest: Manifest;
  readonly attrs: ReadonlyMap<RawString, Bytes>;
  readonly etag: RawString;
  readonly contentType: RawString;
  readonly acl: Acl;
  /** Bytes as they were sent, if they are stored otherwise. */
  readonly accountedSize?: number | undefined;
  /** Entries of the index that go when this object appears. */
  readonly replaces?: readonly ObjectKey[];
}

/** Whether nobody has written the object between the two looks; attributes may have changed. */
export function isSameWrite(before: Head, now: Head): boolean {
  return garbageTag(before) === garbageTag(now);
}

/** Fails when the head is not the one that was seen. */
export function requireHead(operation: ObjectOperation, { attrs }: Head): ObjectOperation {
  const tag = attrs.get(Attr.idTag);
  return tag === undefined ? operation.stat().requireXattr(Attr.idTag, EMPTY) : operation.requireXattr(Attr.idTag, tag);
}

/** Guards the rest: no object is in this head, and no change of its versions is under way. */
export function requireNoOther(operation: ObjectOperation): ObjectOperation {
  const input = encodeCheckXattrsInput({ prefix: OLH_PENDING_PREFIX, failIfExist: true });
  return operation.exec('rgw', 'obj_check_attrs_prefix', input).requireXattr(Attr.manifest, EMPTY);
}

/** Of a head that bears the versions of an object, what tells of these stays. */
export function removeHead(operation: ObjectOperation): void {
  operation.exec('rgw', 'obj_remove', encodeRemoveObjectInput([OLH_PREFIX]), 'write');
}

/** @param unchanged more xattrs of the head that was found that must be what they were */
export function headOperation(
  found: Head | undefined,
  content: HeadContent,
  tag: RawString,
  unchanged: readonly RawString[] = [],
): ObjectOperation {
  const operation = new ObjectOperation();
  if (found) {
    requireHead(operation, found);
    for (const name of unchanged) operation.requireXattr(name, found.attrs.get(name) ?? EMPTY);
    operation.create(false);
    removeHead(operation);
  } else {
    operation.create(true);
  }
  operation.writeFull(content.data);
  const attrs = new Map<RawString, Bytes>([
    [Attr.idTag, textAttr(tag)],
    [Attr.tailTag, textAttr(tag)],
    [Attr.manifest, encoded(encodeManifest, content.manifest)],
    [Attr.acl, encoded(encodeAcl, content.acl)],
    [Attr.sourceZone, new Uint8Array(4)],
    [Attr.etag, bytesFromRaw(content.etag)],
    ...storageClassAttr(content.manifest),
    ...content.attrs,
  ]);
  for (const [name, value] of attrs) operation.setXattr(name, value);
  return operation.exec('rgw', 'obj_store_pg_ver', encodeStorePgVersionInput(Attr.pgVersion), 'write');
}

/** Says which storage class it is, unless the bucket's own, to which nobody gave a name. */
export function storageClassAttr({ tailPlacement: { storageClass } }: Manifest): [RawString, Bytes][] {
  return storageClass === '' ? [] : [[Attr.storageClass, bytesFromRaw(storageClass)]];
}

export function entryMeta(content: HeadContent, mtime: UTime): EntryMeta {
  const { manifest, etag, contentType, acl, accountedSize = manifest.objectSize } = content;
  return {
    ...NO_META,
    category: ObjectCategory.main,
    size: BigInt(manifest.objectSize),
    accountedSize: BigInt(accountedSize),
    mtime,
    etag,
    contentType,
    storageClass: manifest.tailPlacement.storageClass,
    owner: formatUserId(acl.owner.id),
    ownerDisplayName: acl.owner.displayName,
  };
}

/** What the index should say of an object, by its head. */
export function entryMetaOf(head: Head, acl: Acl | undefined): EntryMeta {
  const contentType = head.attrs.get(Attr.contentType);
  return {
    ...NO_META,
    category: ObjectCategory.main,
    size: BigInt(head.storedSize),
    accountedSize: BigInt(head.size),
    mtime: head.mtime,
    etag: etagOf(head),
    contentType: contentType === undefined ? '' : attrText(contentType),
    storageClass: storageClassOf(head),
    owner: acl === undefined ? '' : formatUserId(acl.owner.id),
    ownerDisplayName: acl?.owner.displayName ?? '',
  };
}
