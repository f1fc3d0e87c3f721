import { Decoder, Errno, fromHex, toHex } from '@spirula/encoding';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryObject } from '../memory-object.test-support.ts';
import { lockClass } from './lock.ts';
import {
  decodeLockInfo,
  decodeLockInput,
  encodeBreakInput,
  encodeInfoInput,
  encodeLockInput,
  encodeUnlockInput,
  LockFlag,
  type LockInput,
  LockType,
} from './lock-codec.ts';

const NEVER = { sec: 0, nsec: 0 };
const exclusive: LockInput = {
  name: 'l',
  type: LockType.exclusive,
  cookie: 'c',
  tag: '',
  description: '',
  duration: NEVER,
  flags: 0,
};
const shared: LockInput = { ...exclusive, type: LockType.shared };

function lock(object: MemoryObject, input: LockInput): number {
  return object.call(lockClass, 'lock', encodeLockInput(input)).code;
}

function unlock(object: MemoryObject, cookie = 'c'): number {
  return object.call(lockClass, 'unlock', encodeUnlockInput('l', cookie)).code;
}

function info(object: MemoryObject) {
  const { code, output } = object.call(lockClass, 'get_info', encodeInfoInput('l'));
  return code < 0 ? code : decodeLockInfo(new Decoder(output));
}

function holders(object: MemoryObject) {
  const found = info(object);
  return typeof found === 'number' ? found : found.lockers.map(({ num, cookie }) => `${num}${cookie}`);
}

test('requests and what is stored are as real Ceph clients and OSDs encode them', () => {
  const request = fromHex('01011d000000020000006c3101010000006300000000000000000000000000000000000e');
  const reply =
    '0101520000000100000001010e000000086c10000000000000010000006301012f0000000000000000000000' +
    '0101011c000000010000008abc99e910000000020000007f00000100000000000000000000000001' +
    '00000000';

  expect(decodeLockInput(new Decoder(request))).toEqual({ ...exclusive, name: 'l1' });
  const held = new MemoryObject();
  held.origin = {
    type: 8,
    num: 0x106cn,
    addr: { type: 2, nonce: 0xe999bc8a, family: 2, ip: '127.0.0.1', port: 0 },
  };
  lock(held, exclusive);
  expect(toHex(held.stored.xattrs.get('lock.l')!)).toBe(reply);
});

test('an exclusive lock has one holder, whoever asks', () => {
  const object = new MemoryObject();

  expect(lock(object.as(1), exclusive)).toBe(0);
  expect(lock(object.as(1), exclusive)).toBe(Errno.EEXIST);
  expect(lock(object.as(1), { ...exclusive, cookie: 'd' })).toBe(Errno.EBUSY);
  expect(lock(object.as(2), exclusive)).toBe(Errno.EBUSY);
  expect(lock(object.as(2), shared)).toBe(Errno.EBUSY);
  expect(holders(object)).toEqual(['1c']);
});

test('a shared lock has many, of one tag, and keeps out who wants it alone', () => {
  const object = new MemoryObject();

  expect(lock(object.as(2), { ...shared, tag: 't' })).toBe(0);
  expect(lock(object.as(1), { ...shared, tag: 't' })).toBe(0);
  expect(lock(object.as(3), shared)).toBe(Errno.EBUSY);
  expect(lock(object.as(3), { ...exclusive, tag: 't' })).toBe(Errno.EBUSY);
  expect(holders(object)).toEqual(['1c', '2c']);
});

test('a holder renews when it may, and only a holder when it must', () => {
  const object = new MemoryObject();

  expect(lock(object, { ...exclusive, flags: LockFlag.mustRenew })).toBe(Errno.ENOENT);
  expect(lock(object, { ...exclusive, flags: LockFlag.mayRenew })).toBe(0);
  expect(lock(object, { ...exclusive, flags: LockFlag.mustRenew, description: 'still' })).toBe(0);
  expect(lock(object, { ...exclusive, flags: LockFlag.mustRenew | LockFlag.mayRenew })).toBe(Errno.EINVAL);
  expect(lock(object.as(2), { ...exclusive, flags: LockFlag.mayRenew })).toBe(Errno.EBUSY);
  expect(info(object)).toMatchObject({ lockers: [{ description: 'still' }] });
});

test('a lock ends when its time is over, and not a nanosecond before', () => {
  const object = new MemoryObject();
  object.time = { sec: 10, nsec: 600_000_000 };
  lock(object.as(1), { ...exclusive, duration: { sec: 2, nsec: 500_000_000 } });

  object.time = { sec: 13, nsec: 100_000_000 };
  expect(lock(object.as(2), exclusive)).toBe(Errno.EBUSY);
  object.time = { sec: 13, nsec: 100_000_001 };
  expect(unlock(object.as(1))).toBe(Errno.ENOENT);
  expect(lock(object.as(2), exclusive)).toBe(0);
});

test('a lock is given up by its holder, and broken by anybody', () => {
  const object = new MemoryObject();
  lock(object.as(1), shared);
  lock(object.as(2), shared);

  expect(unlock(object.as(3))).toBe(Errno.ENOENT);
  expect(unlock(object.as(1), 'd')).toBe(Errno.ENOENT);
  expect(unlock(object.as(1))).toBe(0);
  expect(object.as(3).call(lockClass, 'break_lock', encodeBreakInput('l', { type: 8, num: 2n }, 'c')).code).toBe(0);
  expect(info(object)).toEqual({ lockers: [], type: LockType.shared, tag: '' });
});

test('an ephemeral lock takes its object with it', () => {
  const object = new MemoryObject();
  lock(object, { ...exclusive, type: LockType.exclusiveEphemeral, duration: { sec: 1, nsec: 0 } });
  lock(object, { ...exclusive, name: 'other' });

  expect(unlock(object)).toBe(0);
  expect(object.stored.data).toBeUndefined();
  expect(holders(object)).toBe(Errno.ENOENT);
});

test('what is stored and does not parse is an I/O error, and stays', () => {
  const object = new MemoryObject();
  lock(object, exclusive);
  const rubbish = fromHex('ff00');
  object.stored = { ...object.stored, xattrs: new Map([['lock.l', rubbish]]) };

  expect(lock(object, exclusive)).toBe(Errno.EIO);
  expect(unlock(object)).toBe(Errno.EIO);
  expect(object.stored.xattrs.get('lock.l')).toBe(rubbish);
});

const step = fc.record({
  client: fc.nat(2),
  cookie: fc.constantFrom('a', 'b'),
  tag: fc.constantFrom('', 't'),
  type: fc.constantFrom(LockType.exclusive, LockType.shared, LockType.exclusiveEphemeral),
  flags: fc.nat(3),
  seconds: fc.nat(2),
  pause: fc.nat(1),
  release: fc.boolean(),
});

test('whatever is asked for, an exclusive lock never has two holders, nor a shared one two tags', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const object = new MemoryObject();
      let tag = '';
      for (const { client, pause, release, seconds, ...given } of steps) {
        object.time = { sec: object.time.sec + pause, nsec: 0 };
        const before = holders(object.as(client));
        if (release) unlock(object, given.cookie);
        else if (lock(object, { ...exclusive, ...given, duration: { sec: seconds, nsec: 0 } }) === 0) {
          const isHeld = typeof before !== 'number' && before.length > 0;
          if (isHeld) expect(given.tag).toBe(tag);
          tag = given.tag;
        }
        const found = info(object);
        if (typeof found === 'number' || found.type === LockType.shared) continue;
        expect(found.lockers.length).toBeLessThanOrEqual(1);
      }
    }),
  );
});
