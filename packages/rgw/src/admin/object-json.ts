/** An object as `object stat` prints it (rgw_admin.cc; RGWObjManifest::dump, rgw_obj_manifest.cc). */
import { type Bytes, Decoder, decodeUTime, type RawString, textFromRaw } from '@spirula/encoding';
import { decodeAcl } from '../formats/acl.ts';
import type { Bucket } from '../formats/bucket.ts';
import { decodeCompression } from '../formats/compression.ts';
import { decoded } from '../formats/encoded.ts';
import type { Manifest, ManifestPart, ManifestRule } from '../formats/manifest.ts';
import { tailObject } from '../formats/manifest-stripes.ts';
import type { BucketObject } from '../formats/object.ts';
import { formatPlacementRule, type PlacementRule } from '../formats/placement-rule.ts';
import type { Head } from '../store/head.ts';
import { Attr, attrText } from '../store/object-attrs.ts';
import { aclNode } from './acl-document.ts';
import { RawName } from './json-text.ts';
import { timeText } from './user-json.ts';

const COMPRESSION = 'user.rgw.compression';
/** Attributes that are told as what they are, in the order of their names. */
const KNOWN: ReadonlyMap<RawString, readonly [name: string, tell: (value: Bytes) => unknown]> = new Map([
  [Attr.acl, ['policy', (value) => aclNode(decoded(decodeAcl, value))]],
  [COMPRESSION, ['compression', compressionJson]],
  [Attr.deleteAt, ['delete_at', (value) => timeText(decodeUTime(new Decoder(value), 'delete at'))]],
  [Attr.etag, ['etag', textJson]],
  [Attr.idTag, ['tag', textJson]],
]);

export function objectJson(name: RawString, head: Head) {
  const sorted = [...head.attrs].sort(([a], [b]) => (a < b ? -1 : 1));
  const told: [string, unknown][] = [];
  const others: [string, unknown][] = [];
  for (const [attr, value] of sorted) {
    const known = KNOWN.get(attr);
    if (attr === Attr.manifest && head.manifest) told.push(['manifest', manifestJson(head.manifest)]);
    else if (known) told.push([known[0], known[1](value)]);
    else others.push([textFromRaw(attr), textJson(value)]);
  }
  return {
    name: new RawName(name),
    size: head.storedSize,
    ...Object.fromEntries(told),
    attrs: Object.fromEntries(others),
  };
}

/** Up to a zero byte. */
function textJson(value: Bytes): RawName {
  return new RawName(attrText(value));
}

function compressionJson(value: Bytes) {
  const { type, originalSize, blocks } = decoded(decodeCompression, value);
  return {
    compression_type: type,
    orig_size: originalSize,
    blocks: blocks.map(({ offset, storedOffset, storedLength }) => ({
      old_ofs: offset,
      new_ofs: storedOffset,
      len: storedLength,
    })),
  };
}

export function bucketJson({ name, marker, bucketId, tenant, explicitPlacement }: Bucket) {
  const pool = (which: 'data' | 'dataExtra' | 'index') => textFromRaw(explicitPlacement?.[which].name ?? '');
  return {
    name: textFromRaw(name),
    marker: textFromRaw(marker),
    bucket_id: textFromRaw(bucketId),
    tenant: textFromRaw(tenant),
    explicit_placement: { data_pool: pool('data'), data_extra_pool: pool('dataExtra'), index_pool: pool('index') },
  };
}

function manifestJson(manifest: Manifest) {
  return {
    objs: [...manifest.parts].map(([key, part]) => ({ key, val: partJson(part) })),
    obj_size: manifest.objectSize,
    explicit_objs: String(manifest.isExplicit),
    head_size: manifest.headSize,
    max_head_size: manifest.maxHeadSize,
    prefix: new RawName(manifest.prefix),
    rules: [...manifest.rules].map(([key, rule]) => ({ key, val: ruleJson(rule) })),
    tail_instance: textFromRaw(manifest.tailInstance),
    tail_placement: {
      bucket: bucketJson(manifest.tailBucket),
      placement_rule: textFromRaw(formatPlacementRule(manifest.tailPlacement)),
    },
    begin_iter: placeJson(manifest, 0),
    end_iter: placeJson(manifest, manifest.objectSize),
  };
}

function partJson({ object, offset, size }: ManifestPart) {
  return { loc: objectKeyJson(object), loc_ofs: offset, size };
}

function ruleJson({ startPart, startOffset, partSize, stripeSize, overridePrefix }: ManifestRule) {
  return {
    start_part_num: startPart,
    start_ofs: startOffset,
    part_size: partSize,
    stripe_max_size: stripeSize,
    override_prefix: textFromRaw(overridePrefix),
  };
}

function objectKeyJson({ bucket, key }: BucketObject) {
  return {
    bucket: bucketJson(bucket),
    key: { name: new RawName(key.name), instance: textFromRaw(key.instance), ns: textFromRaw(key.ns) },
  };
}

interface Place {
  readonly partOffset: number;
  readonly stripeOffset: number;
  readonly stripeSize: number;
  readonly part: number;
  readonly stripe: number;
  readonly overridePrefix: RawString;
}

const NO_PLACE: Place = {
  partOffset: 0,
  stripeOffset: 0,
  stripeSize: 0,
  part: 0,
  stripe: 0,
  overridePrefix: '',
};

/** Where a byte is, also the one behind the last (RGWObjManifest::obj_iterator::seek). */
function placeJson(manifest: Manifest, at: number) {
  const place = findPlace(manifest, at);
  const isHead = place.part === 0 && at < manifest.maxHeadSize;
  const object = isHead ? manifest.object : tailObject(manifest, place.part, place.stripe, place.overridePrefix);
  return {
    part_ofs: place.partOffset,
    stripe_ofs: place.stripeOffset,
    ofs: at,
    stripe_size: place.stripeSize,
    cur_part_id: place.part,
    cur_stripe: place.stripe,
    cur_override_prefix: textFromRaw(place.overridePrefix),
    location: locationJson(object, isHead ? manifest.headPlacement : manifest.tailPlacement),
  };
}

function locationJson(object: BucketObject, placement: PlacementRule) {
  return {
    placement_rule: textFromRaw(formatPlacementRule(placement)),
    obj: objectKeyJson(object),
    raw_obj: { pool: '', oid: '', loc: '' },
    is_raw: false,
  };
}

function findPlace(manifest: Manifest, at: number): Place {
  const { headSize, objectSize, rules } = manifest;
  const ordered = [...rules.values()];
  const [first] = ordered;
  if (!first) return NO_PLACE;
  if (at < headSize) {
    return { ...NO_PLACE, stripeSize: headSize, part: first.startPart, overridePrefix: first.overridePrefix };
  }
  let rule = first;
  for (const [offset, each] of rules) if (offset <= at) rule = each;
  const { startPart, startOffset, partSize, stripeSize } = rule;
  const part = partSize > 0 ? startPart + Math.floor((at - startOffset) / partSize) : startPart;
  const partOffset = startOffset + (part - startPart) * partSize;
  // Of a byte of the head, the stripe before the first.
  const number = stripeSize > 0 ? Math.floor((at - partOffset) / stripeSize) : 0;
  const stripeOffset = partOffset + number * stripeSize;
  const end = stripeOffset + stripeSize;
  const length = (partSize === 0 ? Math.min(objectSize, end) : Math.min(end, partOffset + partSize)) - stripeOffset;
  const isBehindHead = stripeSize > 0 && part === 0 && headSize > 0;
  return {
    partOffset,
    stripeOffset,
    stripeSize: length,
    part,
    stripe: isBehindHead ? number + 1 : number,
    overridePrefix: rule.overridePrefix,
  };
}
