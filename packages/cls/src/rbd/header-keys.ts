/** The omap of an image's header that several methods read and write: sizes, features, and those of its operations. */
import { Errno, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError } from '../object-class.ts';
import { readKey, writeKey } from '../stored-key.ts';
import { Feature } from './features.ts';

/** CEPH_NOSNAP: no snapshot, but the image as it is now. */
export const NOSNAP = (1n << 64n) - 2n;
/** CEPH_MAXSNAP. */
export const MAXSNAP = (1n << 64n) - 3n;
/** Of a pool: none. */
export const NO_POOL = -1n;

export function readNumber(object: MethodContext, key: RawString): bigint | undefined {
  return readKey(object, key, (decoder) => decoder.u64big(key));
}

/** @throws ClassError ENOENT */
export function requireNumber(object: MethodContext, key: RawString): bigint {
  return found(readNumber(object, key));
}

export function writeNumber(object: MethodContext, key: RawString, value: bigint): void {
  writeKey(object, key, (encoder) => encoder.u64big(value));
}

/** @throws ClassError ENOENT */
export function found<T>(value: T | undefined): T {
  if (value === undefined) throw new ClassError(Errno.ENOENT);
  return value;
}

/** Objects are of 2 to the power of this many bytes. @throws ClassError ENOENT */
export function readOrder(object: MethodContext): number {
  return found(readKey(object, 'order', (decoder) => decoder.u8('order')));
}

/** Whether the image has all of the features; one of the old format has none. */
export function hasFeature(object: MethodContext, features: bigint): boolean {
  return ((readNumber(object, 'features') ?? 0n) & features) === features;
}

/** @throws ClassError ENOEXEC */
export function requireFeature(object: MethodContext, features: bigint): void {
  if (!hasFeature(object, features)) throw new ClassError(Errno.ENOEXEC);
}

/** Whether an id is made of letters and digits, and not empty. */
export function isValidId(id: RawString): boolean {
  return /^[0-9A-Za-z]+$/.test(id);
}

/** Keys that go; of those that are not there, nothing. */
export function removeKeys(object: MethodContext, ...keys: readonly RawString[]): void {
  try {
    object.omapRemove(keys);
  } catch (error) {
    if (!(error instanceof ClassError && error.code === Errno.ENOENT)) throw error;
  }
}

/**
 * Sets those operation features that are in `mask`. The feature `operations` is there while any is.
 *
 * @throws ClassError ENOENT: there are no features
 */
export function setOperationFeatures(object: MethodContext, features: bigint, mask: bigint): void {
  const before = requireNumber(object, 'features');
  const operationsBefore = readNumber(object, 'op_features') ?? 0n;
  const operations = (operationsBefore & ~mask) | (features & mask);
  if (operations === operationsBefore) return;
  if (operations === 0n) removeKeys(object, 'op_features');
  else writeNumber(object, 'op_features', operations);
  const after = operations === 0n ? before & ~Feature.operations : before | Feature.operations;
  if (after !== before) writeNumber(object, 'features', after);
}
