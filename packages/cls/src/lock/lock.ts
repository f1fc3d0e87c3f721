/**
 * Advisory locks on an object (cls/lock/cls_lock.cc). Each is an xattr, `lock.NAME`:
 *
 *   lock_info_t { lockers: (who, cookie) -> { expiration, address, description }, type, tag }
 *
 * A locker whose time is over is left out as soon as somebody looks; the xattr stays when the last one is gone, unless the
 * lock is ephemeral: then the whole object goes.
 */
import { AddrType, compareUTimes, Errno, type RawString, type UTime } from '@spirula/encoding';
import type { EntityInst } from '../entity-inst.ts';
import type { MethodContext } from '../method-context.ts';
import { ClassError, decodeStored, MethodFlag, method, type ObjectClass } from '../object-class.ts';
import {
  decodeAssertInput,
  decodeBreakInput,
  decodeCookieInput,
  decodeInfoInput,
  decodeLockInfo,
  decodeLockInput,
  decodeUnlockInput,
  encodeLockInfo,
  encodeLockNames,
  type HeldInput,
  type Locker,
  LockFlag,
  type LockInfo,
  type LockInput,
  LockType,
} from './lock-codec.ts';

const PREFIX: RawString = 'lock.';
const UNLOCKED: LockInfo = { lockers: [], type: LockType.none, tag: '' };
const NEVER: UTime = { sec: 0, nsec: 0 };
const NSEC_PER_SEC = 1_000_000_000;
const MAX_SEC = 0xffff_ffff;

function isValid(type: number): boolean {
  return type === LockType.shared || type === LockType.exclusive || type === LockType.exclusiveEphemeral;
}

function isZero({ sec, nsec }: UTime): boolean {
  return sec === 0 && nsec === 0;
}

/** The lock as it is now. @throws ClassError ENOENT without an object, EIO when what is stored does not parse */
function readLock(object: MethodContext, name: RawString): LockInfo {
  const stored = object.getXattr(PREFIX + name);
  if (stored === undefined) return UNLOCKED;
  const lock = decodeStored(stored, decodeLockInfo);
  const now = object.now();
  const lockers = lock.lockers.filter(({ expiration }) => isZero(expiration) || compareUTimes(expiration, now) >= 0);
  // Where this is a read, it makes the method fail with EIO, as it does in Ceph.
  if (lockers.length === 0 && lock.type === LockType.exclusiveEphemeral) object.remove();
  return { ...lock, lockers };
}

function readLockIfAny(object: MethodContext, name: RawString): LockInfo {
  try {
    return readLock(object, name);
  } catch (error) {
    if (error instanceof ClassError && error.code === Errno.ENOENT) return UNLOCKED;
    throw error;
  }
}

function writeLock(object: MethodContext, name: RawString, lock: LockInfo): void {
  object.setXattr(PREFIX + name, encodeLockInfo(lock));
}

function isLocker(locker: Locker, { type, num }: Pick<EntityInst, 'type' | 'num'>, cookie: RawString): boolean {
  return locker.type === type && locker.num === num && locker.cookie === cookie;
}

function expirationOf(object: MethodContext, duration: UTime): UTime {
  if (isZero(duration)) return NEVER;
  const now = object.now();
  const nsec = now.nsec + duration.nsec;
  return {
    sec: Math.min(MAX_SEC, now.sec + duration.sec + Math.floor(nsec / NSEC_PER_SEC)),
    nsec: nsec % NSEC_PER_SEC,
  };
}

function lock(object: MethodContext, { name, type, cookie, tag, description, duration, flags }: LockInput): void {
  const mayRenew = (flags & LockFlag.mayRenew) !== 0;
  const mustRenew = (flags & LockFlag.mustRenew) !== 0;
  if (!isValid(type) || name === '' || (mayRenew && mustRenew)) throw new ClassError(Errno.EINVAL);
  const before = readLockIfAny(object, name);
  const { origin } = object;
  // Before anything else: a locker that renews must know the tag, too.
  if (before.lockers.length > 0 && tag !== before.tag) throw new ClassError(Errno.EBUSY);
  const others = before.lockers.filter((locker) => !isLocker(locker, origin, cookie));
  const isHeld = others.length < before.lockers.length;
  if (isHeld && !mayRenew && !mustRenew) throw new ClassError(Errno.EEXIST);
  if (!isHeld && mustRenew) throw new ClassError(Errno.ENOENT);
  if (others.length > 0 && (type !== LockType.shared || before.type !== type)) throw new ClassError(Errno.EBUSY);
  const locker: Locker = {
    type: origin.type,
    num: origin.num,
    cookie,
    expiration: expirationOf(object, duration),
    // As a legacy address, whatever it is: clients of before msgr2 read this.
    addr: { ...origin.addr, type: AddrType.v1 },
    description,
  };
  writeLock(object, name, { lockers: [...others, locker], type, tag });
}

function removeLocker(
  object: MethodContext,
  name: RawString,
  who: Pick<EntityInst, 'type' | 'num'>,
  cookie: RawString,
): void {
  const before = readLock(object, name);
  const lockers = before.lockers.filter((locker) => !isLocker(locker, who, cookie));
  if (lockers.length === before.lockers.length) throw new ClassError(Errno.ENOENT);
  if (before.type === LockType.exclusiveEphemeral) object.remove();
  else writeLock(object, name, { ...before, lockers });
}

/** The lock that the caller holds, just so. @throws ClassError EBUSY when it does not */
function readHeldLock(object: MethodContext, { name, type, cookie, tag }: HeldInput): LockInfo {
  if (!isValid(type) || name === '') throw new ClassError(Errno.EINVAL);
  const lock = readLock(object, name);
  const isHeld = lock.lockers.some((locker) => isLocker(locker, object.origin, cookie));
  if (!isHeld || lock.type !== type || lock.tag !== tag) throw new ClassError(Errno.EBUSY);
  return lock;
}

function setCookie(object: MethodContext, input: ReturnType<typeof decodeCookieInput>): void {
  const lock = readHeldLock(object, input);
  const { origin } = object;
  if (lock.lockers.some((each) => isLocker(each, origin, input.newCookie))) throw new ClassError(Errno.EBUSY);
  const lockers = lock.lockers.map((each) =>
    isLocker(each, origin, input.cookie) ? { ...each, cookie: input.newCookie } : each,
  );
  writeLock(object, input.name, { ...lock, lockers });
}

function listLocks(object: MethodContext) {
  const names = [...object.getXattrs().keys()].filter((attr) => attr.startsWith(PREFIX));
  return encodeLockNames(names.map((attr) => attr.slice(PREFIX.length)));
}

const { read, write, promote } = MethodFlag;

export const lockClass: ObjectClass = {
  name: 'lock',
  methods: {
    lock: method(read | write | promote, decodeLockInput, lock),
    unlock: method(read | write | promote, decodeUnlockInput, (object, { name, cookie }) =>
      removeLocker(object, name, object.origin, cookie),
    ),
    break_lock: method(read | write, decodeBreakInput, (object, { name, locker, cookie }) =>
      removeLocker(object, name, locker, cookie),
    ),
    get_info: method(read, decodeInfoInput, (object, { name }) => encodeLockInfo(readLock(object, name))),
    list_locks: method(read, () => undefined, listLocks),
    assert_locked: method(read | promote, decodeAssertInput, (object, input) => {
      readHeldLock(object, input);
    }),
    set_cookie: method(read | write | promote, decodeCookieInput, setCookie),
  },
};
