/** Advisory locks on objects, by the class `lock` (cls/lock/cls_lock_client.cc). */
import {
  decodeLockInfo,
  decodeLockNames,
  encodeBreakInput,
  encodeInfoInput,
  encodeLockInput,
  encodeUnlockInput,
  type Locker,
  type LockInfo,
  LockType,
} from '@spirula/cls';
import { Decoder, Errno, MalformedInput, type RawString, type UTime } from '@spirula/encoding';
import type { IoCtx } from './ioctx.ts';
import { RadosError } from './rados-error.ts';

const CLASS = 'lock';

export interface LockOptions {
  readonly cookie?: RawString;
  /** Whoever takes the lock while it is held must name the same. */
  readonly tag?: RawString;
  readonly description?: RawString;
  /** After so long it ends by itself; without it, never. */
  readonly duration?: UTime;
  /** Some of `LockFlag`; without any, who holds the lock already is refused with EEXIST. */
  readonly flags?: number;
}

/**
 * Takes a lock, and makes the object if there is none.
 *
 * @throws RadosError EBUSY: somebody else holds it
 */
export async function lockObject(
  io: IoCtx,
  oid: RawString,
  name: RawString,
  kind: 'exclusive' | 'shared',
  { cookie = '', tag = '', description = '', duration = { sec: 0, nsec: 0 }, flags = 0 }: LockOptions = {},
): Promise<void> {
  const type = LockType[kind];
  await io.exec(oid, CLASS, 'lock', encodeLockInput({ name, type, cookie, tag, description, duration, flags }));
}

/** @throws RadosError ENOENT: this client does not hold it under this cookie */
export async function unlockObject(io: IoCtx, oid: RawString, name: RawString, cookie: RawString = ''): Promise<void> {
  await io.exec(oid, CLASS, 'unlock', encodeUnlockInput(name, cookie));
}

/** Takes a lock from whoever holds it. @throws RadosError ENOENT: they do not */
export async function breakLock(
  io: IoCtx,
  oid: RawString,
  name: RawString,
  locker: Pick<Locker, 'type' | 'num' | 'cookie'>,
): Promise<void> {
  await io.exec(oid, CLASS, 'break_lock', encodeBreakInput(name, locker, locker.cookie));
}

/** Who holds a lock; nobody, when it was never taken. @throws RadosError ENOENT: there is no object */
export async function lockInfo(io: IoCtx, oid: RawString, name: RawString): Promise<LockInfo> {
  return parse(oid, await io.exec(oid, CLASS, 'get_info', encodeInfoInput(name)), decodeLockInfo);
}

/** Names of the locks that were ever taken. @throws RadosError ENOENT: there is no object */
export async function listLocks(io: IoCtx, oid: RawString): Promise<readonly RawString[]> {
  return parse(oid, await io.exec(oid, CLASS, 'list_locks'), decodeLockNames);
}

function parse<T>(oid: RawString, output: Uint8Array, read: (decoder: Decoder) => T): T {
  try {
    return read(new Decoder(output));
  } catch (error) {
    if (error instanceof MalformedInput) throw new RadosError(Errno.EIO, `${oid}: the reply does not parse`);
    throw error;
  }
}
