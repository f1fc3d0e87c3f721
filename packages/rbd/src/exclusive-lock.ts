/**
 * The lock of an image, of which one client at a time writes to it (librbd/ManagedLock.cc, managed_lock/AcquireRequest.cc,
 * BreakRequest.cc). Who wants it asks for it by a notify of the header; who has it gives it away when nothing is being written. One
 * that watches the header no more is dead: it is kept from the cluster, and its lock broken.
 *
 *            use            work begins
 *   free ---------> asking -----------> held -----> asked for, last work ends -----> free, all are told
 */
import { encodeCookieInput, type Locker, LockType } from '@spirula/cls';
import { type EntityAddr, Errno, formatAddr, type RawString } from '@spirula/encoding';
import {
  breakLock,
  type IoCtx,
  lockInfo,
  lockObject,
  type NotifyResult,
  type Rados,
  RadosError,
  unlockObject,
} from '@spirula/rados';
import { LOCK } from './names.ts';
import { type ClientId, decodeResponse, encodeNotice } from './notify-messages.ts';

/** RBD's tag of locks that clients take by themselves; their cookies are `auto` and the cookie of the watch. */
const TAG = 'internal';
const OWN_COOKIE = /^auto (\d+)$/;
/** Seconds that a notify waits for answers. */
const NOTIFY_SECONDS = 10;
/** One who was asked for the lock is asked again after so long. */
const ASK_AGAIN_US = 5_000_000;

export interface ExclusiveLockOptions {
  readonly rados: Rados;
  /** Of the header. */
  readonly io: IoCtx;
  readonly oid: RawString;
  readonly client: () => ClientId;
  readonly sleep: (us: number) => Promise<void>;
  /** Called with the lock held, before the first work: when it fails, the lock is given back. */
  readonly onAcquired: () => Promise<void>;
  /** Called with the lock held, after the last work. */
  readonly beforeRelease: () => Promise<void>;
  /** Called when somebody took the lock away. */
  readonly onLost: () => void;
}

export class ExclusiveLock {
  readonly #options: ExclusiveLockOptions;
  #acquiring: Promise<void> | undefined;
  #releasing: Promise<void> | undefined;
  #isHeld = false;
  #users = 0;
  #onIdle: (() => void) | undefined;
  #onReleasedByOther: (() => void) | undefined;

  constructor(options: ExclusiveLockOptions) {
    this.#options = options;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Runs work while the lock is held. @throws RadosError EBUSY: somebody holds it by hand, or does not give it away */
  async use<T>(work: () => Promise<T>): Promise<T> {
    while (this.#releasing || !this.#isHeld) {
      if (this.#releasing) await this.#releasing;
      else await this.#acquire();
    }
    this.#users += 1;
    try {
      return await work();
    } finally {
      this.#users -= 1;
      if (this.#users === 0) this.#onIdle?.();
    }
  }

  /** Another client asks for it. True: it is held here, and will be given away. */
  requested(): boolean {
    if (!this.#isHeld) return false;
    void this.release().catch(() => {});
    return true;
  }

  /** Another client says that it has given it away. */
  releasedByOther(): void {
    this.#onReleasedByOther?.();
  }

  /** The watch that stands for this client is another one now. @param before whose watch the lock names */
  async rename(before: ClientId): Promise<void> {
    if (!this.#isHeld) return;
    const { io, oid, onLost } = this.#options;
    const held = { name: LOCK, type: LockType.exclusive, cookie: cookieOf(before), tag: TAG };
    try {
      await io.exec(oid, 'lock', 'set_cookie', encodeCookieInput(held, this.#cookie));
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      this.#isHeld = false;
      onLost();
    }
  }

  /** Once nothing is being done under it. */
  release(): Promise<void> {
    if (!this.#isHeld) return this.#releasing ?? Promise.resolve();
    this.#releasing ??= this.#release().finally(() => {
      this.#releasing = undefined;
    });
    return this.#releasing;
  }

  async #release(): Promise<void> {
    const { io, oid, client, beforeRelease } = this.#options;
    if (this.#users > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#onIdle = undefined;
    await beforeRelease();
    this.#isHeld = false;
    await unlockObject(io, oid, LOCK, this.#cookie);
    void this.#notify({ kind: 'releasedLock', client: client() });
  }

  #acquire(): Promise<void> {
    this.#acquiring ??= this.#askUntilHeld().finally(() => {
      this.#acquiring = undefined;
    });
    return this.#acquiring;
  }

  async #askUntilHeld(): Promise<void> {
    const { io, oid, client, onAcquired } = this.#options;
    while (!(await this.#tryLock())) await this.#askHolder();
    try {
      await onAcquired();
    } catch (error) {
      await unlockObject(io, oid, LOCK, this.#cookie);
      throw error;
    }
    this.#isHeld = true;
    void this.#notify({ kind: 'acquiredLock', client: client() });
  }

  get #cookie(): RawString {
    return cookieOf(this.#options.client());
  }

  async #tryLock(): Promise<boolean> {
    const { io, oid } = this.#options;
    try {
      await lockObject(io, oid, LOCK, 'exclusive', { cookie: this.#cookie, tag: TAG });
      return true;
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      // A request that was sent twice.
      if (error.code === Errno.EEXIST) return true;
      if (error.code !== Errno.EBUSY) throw error;
      return false;
    }
  }

  /** Returns when the lock may be had. */
  async #askHolder(): Promise<void> {
    const { io, oid, client, sleep } = this.#options;
    const { lockers, tag } = await lockInfo(io, oid, LOCK);
    const [holder] = lockers;
    if (!holder) return;
    const handle = OWN_COOKIE.exec(holder.cookie)?.[1];
    if (tag !== TAG || handle === undefined) throw new RadosError(Errno.EBUSY, `the lock of ${oid}`);
    const watchers = await io.listWatchers(oid);
    const isAlive = watchers.some(({ cookie, addr }) => cookie === BigInt(handle) && isSameAddr(addr, holder.addr));
    if (!isAlive) {
      await this.#breakLock(holder);
      return;
    }
    const released = new Promise<void>((resolve) => {
      this.#onReleasedByOther = resolve;
    });
    const result = await this.#notify({ kind: 'requestLock', client: client() });
    const refused = result?.acks
      .map(({ reply }) => decodeResponse(reply))
      .find((code) => code !== undefined && code < 0);
    if (refused !== undefined) throw new RadosError(refused, `the lock of ${oid}`);
    await Promise.race([released, sleep(ASK_AGAIN_US)]);
    this.#onReleasedByOther = undefined;
  }

  async #breakLock(holder: Locker): Promise<void> {
    const { rados, io, oid } = this.#options;
    const { addr } = holder;
    const blocked = await rados.monCommand({
      prefix: 'osd blocklist',
      blocklistop: 'add',
      addr: formatAddr(addr).replace(/^(?:v1|v2|any):/, ''),
    });
    if (blocked.code < 0) throw new RadosError(blocked.code, `keeping the dead holder of ${oid} away`);
    await rados.waitForLatestMap();
    try {
      await breakLock(io, oid, LOCK, holder);
    } catch (error) {
      // Somebody else was faster.
      if (!(error instanceof RadosError && error.code === Errno.ENOENT)) throw error;
    }
  }

  /** Undefined: it could not be told. */
  async #notify(notice: Parameters<typeof encodeNotice>[0]): Promise<NotifyResult | undefined> {
    try {
      return await this.#options.io.notify(this.#options.oid, encodeNotice(notice), NOTIFY_SECONDS);
    } catch (error) {
      if (error instanceof RadosError) return undefined;
      throw error;
    }
  }
}

function cookieOf({ handle }: ClientId): RawString {
  return `auto ${handle}`;
}

function isSameAddr(a: EntityAddr, b: EntityAddr): boolean {
  return a.ip === b.ip && a.port === b.port && a.nonce === b.nonce;
}
