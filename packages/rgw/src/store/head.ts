import { type Bytes, Decoder, EMPTY, Errno, type RawString, rawFromBytes, type UTime } from '@spirula/encoding';
import { decodeOpEntries } from '@spirula/messages';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import { type Compression, decodeCompression, NOT_COMPRESSED } from '../formats/compression.ts';
import { decoded } from '../formats/encoded.ts';
import { decodeManifest, type Manifest } from '../formats/manifest.ts';
import { Attr, attrText } from './object-attrs.ts';

/** A head object as it was at one moment (RGWObjState): what every operation on an object begins with. */
export interface Head {
  readonly attrs: ReadonlyMap<RawString, Bytes>;
  readonly mtime: UTime;
  /** Bytes of the whole object, as whoever reads it gets them. */
  readonly size: number;
  /** The same as they are stored, tail included: fewer, or a few more, when they are compressed. */
  readonly storedSize: number;
  /** Undefined: they are stored as they are. */
  readonly compression: Compression | undefined;
  /** Undefined: all bytes are in the head. */
  readonly manifest: Manifest | undefined;
  /** As many of the head's first bytes as were asked for. */
  readonly data: Bytes;
  /** The OSD's version of the head object. */
  readonly version: number;
}

/**
 * Undefined: there is no such object.
 *
 * @param prefetch bytes of data that are read along
 * @throws RadosError; MalformedInput when its manifest does not parse
 */
export async function readHead(io: IoCtx, oid: RawString, prefetch = 0): Promise<Head | undefined> {
  const operation = new ObjectOperation().getXattrs().stat();
  if (prefetch > 0) operation.read(0, prefetch);
  const reply = await io.submit(oid, operation);
  if (reply.result === Errno.ENOENT) return undefined;
  if (reply.result < 0) throw new RadosError(reply.result, oid);
  const [xattrs, stat, read] = reply.ops;
  const attrs = decodeOpEntries(new Decoder(xattrs!.output));
  const decoder = new Decoder(stat!.output);
  const headSize = decoder.u64('size');
  const mtime = { sec: decoder.u32('mtime'), nsec: decoder.u32('mtime') };
  const encodedManifest = attrs.get(Attr.manifest);
  const manifest = encodedManifest && decoded(decodeManifest, encodedManifest);
  const compression = compressionOf(attrs);
  const storedSize = manifest?.objectSize ?? headSize;
  return {
    attrs,
    mtime,
    size: compression?.originalSize ?? storedSize,
    storedSize,
    compression,
    manifest,
    data: read?.output ?? EMPTY,
    version: reply.userVersion,
  };
}

function compressionOf(attrs: Head['attrs']): Compression | undefined {
  const value = attrs.get(Attr.compression);
  const compression = value && decoded(decodeCompression, value);
  return compression?.type === NOT_COMPRESSED.type ? undefined : compression;
}

export function etagOf(head: Head): RawString {
  const value = head.attrs.get(Attr.etag);
  return value === undefined ? '' : attrText(value);
}

/** '' is the standard one. */
export function storageClassOf({ attrs }: Head): RawString {
  const value = attrs.get(Attr.storageClass);
  return value === undefined ? '' : attrText(value);
}

/** By what the garbage of an object is known: its tail's tag, of old its head's. */
export function garbageTag({ attrs }: Head): RawString {
  const tag = attrs.get(Attr.tailTag) ?? attrs.get(Attr.idTag);
  return tag === undefined ? '' : attrText(tag);
}

/** The same, as the references of data that several objects have are known by: with the zero byte that stands behind it. */
export function referenceTag({ attrs }: Head): RawString {
  return rawFromBytes(attrs.get(Attr.tailTag) ?? attrs.get(Attr.idTag) ?? EMPTY);
}

/** Whether it is of the time that the index says: radosgw leaves whole seconds of it when it changes which version is current. */
export function isOfTime({ mtime: { sec, nsec } }: Head, listed: UTime): boolean {
  return sec === listed.sec && (nsec === listed.nsec || nsec === 0);
}
