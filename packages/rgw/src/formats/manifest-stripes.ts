/** Finds the bytes of an object by its manifest, and makes manifests (RGWObjManifest's iterator, generator, append). */
import { MalformedInput, type RawString } from '@spirula/encoding';
import type { Bucket } from './bucket.ts';
import type { Manifest, ManifestPart, ManifestRule } from './manifest.ts';
import type { BucketObject } from './object.ts';
import type { PlacementRule } from './placement-rule.ts';

/** Bytes of an object that lie together in one RADOS object. */
export interface Stripe {
  /** Where in the object they begin, and how many they are. */
  readonly start: number;
  readonly length: number;
  /** `store/layout.ts` has the RADOS name of this. */
  readonly object: BucketObject;
  /** Where in that RADOS object they begin. */
  readonly offset: number;
  readonly placement: PlacementRule;
}

/** Namespaces of tails: the first stripe of a part, and any other stripe. */
const MULTIPART = 'multipart';
const SHADOW = 'shadow';

/**
 * The stripes that hold bytes `from` up to `to` (exclusive) of the object, in order, cut to these bytes. What is beyond the
 * end of the object is not there.
 *
 * @throws MalformedInput when the manifest does not say where bytes of the object are
 */
export function* stripesOf(manifest: Manifest, from = 0, to = manifest.objectSize): Generator<Stripe> {
  const end = Math.min(to, manifest.objectSize);
  for (let at = from; at < end; ) {
    const stripe = findStripe(manifest, at);
    const skipped = at - stripe.start;
    const length = Math.min(stripe.length - skipped, end - at);
    if (length <= 0) throw new MalformedInput('manifest', at, 'no bytes here');
    yield { ...stripe, start: at, length, offset: stripe.offset + skipped };
    at += length;
  }
}

/** The whole stripe that holds a byte of the object (obj_iterator::seek). */
function findStripe(manifest: Manifest, at: number): Stripe {
  const { headSize, object, objectSize } = manifest;
  if (manifest.isExplicit) return findPart(manifest, at);
  if (at < headSize) return { start: 0, length: headSize, object, offset: 0, placement: manifest.headPlacement };
  const rule = floorOf(manifest.rules, at);
  if (!rule || rule.stripeSize === 0) throw new MalformedInput('manifest', at, 'no rule for these bytes');

  const { startPart, startOffset, partSize, stripeSize, overridePrefix } = rule;
  const part = partSize > 0 ? startPart + Math.floor((at - startOffset) / partSize) : startPart;
  const partStart = startOffset + (part - startPart) * partSize;
  const number = Math.floor((at - partStart) / stripeSize);
  const start = partStart + number * stripeSize;
  const end = partSize > 0 ? Math.min(start + stripeSize, partStart + partSize) : start + stripeSize;
  return {
    start,
    length: Math.min(end, objectSize) - start,
    // The head is stripe 0 of an object that was not uploaded in parts.
    object: tailObject(manifest, part, part === 0 && headSize > 0 ? number + 1 : number, overridePrefix),
    offset: 0,
    placement: manifest.tailPlacement,
  };
}

function findPart(manifest: Manifest, at: number): Stripe {
  let start = 0;
  let part: ManifestPart | undefined;
  for (const [offset, each] of manifest.parts) {
    if (offset > at) break;
    start = offset;
    part = each;
  }
  if (!part || at >= start + part.size) throw new MalformedInput('manifest', at, 'no part with these bytes');
  return { start, length: part.size, object: part.object, offset: part.offset, placement: manifest.tailPlacement };
}

/** The RADOS object of a stripe (get_implicit_location). `part` 0: not uploaded in parts. */
export function tailObject(
  { prefix, tailBucket, tailInstance }: Pick<Manifest, 'prefix' | 'tailBucket' | 'tailInstance'>,
  part: number,
  stripe: number,
  overridePrefix: RawString = '',
): BucketObject {
  const begin = overridePrefix === '' ? prefix : overridePrefix;
  const key = (name: RawString, ns: string): BucketObject => ({
    bucket: tailBucket,
    key: { name, instance: tailInstance, ns },
  });
  if (part === 0) return key(`${begin}${stripe}`, SHADOW);
  return stripe === 0 ? key(`${begin}.${part}`, MULTIPART) : key(`${begin}.${part}_${stripe}`, SHADOW);
}

function floorOf(rules: ReadonlyMap<number, ManifestRule>, at: number): ManifestRule | undefined {
  let found: ManifestRule | undefined;
  for (const [offset, rule] of rules) {
    if (found && offset > at) break;
    found = rule;
  }
  return found;
}

export interface NewManifest {
  readonly object: BucketObject;
  readonly objectSize: number;
  /** Unlike that of any other write: what tails are named by. */
  readonly prefix: RawString;
  readonly stripeSize: number;
  readonly headPlacement: PlacementRule;
  /** Where the tail is, if not with the head. */
  readonly tailBucket?: Bucket;
  readonly tailPlacement?: PlacementRule;
}

/** Of an object written at once: up to `maxHeadSize` bytes in the head, the rest in stripes (set_trivial_rule). */
export function wholeManifest(given: NewManifest, maxHeadSize: number): Manifest {
  const rule = {
    startPart: 0,
    startOffset: maxHeadSize,
    partSize: 0,
    stripeSize: given.stripeSize,
    overridePrefix: '',
  };
  return newManifest(given, rule, maxHeadSize);
}

/** Of one part of an upload: all of it in stripes (set_multipart_part_rule). Numbers begin at 1. */
export function partManifest(given: NewManifest, part: number): Manifest {
  const rule = { startPart: part, startOffset: 0, partSize: 0, stripeSize: given.stripeSize, overridePrefix: '' };
  return newManifest(given, rule, 0);
}

function newManifest(given: NewManifest, rule: ManifestRule, maxHeadSize: number): Manifest {
  const { object, objectSize, prefix, headPlacement, tailBucket, tailPlacement } = given;
  return {
    objectSize,
    isExplicit: false,
    parts: new Map(),
    object,
    headSize: Math.min(objectSize, maxHeadSize),
    maxHeadSize,
    prefix,
    rules: new Map([[0, rule]]),
    headPlacement,
    tailBucket: tailBucket ?? object.bucket,
    tailInstance: object.key.instance,
    tailPlacement: tailPlacement ?? headPlacement,
  };
}

/**
 * Of an object whose bytes are those of `a`, then those of `b`: how the parts of an upload become one (append). A part of the
 * same size that follows in number needs no rule of its own. `a` of no rules is replaced by `b`.
 */
export function appendManifest(a: Manifest, b: Manifest): Manifest {
  if (a.isExplicit || b.isExplicit) return appendParts(a, b);
  if (a.rules.size === 0) return b;
  const prefix = a.prefix === '' ? b.prefix : a.prefix;
  const rules = new Map(a.rules);
  const added = [...b.rules.values()];
  for (const [i, theirs] of added.entries()) {
    const [offset, last] = [...rules].at(-1)!;
    const rule = last.partSize === 0 ? { ...last, partSize: a.objectSize - last.startOffset } : last;
    rules.set(offset, rule);
    const next = theirs.partSize === 0 ? { ...theirs, partSize: b.objectSize - theirs.startOffset } : theirs;
    const nextPrefix = next.overridePrefix === '' ? b.prefix : next.overridePrefix;
    const isLike =
      rule.partSize === next.partSize &&
      rule.stripeSize === next.stripeSize &&
      (rule.overridePrefix === '' ? prefix : rule.overridePrefix) === nextPrefix;
    if (isLike && isNextPart(rule, next, a.objectSize)) continue;
    for (const each of [next, ...added.slice(i + 1)]) {
      const startOffset = each.startOffset + a.objectSize;
      const eachPrefix = each.overridePrefix === '' ? b.prefix : each.overridePrefix;
      rules.set(startOffset, { ...each, startOffset, overridePrefix: eachPrefix === prefix ? '' : eachPrefix });
    }
    break;
  }
  return { ...a, prefix, rules, objectSize: a.objectSize + b.objectSize };
}

function isNextPart(rule: ManifestRule, next: ManifestRule, objectSize: number): boolean {
  const parts = rule.partSize > 0 ? Math.floor((objectSize + next.startOffset - rule.startOffset) / rule.partSize) : 1;
  return rule.startPart + parts === next.startPart;
}

function appendParts(a: Manifest, b: Manifest): Manifest {
  const parts = new Map(explicitParts(a));
  for (const [offset, part] of explicitParts(b)) parts.set(a.objectSize + offset, part);
  return { ...a, isExplicit: true, parts, rules: new Map(), prefix: '', objectSize: a.objectSize + b.objectSize };
}

function explicitParts(manifest: Manifest): ReadonlyMap<number, ManifestPart> {
  if (manifest.isExplicit) return manifest.parts;
  const parts = new Map<number, ManifestPart>();
  for (const { start, length, object, offset } of stripesOf(manifest))
    parts.set(start, { object, offset, size: length });
  return parts;
}
