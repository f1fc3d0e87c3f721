/** What the methods of `lock` take and give, and what an object keeps of a lock (cls_lock_ops.h, cls_lock_types.h). */
import {
  type Bytes,
  type Decoder,
  decodeAddr,
  decodeUTime,
  Encoder,
  encodeAddr,
  encodeUTime,
  type RawString,
  type UTime,
} from '@spirula/encoding';
import { decodeEntityNumber, type EntityInst, encodeEntityNumber } from '../entity-inst.ts';

/** ClsLockType. */
export const LockType = {
  none: 0,
  exclusive: 1,
  shared: 2,
  /** Exclusive, and the object goes with the lock. */
  exclusiveEphemeral: 3,
} as const;

/** LOCK_FLAG_*. */
export const LockFlag = {
  /** Whoever holds it already takes it anew. */
  mayRenew: 1,
  /** Only who holds it already takes it anew. */
  mustRenew: 2,
} as const;

export interface Locker {
  readonly type: EntityInst['type'];
  readonly num: EntityInst['num'];
  /** One client may hold a shared lock under several. */
  readonly cookie: RawString;
  /** When it ends by itself; zero: never. */
  readonly expiration: UTime;
  readonly addr: EntityInst['addr'];
  readonly description: RawString;
}

/** One lock of an object: lock_info_t, and cls_lock_get_info_reply, which is the same. */
export interface LockInfo {
  readonly lockers: readonly Locker[];
  /** `LockType`. */
  readonly type: number;
  /** Who takes a lock that is held must name its tag. */
  readonly tag: RawString;
}

export interface LockInput {
  readonly name: RawString;
  /** `LockType`. */
  readonly type: number;
  readonly cookie: RawString;
  readonly tag: RawString;
  readonly description: RawString;
  /** Zero: until it is given up. */
  readonly duration: UTime;
  /** Some of `LockFlag`. */
  readonly flags: number;
}

export interface HeldInput {
  readonly name: RawString;
  readonly type: number;
  readonly cookie: RawString;
  readonly tag: RawString;
}

export function lockTypeText(type: number): string {
  switch (type) {
    case LockType.none:
      return 'none';
    case LockType.exclusive:
      return 'exclusive';
    case LockType.shared:
      return 'shared';
    case LockType.exclusiveEphemeral:
      return 'exclusive-ephemeral';
    default:
      return '<unknown>';
  }
}

/** Each of these structs is of version 1. */
function encodeV1(body: (encoder: Encoder) => void): Bytes {
  const encoder = new Encoder(64);
  encoder.struct(1, 1, () => body(encoder));
  return encoder.finish();
}

export function encodeLockInput(input: LockInput): Bytes {
  return encodeV1((encoder) => {
    encoder.rawString(input.name);
    encoder.u8(input.type);
    encoder.rawString(input.cookie);
    encoder.rawString(input.tag);
    encoder.rawString(input.description);
    encodeUTime(encoder, input.duration);
    encoder.u8(input.flags);
  });
}

export function decodeLockInput(decoder: Decoder): LockInput {
  return decoder.struct('lock', 1, () => ({
    name: decoder.rawString('name'),
    type: decoder.u8('type'),
    cookie: decoder.rawString('cookie'),
    tag: decoder.rawString('tag'),
    description: decoder.rawString('description'),
    duration: decodeUTime(decoder, 'duration'),
    flags: decoder.u8('flags'),
  }));
}

export function encodeUnlockInput(name: RawString, cookie: RawString): Bytes {
  return encodeV1((encoder) => {
    encoder.rawString(name);
    encoder.rawString(cookie);
  });
}

export function decodeUnlockInput(decoder: Decoder) {
  return decoder.struct('unlock', 1, () => ({ name: decoder.rawString('name'), cookie: decoder.rawString('cookie') }));
}

export function encodeBreakInput(name: RawString, locker: Pick<EntityInst, 'type' | 'num'>, cookie: RawString): Bytes {
  return encodeV1((encoder) => {
    encoder.rawString(name);
    encodeEntityNumber(encoder, locker);
    encoder.rawString(cookie);
  });
}

export function decodeBreakInput(decoder: Decoder) {
  return decoder.struct('break', 1, () => ({
    name: decoder.rawString('name'),
    locker: decodeEntityNumber(decoder),
    cookie: decoder.rawString('cookie'),
  }));
}

export function encodeInfoInput(name: RawString): Bytes {
  return encodeV1((encoder) => encoder.rawString(name));
}

export function decodeInfoInput(decoder: Decoder) {
  return decoder.struct('get info', 1, () => ({ name: decoder.rawString('name') }));
}

function decodeHeldBody(decoder: Decoder): HeldInput {
  return {
    name: decoder.rawString('name'),
    type: decoder.u8('type'),
    cookie: decoder.rawString('cookie'),
    tag: decoder.rawString('tag'),
  };
}

/** Of assert_locked. */
export function encodeHeldInput({ name, type, cookie, tag }: HeldInput): Bytes {
  return encodeV1((encoder) => {
    encoder.rawString(name);
    encoder.u8(type);
    encoder.rawString(cookie);
    encoder.rawString(tag);
  });
}

export function decodeAssertInput(decoder: Decoder): HeldInput {
  return decoder.struct('assert locked', 1, () => decodeHeldBody(decoder));
}

/** Of set_cookie. */
export function encodeCookieInput({ name, type, cookie, tag }: HeldInput, newCookie: RawString): Bytes {
  return encodeV1((encoder) => {
    encoder.rawString(name);
    encoder.u8(type);
    encoder.rawString(cookie);
    encoder.rawString(tag);
    encoder.rawString(newCookie);
  });
}

export function decodeCookieInput(decoder: Decoder): HeldInput & { readonly newCookie: RawString } {
  return decoder.struct('set cookie', 1, () => ({
    ...decodeHeldBody(decoder),
    newCookie: decoder.rawString('new cookie'),
  }));
}

/** Least bytes of one: two structs, an entity, a time, a blank address, two strings. */
const LOCKER_BYTES = 6 + 9 + 4 + 6 + 8 + 7 + 4;

/** The order of their keys (locker_id_t). */
function compareLockers(a: Locker, b: Locker): number {
  if (a.type !== b.type) return a.type - b.type;
  if (a.num !== b.num) return a.num < b.num ? -1 : 1;
  return a.cookie < b.cookie ? -1 : a.cookie > b.cookie ? 1 : 0;
}

export function encodeLockInfo({ lockers, type, tag }: LockInfo): Bytes {
  return encodeV1((encoder) => {
    encoder.list([...lockers].sort(compareLockers), (locker) => {
      encoder.struct(1, 1, () => {
        encodeEntityNumber(encoder, locker);
        encoder.rawString(locker.cookie);
      });
      encoder.struct(1, 1, () => {
        encodeUTime(encoder, locker.expiration);
        encodeAddr(encoder, locker.addr);
        encoder.rawString(locker.description);
      });
    });
    encoder.u8(type);
    encoder.rawString(tag);
  });
}

/** @throws MalformedInput */
export function decodeLockInfo(decoder: Decoder): LockInfo {
  return decoder.struct('lock info', 1, () => ({
    lockers: decoder.list('lockers', LOCKER_BYTES, () => {
      const id = decoder.struct('locker', 1, () => ({
        ...decodeEntityNumber(decoder),
        cookie: decoder.rawString('cookie'),
      }));
      const info = decoder.struct('locker info', 1, () => ({
        expiration: decodeUTime(decoder, 'expiration'),
        addr: decodeAddr(decoder, 'address'),
        description: decoder.rawString('description'),
      }));
      return { ...id, ...info };
    }),
    type: decoder.u8('type'),
    tag: decoder.rawString('tag'),
  }));
}

export function encodeLockNames(names: readonly RawString[]): Bytes {
  return encodeV1((encoder) => encoder.list(names, (name) => encoder.rawString(name)));
}

/** @throws MalformedInput */
export function decodeLockNames(decoder: Decoder): readonly RawString[] {
  return decoder.struct('locks', 1, () => decoder.list('locks', 4, () => decoder.rawString('lock')));
}
