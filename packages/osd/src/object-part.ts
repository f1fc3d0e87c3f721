/** An object in parts, as it travels in recovery: reading them from a store and putting them together in another. */
import { type Bytes, concatBytes, EMPTY, type EVersion, type RawString } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import type { ObjectPart, PartCursor } from '@spirula/messages';
import {
  type Cid,
  type Extent,
  type Extents,
  type ObjectStore,
  type TransactionOp,
  UnreadableObject,
} from '@spirula/objectstore';
import { tempOid } from './object-id.ts';
import { decodeObjectInfo, OBJECT_INFO_ATTR, type ObjectInfo } from './object-info.ts';

/** Entries of omap in one part, at most. */
const OMAP_ENTRIES = 1024;

/** A request asks more than once. */
let lastRead: { readonly encoded: Bytes; readonly info: ObjectInfo } | undefined;

/** What the store says of an object; undefined: it does not exist. */
export function readObjectInfo(store: ObjectStore, cid: Cid, oid: HObject): ObjectInfo | undefined {
  const encoded = store.getAttr(cid, oid, OBJECT_INFO_ATTR);
  if (encoded === undefined) return undefined;
  if (lastRead?.encoded !== encoded) lastRead = { encoded, info: decodeObjectInfo(encoded) };
  return lastRead.info;
}

/**
 * The part that begins at `from`, and where the next one does. Undefined when the object is not there in this version.
 *
 * @param maxBytes of omap and data together, though one entry of omap always fits: positive
 * @throws UnreadableObject
 */
export function readObjectPart(
  store: ObjectStore,
  cid: Cid,
  oid: HObject,
  version: EVersion,
  from: PartCursor | undefined,
  maxBytes: number,
): { readonly part: ObjectPart; readonly next: PartCursor } | undefined {
  const info = readObjectInfo(store, cid, oid);
  if (!info || info.version.version !== version.version || info.version.epoch !== version.epoch) return undefined;
  const first = from === undefined;
  const omap = new Map<RawString, Uint8Array>();
  let omapAfter: RawString | undefined = first ? '' : from.omapAfter;
  let room = maxBytes;
  if (omapAfter !== undefined) {
    const entries = store.omapList(cid, oid, first ? '' : `${omapAfter}\0`, OMAP_ENTRIES);
    for (const [key, value] of entries) {
      const bytes = key.length + value.length;
      if (omap.size > 0 && bytes > room) break;
      omap.set(key, value);
      omapAfter = key;
      room = Math.max(0, room - bytes);
    }
    if (omap.size === entries.size && entries.size < OMAP_ENTRIES) omapAfter = undefined;
  }
  const offset = from?.offset ?? 0;
  const stored = store.stat(cid, oid)?.size ?? 0;
  if (stored < info.size) throw new UnreadableObject(`${oid.name} ends before its size of ${info.size} bytes`);
  const { extents, end } = firstOf(store.extents(cid, oid, offset, info.size - offset), room, info.size);
  const pieces = extents.map((extent) => store.read(cid, oid, extent.offset, extent.length));
  const next = { offset: room > 0 ? end : offset, omapAfter };
  const part: ObjectPart = {
    oid,
    version,
    size: info.size,
    extents,
    data: concatBytes(pieces),
    attrs: first ? store.getAttrs(cid, oid) : new Map(),
    omapHeader: first ? store.omapHeader(cid, oid) : EMPTY,
    omap,
    first,
    last: next.offset >= info.size && omapAfter === undefined,
  };
  return { part, next };
}

/** The first extents, `room` bytes of them at most, and where what follows begins: at the next one, or at the end. */
function firstOf(all: Extents, room: number, size: number): { readonly extents: Extents; readonly end: number } {
  const extents: Extent[] = [];
  let left = room;
  for (const { offset, length } of all) {
    if (left === 0) return { extents, end: offset };
    const taken = Math.min(length, left);
    extents.push({ offset, length: taken });
    left -= taken;
    if (taken < length) return { extents, end: offset + taken };
  }
  return { extents, end: size };
}

/**
 * Adds to `transaction` what takes a part in. Several parts gather in a temporary object, which replaces the real one with
 * the last.
 */
export function writeObjectPart(cid: Cid, part: ObjectPart, transaction: TransactionOp[]): void {
  const { oid } = part;
  const whole = part.first && part.last;
  const into = whole ? oid : tempOid(oid);
  if (part.first) {
    transaction.push({ op: 'remove', cid, oid: into }, { op: 'touch', cid, oid: into });
    transaction.push({ op: 'setAttrs', cid, oid: into, attrs: part.attrs });
    if (part.omapHeader.length > 0) transaction.push({ op: 'omapSetHeader', cid, oid: into, header: part.omapHeader });
  }
  let at = 0;
  for (const { offset, length } of part.extents) {
    transaction.push({ op: 'write', cid, oid: into, offset, data: part.data.subarray(at, at + length) });
    at += length;
  }
  if (part.omap.size > 0) transaction.push({ op: 'omapSet', cid, oid: into, entries: part.omap });
  if (part.last) transaction.push({ op: 'truncate', cid, oid: into, size: part.size });
  if (part.last && !whole) transaction.push({ op: 'clone', cid, oid: into, to: oid }, { op: 'remove', cid, oid: into });
}
