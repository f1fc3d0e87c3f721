/** Guards and changes of objects that are no index: beside the writes of the gateway, in one request. */
import { compareUTimes, type Decoder, Encoder, Errno, type RawString, type UTime } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError } from '../object-class.ts';
import { decodeRealTime, NO_TIME } from '../real-time.ts';

function encodeV1(body: (encoder: Encoder) => void) {
  const encoder = new Encoder(64);
  encoder.struct(1, 1, () => body(encoder));
  return encoder.finish();
}

/** @param keepPrefixes xattrs that begin so stay, with an empty object; none: the object goes (rgw_cls_obj_remove_op) */
export function encodeRemoveObjectInput(keepPrefixes: readonly RawString[]) {
  return encodeV1((encoder) => encoder.list(keepPrefixes, (prefix) => encoder.rawString(prefix)));
}

export function decodeRemoveObjectInput(decoder: Decoder): readonly RawString[] {
  return decoder.struct('remove', 1, () => decoder.list('prefixes', 4, () => decoder.rawString('prefix')));
}

export function removeObject(object: MethodContext, keepPrefixes: readonly RawString[]): void {
  if (keepPrefixes.length === 0) {
    object.remove();
    return;
  }
  const xattrs = xattrsIf(object);
  object.remove();
  const kept = [...xattrs].filter(([name]) => keepPrefixes.some((prefix) => name.startsWith(prefix)));
  if (kept.length === 0) return;
  object.create(false);
  for (const [name, value] of kept) object.setXattr(name, value);
}

/** None when there is no object. */
function xattrsIf(object: MethodContext): ReadonlyMap<RawString, Uint8Array> {
  try {
    return object.getXattrs();
  } catch (error) {
    if (error instanceof ClassError && error.code === Errno.ENOENT) return new Map();
    throw error;
  }
}

/** @param xattr takes the version of the PG's newest write (rgw_cls_obj_store_pg_ver_op) */
export function encodeStorePgVersionInput(xattr: RawString) {
  return encodeV1((encoder) => encoder.rawString(xattr));
}

export function decodeStorePgVersionInput(decoder: Decoder): RawString {
  return decoder.struct('store pg version', 1, () => decoder.rawString('attr'));
}

export function storePgVersion(object: MethodContext, xattr: RawString): void {
  const encoder = new Encoder(8);
  encoder.u64(object.currentVersion);
  object.setXattr(xattr, encoder.finish());
}

/** rgw_cls_obj_check_attrs_prefix. */
export interface CheckXattrsInput {
  readonly prefix: RawString;
  /** Whether one such xattr is one too many, or one at least must be. */
  readonly failIfExist: boolean;
}

export function encodeCheckXattrsInput({ prefix, failIfExist }: CheckXattrsInput) {
  return encodeV1((encoder) => {
    encoder.rawString(prefix);
    encoder.bool(failIfExist);
  });
}

export function decodeCheckXattrsInput(decoder: Decoder): CheckXattrsInput {
  return decoder.struct('check attrs', 1, () => ({
    prefix: decoder.rawString('check prefix'),
    failIfExist: decoder.bool('fail if exist'),
  }));
}

/** ECANCELED: it is not so. EINVAL: no prefix. */
export function checkXattrs(object: MethodContext, { prefix, failIfExist }: CheckXattrsInput): void {
  if (prefix === '') throw new ClassError(Errno.EINVAL);
  const exist = [...xattrsIf(object).keys()].some((name) => name.startsWith(prefix));
  if (exist === failIfExist) throw new ClassError(Errno.ECANCELED);
}

/** RGWCheckMTimeType: the object's time is ... than the one that is given. */
export const MtimeCheck = { equal: 0, less: 1, lessOrEqual: 2, greater: 3, greaterOrEqual: 4 } as const;

/** rgw_cls_obj_check_mtime. */
export interface CheckMtimeInput {
  readonly mtime: UTime;
  /** `MtimeCheck`. */
  readonly type: number;
  /** Whether parts of a second count. */
  readonly highPrecision: boolean;
}

export function encodeCheckMtimeInput({ mtime, type, highPrecision }: CheckMtimeInput) {
  const encoder = new Encoder(32);
  encoder.struct(2, 1, () => {
    encoder.u32(mtime.sec);
    encoder.u32(mtime.nsec);
    encoder.u8(type);
    encoder.bool(highPrecision);
  });
  return encoder.finish();
}

export function decodeCheckMtimeInput(decoder: Decoder): CheckMtimeInput {
  return decoder.struct('check mtime', 2, (version) => ({
    mtime: decodeRealTime(decoder, 'mtime'),
    type: decoder.u8('type'),
    highPrecision: version >= 2 && decoder.bool('high precision time'),
  }));
}

/** ECANCELED: it is not so. An object that is not there is of time 0. */
export function checkMtime(object: MethodContext, { mtime, type, highPrecision }: CheckMtimeInput): void {
  const rounded = (time: UTime) => (highPrecision ? time : { ...time, nsec: 0 });
  const order = compareUTimes(rounded(mtimeIf(object)), rounded(mtime));
  if (!isFulfilled(type, order)) throw new ClassError(Errno.ECANCELED);
}

function mtimeIf(object: MethodContext): UTime {
  try {
    return object.stat().mtime;
  } catch (error) {
    if (error instanceof ClassError && error.code === Errno.ENOENT) return NO_TIME;
    throw error;
  }
}

function isFulfilled(type: number, order: number): boolean {
  switch (type) {
    case MtimeCheck.equal:
      return order === 0;
    case MtimeCheck.less:
      return order < 0;
    case MtimeCheck.lessOrEqual:
      return order <= 0;
    case MtimeCheck.greater:
      return order > 0;
    case MtimeCheck.greaterOrEqual:
      return order >= 0;
    default:
      throw new ClassError(Errno.EINVAL);
  }
}
