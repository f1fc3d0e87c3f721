/** Calls of the classes that the workload `classes` makes, and what is read from their answers. */
import {
  decodeLockInfo,
  encodeBreakInput,
  encodeHeldInput,
  encodeInfoInput,
  encodeLockInput,
  encodeUnlockInput,
  type Locker,
  LockType,
} from '@spirula/cls';
import { Decoder, Encoder, type RawString } from '@spirula/encoding';
import type { ObjectReply } from '@spirula/objecter';
import { ObjectOperation } from '@spirula/rados';

const LOCK = 'lock';
const NAME = 'l';
const NEVER = { sec: 0, nsec: 0 };

export function lock(cookie: RawString): ObjectOperation {
  const rest = { name: NAME, tag: '', description: '', duration: NEVER, flags: 0 };
  const input = encodeLockInput({ ...rest, type: LockType.exclusive, cookie });
  return new ObjectOperation().exec(LOCK, 'lock', input, 'write');
}

export function unlock(cookie: RawString): ObjectOperation {
  return new ObjectOperation().exec(LOCK, 'unlock', encodeUnlockInput(NAME, cookie), 'write');
}

export function breakLock(locker: Locker): ObjectOperation {
  return new ObjectOperation().exec(LOCK, 'break_lock', encodeBreakInput(NAME, locker, locker.cookie), 'write');
}

/** Fails with EBUSY unless the cookie holds the lock; more parts may follow. */
export function ifHeld(cookie: RawString, effect: 'read' | 'write'): ObjectOperation {
  const input = encodeHeldInput({ name: NAME, type: LockType.exclusive, cookie, tag: '' });
  return new ObjectOperation().exec(LOCK, 'assert_locked', input, effect);
}

export function lockers(): ObjectOperation {
  return new ObjectOperation().exec(LOCK, 'get_info', encodeInfoInput(NAME));
}

export function lockersIn({ ops }: ObjectReply): readonly Locker[] {
  return decodeLockInfo(new Decoder(ops[0]!.output)).lockers;
}

/** Adds 1 to the value of `key`, and counts up the version. */
export function addAndCount(key: RawString): ObjectOperation {
  const add = new Encoder(32);
  add.rawString(key);
  add.rawString('1');
  const count = new Encoder(32);
  count.struct(1, 1, () => {
    count.struct(1, 1, () => {
      count.u64(0);
      count.rawString('');
    });
    count.u32(0);
  });
  return new ObjectOperation()
    .exec('numops', 'add', add.finish(), 'write')
    .exec('version', 'inc', count.finish(), 'write');
}

export function sumAndVersion(key: RawString): ObjectOperation {
  return new ObjectOperation().omapGetValsByKeys([key]).exec('version', 'read');
}

/** Of the second part of `sumAndVersion`. */
export function versionIn({ ops }: ObjectReply): number {
  const reply = new Decoder(ops[1]!.output);
  return reply.struct('version', 1, () => reply.struct('version', 1, () => reply.u64('ver')));
}
