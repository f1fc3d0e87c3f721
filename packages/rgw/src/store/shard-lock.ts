/** Work on an object of the log pool that one gateway at a time does. */
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, lockObject, RadosError, unlockObject } from '@spirula/rados';
import { type Entropy, randomAlphanumeric } from './entropy.ts';

const COOKIE_LENGTH = 16;

export interface ShardLock {
  readonly name: string;
  /** So long the lock is held at most: whoever works longer is not alone any more. */
  readonly seconds: number;
}

/** False: another gateway is at it. */
export async function exclusively(
  io: IoCtx,
  oid: RawString,
  { name, seconds }: ShardLock,
  entropy: Entropy,
  work: () => Promise<void>,
): Promise<boolean> {
  const cookie = randomAlphanumeric(entropy, COOKIE_LENGTH);
  try {
    await lockObject(io, oid, name, 'exclusive', { cookie, duration: { sec: seconds, nsec: 0 } });
  } catch (error) {
    if (error instanceof RadosError && (error.code === Errno.EBUSY || error.code === Errno.EEXIST)) return false;
    throw error;
  }
  try {
    await work();
  } finally {
    await unlockObject(io, oid, name, cookie);
  }
  return true;
}
