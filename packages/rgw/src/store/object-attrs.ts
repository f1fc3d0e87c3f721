/** The xattrs of a head object (rgw_common.h, RGW_ATTR_*). */
import { type Bytes, bytesFromRaw, concatBytes, type RawString, rawFromBytes } from '@spirula/encoding';

export const Attr = {
  acl: 'user.rgw.acl',
  /** How the bytes are compressed. */
  compression: 'user.rgw.compression',
  etag: 'user.rgw.etag',
  contentType: 'user.rgw.content_type',
  /** When the object is to be removed. */
  deleteAt: 'user.rgw.delete_at',
  /** Another one with each write: who changes the object requires the one that he has seen. */
  idTag: 'user.rgw.idtag',
  /** Another one with each write of data: what garbage is known by. */
  tailTag: 'user.rgw.tail_tag',
  legalHold: 'user.rgw.object-legal-hold',
  manifest: 'user.rgw.manifest',
  pgVersion: 'user.rgw.pg_ver',
  retention: 'user.rgw.object-retention',
  sourceZone: 'user.rgw.source_zone',
  storageClass: 'user.rgw.storage_class',
  tags: 'user.rgw.x-amz-tagging',
} as const;

/** What users give of their own: `x-amz-meta-` and a name. */
export const USER_META_PREFIX = 'user.rgw.x-amz-meta-';
/** Xattrs that versions of an object share: they outlive its head. */
export const OLH_PREFIX = 'user.rgw.olh.';
export const OlhAttr = {
  /** Of the OLH, as the index knows it. */
  tag: `${OLH_PREFIX}idtag`,
  /** The epoch up to which the index's log has been followed, in decimal; empty before. */
  version: `${OLH_PREFIX}ver`,
  /** Which version is the current one. */
  info: `${OLH_PREFIX}info`,
} as const;
/** And the tag of a change that was begun. */
export const OLH_PENDING_PREFIX = `${OLH_PREFIX}pending.`;
/** Headers that are kept as they came, and the xattrs they are in (rgw_rest.cc, base_rgw_to_http_attrs). */
export const KEPT_HEADERS: readonly (readonly [header: string, attr: RawString])[] = [
  ['content-type', Attr.contentType],
  ['content-language', 'user.rgw.content_language'],
  ['expires', 'user.rgw.expires'],
  ['cache-control', 'user.rgw.cache_control'],
  ['content-disposition', 'user.rgw.content_disposition'],
  ['content-encoding', 'user.rgw.content_encoding'],
  ['x-amz-website-redirect-location', 'user.rgw.x-amz-website-redirect-location'],
];

const NUL = new Uint8Array(1);

/** A text with the zero byte that Ceph keeps behind some of its texts. */
export function textAttr(text: RawString): Bytes {
  return concatBytes([bytesFromRaw(text), NUL]);
}

/** The text of an xattr, up to a zero byte. */
export function attrText(value: Bytes): RawString {
  const text = rawFromBytes(value);
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}
