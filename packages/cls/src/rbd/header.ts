/** What an image's header tells of the image itself: sizes, features, flags, stripes, times (cls/rbd/cls_rbd.cc). */
import { type Decoder, Errno, encodeUTime, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, type ClassMethod, MethodFlag, method } from '../object-class.ts';
import { encodeWith, readKey, writeKey } from '../stored-key.ts';
import {
  ALL_FEATURES,
  ALL_OPERATION_FEATURES,
  DISABLE_ONLY_FEATURES,
  Feature,
  INCOMPATIBLE_FEATURES,
  INTERNAL_FEATURES,
  MUTABLE_FEATURES,
} from './features.ts';
import {
  found,
  NO_POOL,
  NOSNAP,
  readNumber,
  readOrder,
  requireFeature,
  requireNumber,
  setOperationFeatures,
  writeNumber,
} from './header-keys.ts';
import { parentExists } from './snapshot-codec.ts';
import { readParent, readSnapshot, writeParent, writeSnapshot } from './snapshot-keys.ts';

const READ = MethodFlag.read;
const READ_WRITE = MethodFlag.read | MethodFlag.write;

/** The head or a snapshot. */
const snapIdInput = (input: Decoder) => input.u64big('snap id');
const noInput = () => undefined;

function create(object: MethodContext, input: Decoder): void {
  const size = input.u64big('size');
  const order = input.u8('order');
  const features = input.u64big('features');
  const objectPrefix = input.rawString('object prefix');
  const dataPool = input.remaining === 0 ? NO_POOL : input.i64big('data pool');
  if ((features & ~ALL_FEATURES) !== 0n) throw new ClassError(Errno.ENOSYS);
  if (objectPrefix === '') throw new ClassError(Errno.EINVAL);
  if (object.omapGet('object_prefix') !== undefined) throw new ClassError(Errno.EEXIST);
  if ((features & Feature.operations) !== 0n) throw new ClassError(Errno.EINVAL);
  const hasDataPool = (features & Feature.dataPool) !== 0n;
  if (hasDataPool !== (dataPool !== NO_POOL)) throw new ClassError(Errno.EINVAL);
  const number = (value: bigint) => encodeWith((encoder) => encoder.u64big(value));
  const now = encodeWith((encoder) => encodeUTime(encoder, object.now()));
  object.omapSet(
    new Map([
      ['size', number(size)],
      ['order', encodeWith((encoder) => encoder.u8(order))],
      ['features', number(features)],
      ['object_prefix', encodeWith((encoder) => encoder.rawString(objectPrefix))],
      ['snap_seq', number(0n)],
      ['create_timestamp', now],
      ['access_timestamp', now],
      ['modify_timestamp', now],
      ...(hasDataPool ? [['data_pool_id', number(dataPool)] as const] : []),
    ]),
  );
}

function getFeatures(object: MethodContext, { readOnly }: { readOnly: boolean }) {
  const features = requireNumber(object, 'features');
  const incompatible = features & (readOnly ? INCOMPATIBLE_FEATURES : ALL_FEATURES);
  return encodeWith((encoder) => {
    encoder.u64big(features);
    encoder.u64big(incompatible);
  });
}

function setFeatures(object: MethodContext, { value, mask: given }: MaskedInput): void {
  const before = readNumber(object, 'features') ?? 0n;
  if ((given & INTERNAL_FEATURES) !== 0n) throw new ClassError(Errno.EINVAL);
  const mask = given & ALL_FEATURES;
  const enabled = value & mask;
  const disabled = ~value & mask;
  if ((enabled & ~MUTABLE_FEATURES) !== 0n) throw new ClassError(Errno.EINVAL);
  if ((disabled & ~(MUTABLE_FEATURES | DISABLE_ONLY_FEATURES)) !== 0n) throw new ClassError(Errno.EINVAL);
  writeNumber(object, 'features', (before & ~mask) | enabled);
}

interface MaskedInput {
  readonly value: bigint;
  readonly mask: bigint;
}

function maskedInput(input: Decoder): MaskedInput {
  return { value: input.u64big('value'), mask: input.u64big('mask') };
}

function getSize(object: MethodContext, snapId: bigint) {
  const order = readOrder(object);
  const size = snapId === NOSNAP ? requireNumber(object, 'size') : readSnapshot(object, snapId).imageSize;
  return encodeWith((encoder) => {
    encoder.u8(order);
    encoder.u64big(size);
  });
}

/** What the image shows of its parent shrinks with it, and does not grow again. */
function setSize(object: MethodContext, size: bigint): void {
  const before = requireNumber(object, 'size');
  writeNumber(object, 'size', size);
  if (size >= before) return;
  const parent = readParent(object);
  if (parent && parentExists(parent) && (parent.overlap ?? 0n) > size) {
    writeParent(object, { ...parent, overlap: size });
  }
}

function getFlags(object: MethodContext, snapId: bigint) {
  const flags = snapId === NOSNAP ? (readNumber(object, 'flags') ?? 0n) : readSnapshot(object, snapId).flags;
  return encodeWith((encoder) => encoder.u64big(flags));
}

function setFlags(object: MethodContext, { value, mask, snapId }: MaskedInput & { snapId: bigint }): void {
  const masked = (before: bigint) => (before & ~mask) | (value & mask);
  if (snapId === NOSNAP) {
    writeNumber(object, 'flags', masked(readNumber(object, 'flags') ?? 0n));
    return;
  }
  const snapshot = readSnapshot(object, snapId);
  writeSnapshot(object, { ...snapshot, flags: masked(snapshot.flags) });
}

function setOpFeatures(object: MethodContext, { value, mask }: MaskedInput): void {
  if ((mask & ~ALL_OPERATION_FEATURES) !== 0n) throw new ClassError(Errno.EINVAL);
  setOperationFeatures(object, value, mask);
}

/** An image that was not told has stripes of whole objects. */
function getStripes(object: MethodContext) {
  object.stat();
  requireFeature(object, Feature.stripingV2);
  const unit = readNumber(object, 'stripe_unit') ?? defaultStripeUnit(object);
  const count = readNumber(object, 'stripe_count') ?? 1n;
  return encodeWith((encoder) => {
    encoder.u64big(unit);
    encoder.u64big(count);
  });
}

function defaultStripeUnit(object: MethodContext): bigint {
  const order = readKey(object, 'order', (decoder) => decoder.u8('order'));
  if (order === undefined) throw new ClassError(Errno.EIO);
  return objectSizeOf(order);
}

/** Bytes; an order that a shift has no room for counts modulo 64, as processors have it. */
function objectSizeOf(order: number): bigint {
  return 1n << BigInt(order % 64);
}

function setStripes(object: MethodContext, { unit, count }: { unit: bigint; count: bigint }): void {
  if (unit === 0n || count === 0n) throw new ClassError(Errno.EINVAL);
  object.stat();
  requireFeature(object, Feature.stripingV2);
  if (objectSizeOf(readOrder(object)) % unit !== 0n) throw new ClassError(Errno.EINVAL);
  writeNumber(object, 'stripe_unit', unit);
  writeNumber(object, 'stripe_count', count);
}

function getTime(key: RawString): ClassMethod {
  return method(READ, noInput, (object) => {
    const stored = readKey(object, key, (decoder) => decoder.u64big(key));
    return encodeWith((encoder) => encoder.u64big(stored ?? 0n));
  });
}

function setTime(key: RawString): ClassMethod {
  return method(READ_WRITE, noInput, (object) => {
    object.stat();
    writeKey(object, key, (encoder) => encodeUTime(encoder, object.now()));
  });
}

export const headerMethods: Readonly<Record<string, ClassMethod>> = {
  create: method(READ_WRITE, (input) => input, create),
  get_features: method(
    READ,
    (input) => {
      input.u64big('snap id');
      return { readOnly: input.remaining > 0 && input.bool('read only') };
    },
    getFeatures,
  ),
  set_features: method(READ_WRITE, maskedInput, setFeatures),
  get_all_features: method(READ, noInput, () => encodeWith((encoder) => encoder.u64big(ALL_FEATURES))),
  get_size: method(READ, snapIdInput, getSize),
  set_size: method(READ_WRITE, (input) => input.u64big('size'), setSize),
  get_object_prefix: method(READ, noInput, (object) => {
    const prefix = found(readKey(object, 'object_prefix', (decoder) => decoder.rawString('object prefix')));
    return encodeWith((encoder) => encoder.rawString(prefix));
  }),
  get_data_pool: method(READ, noInput, (object) => {
    const pool = readKey(object, 'data_pool_id', (decoder) => decoder.i64big('data pool')) ?? NO_POOL;
    return encodeWith((encoder) => encoder.u64big(pool));
  }),
  get_flags: method(READ, snapIdInput, getFlags),
  set_flags: method(
    READ_WRITE,
    (input) => ({ ...maskedInput(input), snapId: input.remaining === 0 ? NOSNAP : input.u64big('snap id') }),
    setFlags,
  ),
  op_features_get: method(READ, noInput, (object) => {
    const features = readNumber(object, 'op_features') ?? 0n;
    return encodeWith((encoder) => encoder.u64big(features));
  }),
  op_features_set: method(READ_WRITE, maskedInput, setOpFeatures),
  get_stripe_unit_count: method(READ, noInput, getStripes),
  set_stripe_unit_count: method(
    READ_WRITE,
    (input) => ({ unit: input.u64big('stripe unit'), count: input.u64big('stripe count') }),
    setStripes,
  ),
  get_create_timestamp: getTime('create_timestamp'),
  get_access_timestamp: getTime('access_timestamp'),
  get_modify_timestamp: getTime('modify_timestamp'),
  set_access_timestamp: setTime('access_timestamp'),
  set_modify_timestamp: setTime('modify_timestamp'),
};
