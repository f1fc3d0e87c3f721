/**
 * Who watches the objects of a PG, as its primary knows it, and the notifies that are under way (osd/Watch.cc).
 *
 *   in the object's info only --load--> unconnected --connect--> connected --session ends--> unconnected
 *                                           |                        |
 *                                           +-- silent for its timeout: leaves the object's info, then is forgotten
 *
 *   notify --> sent to all who watch, those without a session when they come --> acknowledged, or left, by all --> complete
 *                                                                            --> timed out: complete, naming the others
 *
 * Who watches stands in the object's info, which every member has. All that is kept here ends with the interval: the next
 * primary begins with what the infos say as they are read, waits for the clients to come, and a notifier asks anew.
 */
import { EMPTY, Errno } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import { encodeNotifyOutcome, type NotifyAck, type WatchItem, type WatchNotify } from '@spirula/messages';
import { type Instant, type SessionId, seconds } from '@spirula/world';
import { type ObjectKey, objectKey } from './object-id.ts';
import type { ClientIdentity, WatchEffect } from './ops/watch-effect.ts';

/** Before a watcher that could not be taken from its object now is tried again. */
const RETRY: Instant = seconds(1);
/** Notifies under way on one object; a further one waits for nobody, and is complete with ETIMEDOUT at once. */
const MAX_NOTIFIES = 1024;

interface Watch {
  readonly item: WatchItem;
  session: SessionId | undefined;
  /** Its client sends pings; else it lives as long as its session. */
  pings: boolean;
  /** It is taken from its object at this instant; undefined: while its session lasts. */
  deadline: Instant | undefined;
  /** It is being taken from its object. */
  leaving: boolean;
  readonly notifies: Map<bigint, Notify>;
}

interface Notify {
  readonly id: bigint;
  readonly notifier: ClientIdentity;
  readonly cookie: bigint;
  /** User version of the object. */
  readonly version: number;
  readonly payload: Uint8Array;
  readonly deadline: Instant;
  readonly waitingFor: Set<Watch>;
  readonly acks: { readonly gid: bigint; readonly cookie: bigint; readonly reply: Uint8Array }[];
  replyBytes: number;
}

interface WatchedObject {
  readonly oid: HObject;
  readonly watches: Map<string, Watch>;
  readonly notifies: Set<Notify>;
}

export interface WatchesHost {
  readonly now: Instant;
  /** Bytes of replies that one notify gathers, at most: a watcher whose reply is beyond counts as silent. */
  readonly maxReplyBytes: number;
  send(session: SessionId, message: WatchNotify): void;
  /** Calls `onTimer` at that instant, or earlier. */
  wakeAt(at: Instant): void;
  isBlocklisted(watcher: WatchItem): boolean;
  /**
   * Takes a watcher from the object's info; `disconnect` of it follows when that is durable. Returns false when that
   * cannot be done now.
   */
  dropWatcher(oid: HObject, watcher: WatchItem): boolean;
}

type WatchName = Pick<WatchItem, 'cookie' | 'entityType' | 'entityNum'>;

export function watchKey({ cookie, entityType, entityNum }: WatchName): string {
  return `${cookie} ${entityType}.${entityNum}`;
}

export class Watches {
  readonly #host: WatchesHost;
  readonly #objects = new Map<ObjectKey, WatchedObject>();

  constructor(host: WatchesHost) {
    this.#host = host;
  }

  /** The object's info was read: those who watch it and are not known yet are given their timeout to come. */
  load(oid: HObject, items: readonly WatchItem[]): void {
    if (items.length === 0 || this.#objects.has(objectKey(oid))) return;
    const object = this.#objectOf(oid);
    for (const item of items) {
      this.#giveTime(this.#add(object, item));
    }
    this.dropBlocklisted();
  }

  /** All who watch. */
  *all(): Generator<{ readonly oid: HObject; readonly item: WatchItem }> {
    for (const { oid, watches } of this.#objects.values()) for (const { item } of watches.values()) yield { oid, item };
  }

  isConnected(oid: HObject, name: WatchName): boolean {
    return this.#find(oid, name)?.session !== undefined;
  }

  /** Carries out what a request's ops came to, once its changes are durable (PrimaryLogPG::do_osd_op_effects). */
  apply(oid: HObject, effects: readonly WatchEffect[], client: ClientIdentity, userVersion: number): void {
    for (const effect of effects) if (effect.kind === 'disconnect') this.disconnect(oid, effect.watcher, effect.tell);
    for (const effect of effects) if (effect.kind === 'connect') this.#connect(oid, effect.item, effect.pings, client);
    for (const effect of effects) if (effect.kind === 'ping') this.#onPing(oid, effect.watcher);
    for (const effect of effects) if (effect.kind === 'notify') this.#notify(oid, effect, client, userVersion);
    for (const effect of effects) if (effect.kind === 'ack') this.#onAck(oid, effect.ack, client);
  }

  /** The watcher is no longer in the object's info. */
  disconnect(oid: HObject, name: WatchName, tell: boolean): void {
    const object = this.#objects.get(objectKey(oid));
    const watch = object?.watches.get(watchKey(name));
    if (!object || !watch) return;
    object.watches.delete(watchKey(name));
    if (tell && watch.session !== undefined) {
      this.#host.send(watch.session, watchMessage('disconnect', { cookie: watch.item.cookie }));
    }
    for (const notify of watch.notifies.values()) {
      notify.waitingFor.delete(watch);
      this.#completeIfDone(object, notify);
    }
    this.#forgetIfIdle(object);
  }

  #connect(oid: HObject, item: WatchItem, pings: boolean, { session }: ClientIdentity): void {
    const object = this.#objectOf(oid);
    const watch = object.watches.get(watchKey(item)) ?? this.#add(object, item);
    if (watch.session === session) return;
    watch.session = session;
    watch.pings = pings;
    for (const notify of watch.notifies.values()) this.#sendNotify(watch, notify);
    if (pings) this.#giveTime(watch);
    else watch.deadline = undefined;
  }

  #onPing(oid: HObject, name: WatchName): void {
    const watch = this.#find(oid, name);
    if (watch?.session !== undefined && watch.deadline !== undefined) this.#giveTime(watch);
  }

  #notify(
    oid: HObject,
    { id, cookie, timeoutSeconds, payload }: Extract<WatchEffect, { readonly kind: 'notify' }>,
    notifier: ClientIdentity,
    version: number,
  ): void {
    const object = this.#objectOf(oid);
    const deadline = this.#host.now + seconds(timeoutSeconds);
    const waitingFor = new Set(object.watches.values());
    const notify: Notify = { id, notifier, cookie, version, payload, deadline, waitingFor, acks: [], replyBytes: 0 };
    if (object.notifies.size >= MAX_NOTIFIES) {
      this.#complete(object, notify);
      return;
    }
    object.notifies.add(notify);
    this.#host.wakeAt(deadline);
    for (const watch of waitingFor) {
      watch.notifies.set(id, notify);
      this.#sendNotify(watch, notify);
    }
    this.#completeIfDone(object, notify);
  }

  #sendNotify({ session, item }: Watch, { id, version, payload, notifier }: Notify): void {
    if (session === undefined) return;
    const fields = { cookie: item.cookie, version, notifyId: id, payload, notifierGid: notifier.entityNum };
    this.#host.send(session, watchMessage('notify', fields));
  }

  #onAck(oid: HObject, { notifyId, cookie, reply }: NotifyAck, { entityType, entityNum }: ClientIdentity): void {
    const object = this.#objects.get(objectKey(oid));
    if (!object) return;
    for (const watch of [...object.watches.values()]) {
      const { item } = watch;
      if (item.entityType !== entityType || item.entityNum !== entityNum) continue;
      // Clients of old do not say which watch it was.
      if (cookie !== 0n && item.cookie !== cookie) continue;
      const notify = watch.notifies.get(notifyId);
      if (!notify || notify.replyBytes + reply.length > this.#host.maxReplyBytes) continue;
      watch.notifies.delete(notifyId);
      notify.waitingFor.delete(watch);
      notify.replyBytes += reply.length;
      notify.acks.push({ gid: item.entityNum, cookie: item.cookie, reply });
      this.#completeIfDone(object, notify);
    }
  }

  #completeIfDone(object: WatchedObject, notify: Notify): void {
    if (notify.waitingFor.size === 0) this.#complete(object, notify);
  }

  #complete(object: WatchedObject, notify: Notify): void {
    const { id, version, cookie, notifier } = notify;
    const timedOut = [...notify.waitingFor].map(({ item }) => ({ gid: item.entityNum, cookie: item.cookie }));
    const acks = notify.acks.sort((a, b) => compare(a.gid, b.gid) || compare(a.cookie, b.cookie));
    const result = timedOut.length > 0 ? Errno.ETIMEDOUT : 0;
    const data = encodeNotifyOutcome({ acks, timedOut });
    const fields = { cookie, version, notifyId: id, notifierGid: notifier.entityNum, result, data };
    this.#host.send(notifier.session, watchMessage('notifyComplete', fields));
    for (const watch of notify.waitingFor) watch.notifies.delete(id);
    object.notifies.delete(notify);
    this.#forgetIfIdle(object);
  }

  /** A session has ended: who pings has as long to come back as since its last ping, others their whole timeout. */
  onSessionClosed(session: SessionId): void {
    for (const { watches } of this.#objects.values()) {
      for (const watch of watches.values()) {
        if (watch.session !== session) continue;
        watch.session = undefined;
        if (!watch.pings) this.#giveTime(watch);
      }
    }
  }

  /** The interval is over. */
  onReset(): void {
    this.#objects.clear();
  }

  /** Notifies and watchers whose time is up. */
  onTimer(): void {
    const { now } = this.#host;
    let next = Number.POSITIVE_INFINITY;
    for (const object of [...this.#objects.values()]) {
      for (const notify of [...object.notifies]) {
        if (notify.deadline <= now) this.#complete(object, notify);
        else next = Math.min(next, notify.deadline);
      }
      for (const watch of object.watches.values()) {
        if (watch.deadline === undefined) continue;
        if (watch.deadline <= now) this.#drop(object, watch);
        next = Math.min(next, watch.deadline ?? next);
      }
    }
    if (next !== Number.POSITIVE_INFINITY) this.#host.wakeAt(next);
  }

  /** Clients that the map, or a watcher that was just loaded, shows to be blocklisted lose their watches. */
  dropBlocklisted(): void {
    for (const object of this.#objects.values()) {
      for (const watch of object.watches.values()) if (this.#host.isBlocklisted(watch.item)) this.#drop(object, watch);
    }
  }

  #drop({ oid }: WatchedObject, watch: Watch): void {
    if (watch.leaving) return;
    watch.leaving = this.#host.dropWatcher(oid, watch.item);
    if (watch.leaving) watch.deadline = undefined;
    else {
      watch.deadline = this.#host.now + RETRY;
      this.#host.wakeAt(watch.deadline);
    }
  }

  #giveTime(watch: Watch): void {
    watch.deadline = this.#host.now + seconds(watch.item.timeoutSeconds);
    this.#host.wakeAt(watch.deadline);
  }

  #add({ watches }: WatchedObject, item: WatchItem): Watch {
    const rest = { session: undefined, pings: false, deadline: undefined, leaving: false, notifies: new Map() };
    const watch: Watch = { item, ...rest };
    watches.set(watchKey(item), watch);
    return watch;
  }

  #find(oid: HObject, name: WatchName): Watch | undefined {
    return this.#objects.get(objectKey(oid))?.watches.get(watchKey(name));
  }

  #objectOf(oid: HObject): WatchedObject {
    const key = objectKey(oid);
    let object = this.#objects.get(key);
    if (!object) {
      object = { oid, watches: new Map(), notifies: new Set() };
      this.#objects.set(key, object);
    }
    return object;
  }

  #forgetIfIdle({ oid, watches, notifies }: WatchedObject): void {
    if (watches.size === 0 && notifies.size === 0) this.#objects.delete(objectKey(oid));
  }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}

function watchMessage(
  event: WatchNotify['event'],
  fields: Partial<WatchNotify> & Pick<WatchNotify, 'cookie'>,
): WatchNotify {
  const nothing = { version: 0, notifyId: 0n, payload: EMPTY, result: 0, notifierGid: 0n, data: EMPTY };
  return { type: 'watch_notify', event, ...nothing, ...fields };
}
