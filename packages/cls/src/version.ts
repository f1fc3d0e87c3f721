/**
 * A version that clients count up, under conditions (cls/version/cls_version.cc). It is an xattr, `ceph.objclass.version`:
 *
 *   obj_version { ver u64, tag string }      the tag is drawn when the count begins, so that two counts differ
 */
import { type Bytes, type Decoder, Encoder, Errno, type RawString } from '@spirula/encoding';
import { randomBase64 } from './base64.ts';
import type { MethodContext } from './method-context.ts';
import { ClassError, decodeStored, MethodFlag, method, type ObjectClass } from './object-class.ts';

const VERSION_ATTR: RawString = 'ceph.objclass.version';
const TAG_LENGTH = 24;

interface ObjectVersion {
  readonly ver: bigint;
  readonly tag: RawString;
}

const NO_VERSION: ObjectVersion = { ver: 0n, tag: '' };

/** VER_COND_*: the object's version compared with the condition's; any other number holds. */
const conditions: Readonly<Record<number, (stored: ObjectVersion, given: ObjectVersion) => boolean>> = {
  1: (stored, given) => stored.ver === given.ver && stored.tag === given.tag,
  2: (stored, given) => stored.ver > given.ver,
  3: (stored, given) => stored.ver >= given.ver,
  4: (stored, given) => stored.ver < given.ver,
  5: (stored, given) => stored.ver <= given.ver,
  6: (stored, given) => stored.tag === given.tag,
  7: (stored, given) => stored.tag !== given.tag,
};

interface Condition {
  readonly version: ObjectVersion;
  readonly kind: number;
}

/** Least bytes of a condition: two structs, a version, a kind. */
const CONDITION_BYTES = 6 + 6 + 12 + 4;

function encodeVersion(encoder: Encoder, { ver, tag }: ObjectVersion): void {
  encoder.struct(1, 1, () => {
    encoder.u64big(ver);
    encoder.rawString(tag);
  });
}

function decodeVersion(decoder: Decoder): ObjectVersion {
  return decoder.struct('version', 1, () => ({ ver: decoder.u64big('ver'), tag: decoder.rawString('tag') }));
}

/** cls_version_inc_op and cls_version_check_op: a version that nobody reads, and the conditions. */
function decodeConditions(decoder: Decoder): Condition[] {
  return decoder.struct('conditions', 1, () => {
    decodeVersion(decoder);
    return decoder.list('conditions', CONDITION_BYTES, () =>
      decoder.struct('condition', 1, () => ({ version: decodeVersion(decoder), kind: decoder.u32('condition') })),
    );
  });
}

function encodeOne(version: ObjectVersion): Bytes {
  const encoder = new Encoder(48);
  encodeVersion(encoder, version);
  return encoder.finish();
}

/** Undefined: the count has not begun, or there is no object. */
function readVersion(object: MethodContext): ObjectVersion | undefined {
  let stored: Bytes | undefined;
  try {
    stored = object.getXattr(VERSION_ATTR);
  } catch (error) {
    if (error instanceof ClassError && error.code === Errno.ENOENT) return undefined;
    throw error;
  }
  return stored && decodeStored(stored, decodeVersion);
}

function writeVersion(object: MethodContext, version: ObjectVersion): void {
  object.setXattr(VERSION_ATTR, encodeOne(version));
}

function check(version: ObjectVersion, given: readonly Condition[]): void {
  const holds = given.every((each) => conditions[each.kind]?.(version, each.version) ?? true);
  if (!holds) throw new ClassError(Errno.ECANCELED);
}

/** Begins at 1, if need be, and counts on from there. */
function increment(object: MethodContext, given: readonly Condition[]): void {
  const before = readVersion(object) ?? { ver: 1n, tag: randomBase64(object, TAG_LENGTH) };
  check(before, given);
  writeVersion(object, { ...before, ver: BigInt.asUintN(64, before.ver + 1n) });
}

function encodeReadReply(version: ObjectVersion): Bytes {
  const encoder = new Encoder(48);
  encoder.struct(1, 1, () => encodeVersion(encoder, version));
  return encoder.finish();
}

const { read, write } = MethodFlag;

export const versionClass: ObjectClass = {
  name: 'version',
  methods: {
    set: method(read | write, (decoder) => decoder.struct('set', 1, () => decodeVersion(decoder)), writeVersion),
    inc: method(read | write, decodeConditions, increment),
    inc_conds: method(read | write, decodeConditions, increment),
    read: method(
      read,
      () => undefined,
      (object) => encodeReadReply(readVersion(object) ?? NO_VERSION),
    ),
    check_conds: method(read, decodeConditions, (object, given) => check(readVersion(object) ?? NO_VERSION, given)),
  },
};
