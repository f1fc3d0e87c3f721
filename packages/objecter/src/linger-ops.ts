/**
 * Requests that linger: watches, which an OSD is to know of as long as they last, and notifies, whose end comes in a message
 * of its own (Objecter::LingerOp).
 *
 *   watch:  registering --> registered --interval changed, session broken--> connecting again --> registered
 *                |              | pinged every objecter_tick_interval              |
 *                v              v                                                  v
 *            refused         broken: refused a ping, disconnected        broken: refused
 *
 *   notify: asking --> waiting for its end --interval changed, session broken--> asking anew
 *
 * None of their requests is sent twice: what an OSD remembers of the first sending would answer the second without the
 * session being known. In its place goes a new one. A watch that is broken stays so: its owner ends it, and watches anew.
 */
import { type Bytes, Decoder, EMPTY, Errno, MalformedInput, type OsdId, type RawString } from '@spirula/encoding';
import {
  decodeNotifyOutcome,
  encodeNotifyAck,
  encodeNotifyRequest,
  type NotifyOutcome,
  notifyOp,
  type ObjectLocator,
  OsdFlag,
  OsdOpCode,
  type WatchNotify,
  WatchOp,
  watchOp,
} from '@spirula/messages';
import type { Instant } from '@spirula/world';
import type { ObjectReply, ObjectRequest } from './object-request.ts';
import type { OpTarget } from './op-target.ts';

/** Watches and notifies of one client. Further ones fail with EBUSY. */
const MAX_LINGERING = 65_536;
const NO_OUTCOME: NotifyOutcome = { acks: [], timedOut: [] };

export interface LingerTarget {
  readonly oid: RawString;
  readonly locator: ObjectLocator;
}

/** What a watcher is told. `acknowledge` it, or the notifier waits until its timeout. */
export interface Notification {
  readonly notifyId: bigint;
  /** Of the watch. */
  readonly cookie: bigint;
  /** Global id of the client that notifies. */
  readonly notifierGid: bigint;
  readonly payload: Bytes;
}

export interface WatchRequest extends LingerTarget {
  /** For so long this client may be silent; 0 takes the OSD's default. */
  readonly timeoutSeconds: number;
  onNotify(notification: Notification): void;
  /**
   * The watch is broken: it is told of nothing more. `code` is a negative errno, ENOTCONN when the OSD has forgotten it; `age`, how long before
   * the OSD was known to have it, in microseconds.
   */
  onError(code: number, age: Instant): void;
}

export interface NotifyCall extends LingerTarget {
  readonly payload: Bytes;
  /** For so long watchers are waited for; 0 takes the OSD's default. */
  readonly timeoutSeconds: number;
}

/** `code` is 0, ETIMEDOUT when some did not acknowledge, or why there was no notify at all. */
export type NotifyDone = (code: number, outcome: NotifyOutcome) => void;

export interface LingerHost {
  readonly now: Instant;
  /** Where a request goes by the newest map; undefined: there is none, or it has no such pool. */
  targetOf(target: LingerTarget): OpTarget | undefined;
  submit(request: ObjectRequest, done: (reply: ObjectReply) => void): bigint;
  cancel(tid: bigint): void;
  /** Calls `onTick` after objecter_tick_interval. */
  armTick(): void;
}

/** A request under way; its tid once it was submitted. */
interface Attempt {
  tid?: bigint;
}

interface Linger extends LingerTarget {
  readonly cookie: bigint;
  /** Where the newest map puts it. */
  place: OpTarget | undefined;
  /** The request that registers it, while it has no answer. */
  registering: Attempt | undefined;
  readonly role: WatchRole | NotifyRole;
}

interface WatchRole {
  readonly kind: 'watch';
  readonly request: WatchRequest;
  done: ((code: number) => void) | undefined;
  registered: boolean;
  /** Counts registrations: an answer to a ping of one before says nothing. */
  generation: number;
  pinging: Attempt | undefined;
  /** Negative errno once it is broken. */
  error: number;
  /** The OSD is known to have had the watch at this instant. */
  validAt: Instant;
}

interface NotifyRole {
  readonly kind: 'notify';
  readonly call: NotifyCall;
  readonly done: NotifyDone;
  /** As its OSD numbered it; undefined until it has said so. */
  notifyId: bigint | undefined;
}

export class LingerOps {
  readonly #host: LingerHost;
  readonly #lingers = new Map<bigint, Linger>();
  readonly #unplaced = new Set<Linger>();
  #lastCookie = 0n;
  #ticking = false;

  constructor(host: LingerHost) {
    this.#host = host;
  }

  /** Begins to watch; `done` comes once, with 0 or why not. Returns the watch's cookie. */
  watch(request: WatchRequest, done: (code: number) => void): bigint {
    const start = { registered: false, generation: 0, pinging: undefined, error: 0, validAt: this.#host.now };
    return this.#add(request, { kind: 'watch', request, done, ...start }, () => done(Errno.EBUSY));
  }

  /** Ends a watch: nothing is told any more. ENOTCONN when there is none; ENOENT when its object has gone. */
  unwatch(cookie: bigint, done: (code: number) => void): void {
    const linger = this.#lingers.get(cookie);
    if (linger?.role.kind !== 'watch') return done(Errno.ENOTCONN);
    this.#remove(linger);
    const op = watchOp({ cookie, ver: 0n, op: WatchOp.unwatch, gen: 0, timeout: 0 });
    this.#submit(linger, OsdFlag.write, [op], ({ result }) => done(result), false);
  }

  /** How long ago the OSD was last known to have the watch, in microseconds; a negative errno when it is broken. */
  check(cookie: bigint): Instant {
    const role = this.#lingers.get(cookie)?.role;
    if (role?.kind !== 'watch') return Errno.ENOTCONN;
    return role.error < 0 ? role.error : this.#host.now - role.validAt;
  }

  /** How many times a watch has been connected, for checkers: over a new connection it may be told of a notify again. */
  connections(cookie: bigint): number {
    const role = this.#lingers.get(cookie)?.role;
    return role?.kind === 'watch' ? role.generation : 0;
  }

  /** Answers a notify; `done` when the OSD has the answer, with 0 or an errno. */
  acknowledge(
    target: LingerTarget,
    cookie: bigint,
    notifyId: bigint,
    reply: Bytes,
    done: (code: number) => void,
  ): void {
    const op = notifyOp(OsdOpCode.notifyAck, 0n, encodeNotifyAck({ notifyId, cookie, reply }));
    this.#submit(target, OsdFlag.read, [op], ({ result }) => done(result), false);
  }

  /** Tells all who watch; `done` comes once. */
  notify(call: NotifyCall, done: NotifyDone): void {
    const role = { kind: 'notify', call, done, notifyId: undefined } as const;
    this.#add(call, { ...role }, () => done(Errno.EBUSY, NO_OUTCOME));
  }

  #add({ oid, locator }: LingerTarget, role: Linger['role'], refuse: () => void): bigint {
    const cookie = ++this.#lastCookie;
    if (this.#lingers.size >= MAX_LINGERING) {
      refuse();
      return cookie;
    }
    const linger: Linger = { cookie, oid, locator, place: undefined, registering: undefined, role };
    this.#lingers.set(cookie, linger);
    linger.place = this.#host.targetOf(linger);
    this.#register(linger);
    if (!this.#ticking) this.#host.armTick();
    this.#ticking = true;
    return cookie;
  }

  #remove(linger: Linger): void {
    this.#lingers.delete(linger.cookie);
    this.#unplaced.delete(linger);
    this.#stopRegistering(linger);
    if (linger.role.kind === 'watch') this.#stopPing(linger.role);
  }

  #stopRegistering(linger: Linger): void {
    const { registering } = linger;
    linger.registering = undefined;
    if (registering?.tid !== undefined) this.#host.cancel(registering.tid);
  }

  #stopPing(role: WatchRole): void {
    const { pinging } = role;
    role.pinging = undefined;
    if (pinging?.tid !== undefined) this.#host.cancel(pinging.tid);
  }

  /** Asks an OSD for what is to linger there, in place of what was asked before. */
  #register(linger: Linger): void {
    const { cookie, role } = linger;
    this.#stopRegistering(linger);
    if (role.kind === 'notify') {
      role.notifyId = undefined;
      const op = notifyOp(OsdOpCode.notify, cookie, encodeNotifyRequest(role.call));
      this.#ask(linger, OsdFlag.read, op, (reply) => this.#onNotifyBegun(linger, role, reply));
      return;
    }
    if (role.error < 0) return;
    this.#stopPing(role);
    const isAgain = role.registered;
    if (isAgain) role.generation += 1;
    const kind = isAgain ? WatchOp.reconnect : WatchOp.watch;
    const timeout = role.request.timeoutSeconds;
    const op = watchOp({ cookie, ver: 0n, op: kind, gen: role.generation, timeout });
    const askedAt = this.#host.now;
    this.#ask(linger, OsdFlag.write, op, ({ result }) => {
      // An OSD that has the watch on this session already gives it no more time for being asked again (Watch::connect): only
      // pings tell that it is whole from now on.
      if (isAgain) {
        if (result < 0) this.#break(role, result);
        return;
      }
      if (result >= 0) role.validAt = askedAt;
      this.#onRegistered(linger, role, result);
    });
  }

  #ask(linger: Linger, flags: number, op: ReturnType<typeof watchOp>, done: (reply: ObjectReply) => void): void {
    const attempt: Attempt = {};
    linger.registering = attempt;
    attempt.tid = this.#submit(linger, flags, [op], (reply) => {
      // Another may have taken its place.
      if (linger.registering !== attempt) return;
      linger.registering = undefined;
      // It would have had to be sent again.
      if (reply.result === Errno.ECANCELED) this.#register(linger);
      else done(reply);
    });
  }

  #submit(
    { oid, locator }: LingerTarget,
    flags: number,
    ops: ObjectRequest['ops'],
    done: (reply: ObjectReply) => void,
    once = true,
  ): bigint {
    return this.#host.submit({ oid, locator, ops, flags, ...(once && { once }) }, done);
  }

  #onRegistered(linger: Linger, role: WatchRole, code: number): void {
    const { done } = role;
    role.done = undefined;
    if (code < 0) this.#remove(linger);
    else role.registered = true;
    done?.(Math.min(code, 0));
  }

  #break(role: WatchRole, code: number): void {
    if (role.error < 0) return;
    // Without its object there is no watch either.
    role.error = code === Errno.ENOENT ? Errno.ENOTCONN : code;
    this.#stopPing(role);
    role.request.onError(role.error, this.#host.now - role.validAt);
  }

  #onNotifyBegun(linger: Linger, role: NotifyRole, { result, ops }: ObjectReply): void {
    if (result < 0) return this.#endNotify(linger, role, result, NO_OUTCOME);
    try {
      role.notifyId = new Decoder(ops[0]?.output ?? EMPTY).u64big('notify id');
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      this.#endNotify(linger, role, Errno.EIO, NO_OUTCOME);
    }
  }

  #endNotify(linger: Linger, { done }: NotifyRole, code: number, outcome: NotifyOutcome): void {
    this.#remove(linger);
    done(code, outcome);
  }

  /** What an OSD says to a watcher, or to a notifier. */
  onMessage(message: WatchNotify): void {
    const linger = this.#lingers.get(message.cookie);
    if (!linger) return;
    const { role } = linger;
    if (role.kind === 'watch') this.#onWatchMessage(role, message);
    else if (message.event === 'notifyComplete') this.#onComplete(linger, role, message);
  }

  #onWatchMessage(role: WatchRole, { event, notifyId, cookie, notifierGid, payload }: WatchNotify): void {
    if (event === 'disconnect') this.#break(role, Errno.ENOTCONN);
    else if (event === 'notify') role.request.onNotify({ notifyId, cookie, notifierGid, payload });
  }

  #onComplete(linger: Linger, role: NotifyRole, { notifyId, result, data }: WatchNotify): void {
    // The end of one that was asked for before this.
    if (role.notifyId !== undefined && role.notifyId !== notifyId) return;
    try {
      this.#endNotify(linger, role, result, decodeNotifyOutcome(data));
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      this.#endNotify(linger, role, Errno.EIO, NO_OUTCOME);
    }
  }

  /**
   * A newer map is in force.
   *
   * @param isSkipping between it and the one before there were others, which may have held other intervals
   */
  onMap(isSkipping: boolean): void {
    for (const linger of this.#lingers.values()) {
      const before = linger.place;
      linger.place = this.#host.targetOf(linger);
      const { place } = linger;
      if (!place || !before) continue;
      const isElsewhere = place.interval !== before.interval || place.lastForceResend > before.lastForceResend;
      if (isSkipping || isElsewhere) this.#unplaced.add(linger);
    }
    for (const linger of [...this.#lingers.values()]) if (!linger.place) this.#onPoolGone(linger);
  }

  /** One that is being registered hears of it by that request. */
  #onPoolGone(linger: Linger): void {
    const { role, registering } = linger;
    if (registering !== undefined) return;
    if (role.kind === 'watch') this.#break(role, Errno.ENOTCONN);
    else this.#endNotify(linger, role, Errno.ENOENT, NO_OUTCOME);
  }

  /** The connection to an OSD is gone, and what it knew of this client with it. */
  onSessionGone(osd: OsdId): void {
    for (const linger of this.#lingers.values()) if (linger.place?.osd === osd) this.#unplaced.add(linger);
  }

  /** Asks again for what has lost its place. */
  flush(): void {
    const unplaced = [...this.#unplaced];
    this.#unplaced.clear();
    for (const linger of unplaced) this.#register(linger);
  }

  onTick(): void {
    this.#ticking = this.#lingers.size > 0;
    if (!this.#ticking) return;
    this.#host.armTick();
    for (const linger of this.#lingers.values()) if (linger.role.kind === 'watch') this.#ping(linger, linger.role);
  }

  #ping(linger: Linger, role: WatchRole): void {
    const isDue = role.registered && role.error === 0 && linger.registering === undefined;
    if (!isDue || role.pinging !== undefined) return;
    const { generation } = role;
    const sentAt = this.#host.now;
    const op = watchOp({ cookie: linger.cookie, ver: 0n, op: WatchOp.ping, gen: generation, timeout: 0 });
    const attempt: Attempt = {};
    role.pinging = attempt;
    attempt.tid = this.#submit(linger, OsdFlag.read, [op], ({ result }) => {
      if (role.pinging !== attempt) return;
      role.pinging = undefined;
      if (result === Errno.ECANCELED || role.generation !== generation) return;
      if (result >= 0) role.validAt = sentAt;
      else this.#break(role, result);
    });
  }

  /** Nobody answers any more. */
  shutdown(): void {
    for (const linger of [...this.#lingers.values()]) {
      const { role } = linger;
      this.#remove(linger);
      if (role.kind === 'notify') role.done(Errno.ESHUTDOWN, NO_OUTCOME);
      else role.done?.(Errno.ESHUTDOWN);
    }
  }
}
