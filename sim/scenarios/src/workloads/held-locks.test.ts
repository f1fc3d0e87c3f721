import { expect, test } from 'vitest';
import { HeldLocks } from './held-locks.ts';

function newLock() {
  const lock = new HeldLocks();
  return {
    lock,
    acquire: (cookie: string) => {
      lock.ask(cookie);
      return lock.onAcquired(cookie);
    },
    info: (...lockers: string[]) => lock.endInfo(lock.beginInfo(), lockers),
  };
}

test('a lock is given to one at a time', () => {
  const { lock, acquire } = newLock();

  expect(acquire('a')).toBeUndefined();
  expect(acquire('b')).toBe('the lock was given to b while a holds it');
  lock.end('b', 'releasing');
  expect(acquire('c')).toBeUndefined();
});

test('who has not heard, or is gone, may hold it; others break that', () => {
  const { lock, acquire, info } = newLock();
  lock.ask('a');
  lock.end('a', 'abandoned');

  expect([info(), info('a')]).toEqual([undefined, undefined]);
  expect(acquire('b')).toBeUndefined();
  expect(lock.fate('a')).toBe('abandoned');
});

test('whoever asks is told of the holder, and of nobody who was refused or has given up', () => {
  const { lock, acquire, info } = newLock();
  lock.ask('x');
  lock.end('x', 'over');
  acquire('a');

  expect(info('a')).toBeUndefined();
  expect(info()).toBe('the lock is held by nobody, and a has it');
  expect(info('a', 'b')).toBe('the lock is held by a and b');
  lock.end('a', 'releasing');
  expect([info(), info('a')]).toEqual([undefined, undefined]);
  lock.end('a', 'over');
  expect(info('a')).toBe('the lock is held by a, who has given it up');
  expect(info('z')).toBe('the lock is held by z, who has not asked for it');
});

test('what happens while somebody asks may show or not', () => {
  const { lock, acquire } = newLock();
  acquire('a');
  const start = lock.beginInfo();
  lock.end('a', 'releasing');
  lock.end('a', 'over');

  expect(lock.endInfo(start, ['a'])).toBeUndefined();
  expect(lock.endInfo(start, [])).toBeUndefined();
});
