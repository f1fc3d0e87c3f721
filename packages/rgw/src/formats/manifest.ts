/**
 * Where the bytes of an object are (RGWObjManifest, rgw_obj_manifest.h): the xattr `user.rgw.manifest` of its head.
 *
 *   bytes     0 ........ headSize | ............................................. objectSize
 *   RADOS     head object         | stripes, named by the prefix, a part number and a stripe number
 *
 * Rules say how the tail is cut, each from its `startOffset` on. An object written at once has one rule, of one part without
 * end; one uploaded in parts has no head data, and a rule for each run of parts of one size. `manifest-stripes.ts` finds bytes.
 */
import { type Decoder, type Encoder, MalformedInput, type RawString } from '@spirula/encoding';
import { type Bucket, decodeBucket, encodeBucket, isSameBucket } from './bucket.ts';
import { type BucketObject, decodeBucketObject, encodeBucketObject } from './object.ts';
import { decodePlacementRule, encodePlacementRule, NO_PLACEMENT, type PlacementRule } from './placement-rule.ts';

/** RGWObjManifestRule. Offsets and sizes in bytes. */
export interface ManifestRule {
  /** 0: not uploaded in parts. */
  readonly startPart: number;
  readonly startOffset: number;
  /** Of each part; 0: one part, to the end. */
  readonly partSize: number;
  readonly stripeSize: number;
  /** Instead of the manifest's, where parts of several uploads make an object; '' otherwise. */
  readonly overridePrefix: RawString;
}

/** RGWObjManifestPart: bytes of an object listed one by one, as was done before rules. */
export interface ManifestPart {
  readonly object: BucketObject;
  /** Where in that object they begin. */
  readonly offset: number;
  readonly size: number;
}

export interface Manifest {
  readonly objectSize: number;
  /** Whether `parts` says where the bytes are, instead of `rules`. */
  readonly isExplicit: boolean;
  /** By offset in the object, ascending. */
  readonly parts: ReadonlyMap<number, ManifestPart>;
  /** The head. */
  readonly object: BucketObject;
  /** Bytes in the head: at most `maxHeadSize`. */
  readonly headSize: number;
  readonly maxHeadSize: number;
  readonly prefix: RawString;
  /** By `startOffset`, ascending, but that the first one is at 0. */
  readonly rules: ReadonlyMap<number, ManifestRule>;
  readonly headPlacement: PlacementRule;
  /** Where the tail is: elsewhere than the head when it was copied from another bucket without its bytes. */
  readonly tailBucket: Bucket;
  readonly tailInstance: RawString;
  readonly tailPlacement: PlacementRule;
}

/** Least bytes of a rule with its offset, and of a part with its offset. */
const RULE_BYTES = 8 + 6 + 4 + 8 + 8 + 8 + 4;
const PART_BYTES = 8 + 6 + 6 + 8 + 8;

function encodeRule(to: Encoder, rule: ManifestRule): void {
  to.struct(2, 1, () => {
    to.u32(rule.startPart);
    to.u64(rule.startOffset);
    to.u64(rule.partSize);
    to.u64(rule.stripeSize);
    to.rawString(rule.overridePrefix);
  });
}

function decodeRule(from: Decoder): ManifestRule {
  return from.struct('manifest rule', 2, (version) => ({
    startPart: from.u32('first part'),
    startOffset: from.u64('offset of the rule'),
    partSize: from.u64('part size'),
    stripeSize: from.u64('stripe size'),
    overridePrefix: version >= 2 ? from.rawString('prefix of the rule') : '',
  }));
}

function encodePart(to: Encoder, { object, offset, size }: ManifestPart): void {
  to.struct(2, 2, () => {
    encodeBucketObject(to, object);
    to.u64(offset);
    to.u64(size);
  });
}

function decodePart(from: Decoder): ManifestPart {
  return from.struct('manifest part', 2, () => ({
    object: decodeBucketObject(from),
    offset: from.u64('offset of the part'),
    size: from.u64('size of the part'),
  }));
}

export function encodeManifest(to: Encoder, manifest: Manifest): void {
  const { object, tailBucket, tailInstance } = manifest;
  to.struct(7, 6, () => {
    to.u64(manifest.objectSize);
    to.map(
      manifest.parts,
      (offset) => to.u64(offset),
      (part) => encodePart(to, part),
    );
    to.bool(manifest.isExplicit);
    encodeBucketObject(to, object);
    to.u64(manifest.headSize);
    to.u64(manifest.maxHeadSize);
    to.rawString(manifest.prefix);
    to.map(
      manifest.rules,
      (offset) => to.u64(offset),
      (rule) => encodeRule(to, rule),
    );
    to.optional(isSameBucket(tailBucket, object.bucket) ? undefined : tailBucket, (bucket) => encodeBucket(to, bucket));
    to.optional(tailInstance === object.key.instance ? undefined : tailInstance, (instance) => to.rawString(instance));
    encodePlacementRule(to, manifest.headPlacement);
    encodePlacementRule(to, manifest.tailPlacement);
  });
}

/** @throws MalformedInput */
export function decodeManifest(from: Decoder): Manifest {
  return from.struct('manifest', 7, (version) => {
    if (version < 3) from.fail('manifest', `of version ${version}, from before rules`);
    const objectSize = from.u64('object size');
    const stored = from.map(
      'manifest parts',
      PART_BYTES,
      () => from.u64('offset'),
      () => decodePart(from),
    );
    const isExplicit = from.bool('explicit');
    const object = decodeBucketObject(from);
    const headSize = from.u64('head size');
    const maxHeadSize = from.u64('max head size');
    const prefix = from.rawString('prefix');
    const rules = from.map(
      'manifest rules',
      RULE_BYTES,
      () => from.u64('offset'),
      () => decodeRule(from),
    );
    if (!isExplicit && objectSize > headSize && rules.size === 0) {
      throw new MalformedInput('manifest rules', from.offset, 'none for an object with a tail');
    }
    return {
      objectSize,
      isExplicit,
      parts: isExplicit ? withHead(stored, object, headSize) : stored,
      object,
      headSize,
      maxHeadSize,
      prefix,
      rules,
      ...decodeTail(from, version, object),
    };
  });
}

function decodeTail(from: Decoder, version: number, { bucket, key }: BucketObject) {
  const differs = (field: string) => version < 6 || from.bool(field);
  const tailBucket = version >= 4 && differs('tail bucket differs') ? decodeBucket(from) : bucket;
  const hasInstance = version >= 5 && differs('tail instance differs');
  const tailInstance = hasInstance ? from.rawString('tail instance') : key.instance;
  if (version < 7) return { tailBucket, tailInstance, headPlacement: NO_PLACEMENT, tailPlacement: NO_PLACEMENT };
  const headPlacement = decodePlacementRule(from);
  return { tailBucket, tailInstance, headPlacement, tailPlacement: decodePlacementRule(from) };
}

/** Objects copied before rules came name the head of their source as their own first part: theirs is meant. */
function withHead(parts: ReadonlyMap<number, ManifestPart>, object: BucketObject, headSize: number) {
  const first = parts.get(0);
  if (headSize === 0 || first === undefined || first.object.key.ns !== '') return parts;
  return new Map(parts).set(0, { ...first, object, size: headSize });
}
