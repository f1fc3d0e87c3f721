import { type Bytes, EMPTY, Errno } from '@spirula/encoding';
import type { LingerTarget, Notification, Objecter, WatchRequest } from '@spirula/objecter';
import { SECOND } from '@spirula/world';
import { RadosError } from './rados-error.ts';

/** A notify, as a watcher sees it. */
export interface WatchedNotify {
  readonly notifyId: bigint;
  /** Global id of the client that notifies. */
  readonly notifierGid: bigint;
  readonly payload: Bytes;
}

export interface WatchOptions {
  /**
   * Called for each notify. What it returns, or resolves to, is the answer the notifier gets; nothing answers with nothing. It
   * rejects or throws: the notifier waits in vain.
   */
  onNotify(notify: WatchedNotify): Bytes | undefined | Promise<Bytes | undefined>;
  /** The watch is broken and is told of nothing more: `unwatch`, and watch anew. `error.code` is ENOTCONN when it was forgotten. */
  onError?(error: RadosError): void;
  /** The cluster forgets the watch when this client was silent for so long; the OSDs' default (30) when left out. */
  readonly timeoutSeconds?: number;
}

/** Answers to notifies that are being made. */
export class WatchWork {
  readonly #running = new Set<Promise<void>>();

  run(work: Promise<void>): void {
    const settled = work.catch(() => {}).finally(() => this.#running.delete(settled));
    this.#running.add(settled);
  }

  /** Resolves when the callbacks of all notifies that have come are over. */
  async flush(): Promise<void> {
    await Promise.all(this.#running);
  }
}

/** A watch on one object, until `unwatch`. */
export class Watch {
  /** What this client calls the watch, in listings of watchers too. */
  readonly cookie: bigint;
  readonly #objecter: Objecter;
  readonly #target: LingerTarget;

  private constructor(objecter: Objecter, target: LingerTarget, cookie: bigint) {
    this.#objecter = objecter;
    this.#target = target;
    this.cookie = cookie;
  }

  /** @throws RadosError ENOENT without the object */
  static begin(objecter: Objecter, work: WatchWork, target: LingerTarget, options: WatchOptions): Promise<Watch> {
    const answer = async (notification: Notification) => {
      const { notifyId, notifierGid, payload } = notification;
      const reply = await options.onNotify({ notifyId, notifierGid, payload });
      objecter.lingers.acknowledge(target, notification.cookie, notifyId, reply ?? EMPTY, () => {});
    };
    const request: WatchRequest = {
      ...target,
      timeoutSeconds: options.timeoutSeconds ?? 0,
      onNotify: (notification) => work.run(answer(notification)),
      onError: (code) => options.onError?.(new RadosError(code, `watching ${target.oid}`)),
    };
    return new Promise((resolve, reject) => {
      const cookie = objecter.lingers.watch(request, (code) => {
        if (code < 0) reject(new RadosError(code, `watching ${target.oid}`));
        else resolve(new Watch(objecter, target, cookie));
      });
    });
  }

  /**
   * How long ago the cluster was last known to have the watch, in milliseconds (rados_watch_check).
   *
   * @throws RadosError what `onError` was told
   */
  check(): number {
    const age = this.#objecter.lingers.check(this.cookie);
    if (age < 0) throw new RadosError(age, `watching ${this.#target.oid}`);
    return Math.floor((1000 * age) / SECOND);
  }

  /** No callback begins after this. @throws RadosError ENOENT when the object has gone, ENOTCONN the second time */
  unwatch(): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#objecter.lingers.unwatch(this.cookie, (code) => {
        if (code < 0) reject(new RadosError(code, `unwatching ${this.#target.oid}`));
        else resolve();
      }),
    );
  }
}

/** What has become of a notify. */
export interface NotifyResult {
  readonly acks: readonly { readonly gid: bigint; readonly cookie: bigint; readonly reply: Bytes }[];
  /** Watchers that did not answer in time. */
  readonly timedOut: readonly { readonly gid: bigint; readonly cookie: bigint }[];
}

/** @param timeoutSeconds whole seconds; 0 takes the OSD's default */
export function notify(
  objecter: Objecter,
  target: LingerTarget,
  payload: Bytes,
  timeoutSeconds: number,
): Promise<NotifyResult> {
  return new Promise((resolve, reject) =>
    objecter.lingers.notify({ ...target, payload, timeoutSeconds }, (code, outcome) => {
      if (code < 0 && code !== Errno.ETIMEDOUT) reject(new RadosError(code, `notifying of ${target.oid}`));
      else resolve(outcome);
    }),
  );
}
