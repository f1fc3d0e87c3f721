/**
 * The lock under which the index of a bucket is moved, or goes with the bucket (RGWBucketReshardLock): on an object of the reshard
 * pool that bears the instance's name and goes with the lock. It ends by itself, unless its holder renews it.
 */
import { encodeLockInput, LockFlag, LockType } from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, RadosError, unlockObject } from '@spirula/rados';
import { type Instant, seconds, type World } from '@spirula/world';
import type { Bucket } from '../formats/bucket.ts';
import { type Entropy, randomAlphanumeric } from '../store/entropy.ts';

const LOCK_NAME = 'reshard_process';
const COOKIE_LENGTH = 16;

export interface LockPorts {
  /** Of the reshard pool. */
  readonly io: IoCtx;
  readonly clock: Pick<World['clock'], 'now'>;
  readonly entropy: Entropy;
}

export class HeldLock {
  readonly #ports: LockPorts;
  readonly #oid: RawString;
  readonly #type: number;
  readonly #cookie: RawString;
  readonly #durationSeconds: number;
  #renewAt: Instant = 0;

  private constructor(ports: LockPorts, oid: RawString, type: number, durationSeconds: number) {
    this.#ports = ports;
    this.#oid = oid;
    this.#type = type;
    this.#durationSeconds = durationSeconds;
    this.#cookie = randomAlphanumeric(ports.entropy, COOKIE_LENGTH);
  }

  /** Of a bucket's instance. Undefined: somebody else holds it. @throws RadosError */
  static async ofBucket(ports: LockPorts, bucket: Bucket, durationSeconds: number): Promise<HeldLock | undefined> {
    return await HeldLock.#take(new HeldLock(ports, lockOid(bucket), LockType.exclusiveEphemeral, durationSeconds));
  }

  /** Of an object that stays. */
  static async ofObject(ports: LockPorts, oid: RawString, durationSeconds: number): Promise<HeldLock | undefined> {
    return await HeldLock.#take(new HeldLock(ports, oid, LockType.exclusive, durationSeconds));
  }

  static async #take(lock: HeldLock): Promise<HeldLock | undefined> {
    try {
      await lock.#lock(0);
      return lock;
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.EBUSY) return undefined;
      throw error;
    }
  }

  /** When half of its time is over. @throws RadosError it is not held any more */
  async renewIfDue(): Promise<void> {
    if (this.#ports.clock.now() >= this.#renewAt) await this.renew();
  }

  /** From now on it lasts as long as in the beginning. @throws RadosError it is not held any more */
  async renew(): Promise<void> {
    await this.#lock(LockFlag.mustRenew);
  }

  /** One that has ended is given up as well. @throws RadosError */
  async release(): Promise<void> {
    try {
      await unlockObject(this.#ports.io, this.#oid, LOCK_NAME, this.#cookie);
    } catch (error) {
      if (!(error instanceof RadosError) || error.code !== Errno.ENOENT) throw error;
    }
  }

  async #lock(flags: number): Promise<void> {
    const now = this.#ports.clock.now();
    const duration = { sec: this.#durationSeconds, nsec: 0 };
    const what = { name: LOCK_NAME, type: this.#type, cookie: this.#cookie, tag: '', description: '' };
    await this.#ports.io.exec(this.#oid, 'lock', 'lock', encodeLockInput({ ...what, duration, flags }));
    this.#renewAt = now + seconds(this.#durationSeconds) / 2;
  }
}

/** rgw_bucket::get_key, with `:` between all its parts. */
function lockOid({ tenant, name, bucketId }: Bucket): RawString {
  return `${tenant === '' ? '' : `${tenant}:`}${name}:${bucketId}`;
}
