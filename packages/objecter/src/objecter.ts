/**
 * Sends requests on objects to the OSDs that serve them, and again whenever the map says that somebody else does
 * (osdc/Objecter.cc). A request keeps its transaction number however often it is sent, so that an OSD that has run it
 * already answers without running it twice.
 *
 *   submit --> [throttle] --> placed? --no map, no such pool--> waits for maps (or ENOENT)
 *                               | paused by flags, or no OSD serves the PG: waits for maps
 *                               v
 *                             sent on the primary's session --> reply --> done
 *                               ^        |
 *                               +--------+ interval changed, session broken, pause over: sent again
 *
 * At most objecter_inflight_ops requests and objecter_inflight_op_bytes bytes are under way; MAX_THROTTLED more wait.
 */
import {
  AddrType,
  type AddrVec,
  type Epoch,
  Errno,
  formatPgId,
  MalformedInput,
  type OsdId,
  sameAddrVec,
} from '@spirula/encoding';
import { type HObject, hasSnap, nextOsdMap, type OsdMap, osdUp } from '@spirula/maps';
import {
  extentArgs,
  type Message,
  NOSNAP,
  type OsdBackoff,
  OsdFlag,
  type OsdMapMessage,
  OsdOpCode,
  type OsdOpReply,
  osdOpName,
} from '@spirula/messages';
import { type Instant, SECOND, type SessionId, seconds, type World, type WorldEvent } from '@spirula/world';
import { LingerOps } from './linger-ops.ts';
import { failedReply, type ObjectReply, type ObjectRequest } from './object-request.ts';
import { computeTarget, isPaused, type OpTarget, PlacedMap } from './op-target.ts';
import { covers, OsdSession, osdOfReopenTimer } from './osd-session.ts';

const TICK_TIMER = 'objecter tick';
const TIMEOUT_PREFIX = 'objecter timeout ';
const LINGER_TIMER = 'objecter linger';
/** What every client sets (as librados does). */
const CLIENT_FLAGS = OsdFlag.ondisk | OsdFlag.knownRedir;
/** Requests kept beyond the throttle. Further ones fail with EBUSY. */
const MAX_THROTTLED = 100_000;
/** CEPH_FEATURES_ALL of a 16.2 client: what the OSD may answer with. */
const CLIENT_FEATURES = 0x3f01_cfbd_fffd_ffffn;
/** What a read without a length counts for in the throttle. */
const READ_BUDGET = 1 << 22;

/** What the objecter needs of the monitors; a `MonClient` is one. */
export interface MapSource {
  subscribe(what: string, start: Epoch, once?: boolean): void;
  unsubscribe(what: string): void;
  gotMap(what: string, epoch: Epoch): void;
  getVersion(what: string, done: (result: { readonly code: number; readonly newest: Epoch }) => void): unknown;
}

export interface ObjecterOptions {
  readonly world: World<Message>;
  /** Endpoint to dial from. */
  readonly endpoint: string;
  readonly mon: MapSource;
  /** A newer map is in force. */
  readonly onOsdMap?: (map: OsdMap) => void;
}

interface Op {
  readonly tid: bigint;
  readonly request: ObjectRequest;
  readonly flags: number;
  readonly done: (reply: ObjectReply) => void;
  readonly budget: number;
  readonly submittedAt: Instant;
  /** Undefined until a map with its pool is known. */
  target: OpTarget | undefined;
  paused: boolean;
  /** To be sent, or sent again. */
  unsent: boolean;
  attempts: number;
  /** The pool does not exist once a map of this epoch has been seen without it. */
  poolMissingAt: Epoch | 'unknown' | 'asked';
}

export class Objecter {
  readonly #world: World<Message>;
  readonly #endpoint: string;
  readonly #mon: MapSource;
  readonly #onOsdMap: (map: OsdMap) => void;
  /** In the order of their tids. */
  readonly #ops = new Map<bigint, Op>();
  readonly #throttled = new Map<bigint, Op>();
  readonly #sessions = new Map<OsdId, OsdSession>();
  /** Watches and notifies. */
  readonly lingers: LingerOps;
  readonly #mapWaiters = new Set<{ readonly epoch: Epoch; readonly done: (code: number) => void }>();
  #placed: PlacedMap | undefined;
  #lastTid = 0n;
  #inflightBytes = 0;
  #stopped = false;

  constructor(options: ObjecterOptions) {
    this.#world = options.world;
    this.#endpoint = options.endpoint;
    this.#mon = options.mon;
    this.#onOsdMap = options.onOsdMap ?? (() => {});
    this.lingers = this.#makeLingers();
  }

  /** The newest map; undefined before the first. */
  get map(): OsdMap | undefined {
    return this.#placed?.map;
  }

  /** What is under way, as `objecter_requests` shows it (Objecter::dump_ops). */
  dumpRequests(): readonly object[] {
    const now = this.#world.clock.now();
    return [...this.#ops.values()].map(({ tid, request, target, submittedAt, attempts, paused }) => {
      const locator = `@${request.locator.pool}`;
      return {
        tid,
        pg: target ? formatPgId(target.pgid) : '',
        osd: target?.osd ?? -1,
        object_id: request.oid,
        object_locator: locator,
        target_object_id: request.oid,
        target_object_locator: locator,
        paused: Number(paused),
        used_replica: 0,
        precalc_pgid: 0,
        age: (now - submittedAt) / SECOND,
        attempts,
        snapid: request.snapid === undefined || request.snapid === NOSNAP ? 'head' : request.snapid.toString(16),
        osd_ops: request.ops.map(({ code }) => osdOpName(code)),
      };
    });
  }

  get inflight(): number {
    return this.#ops.size + this.#throttled.size;
  }

  start(): void {
    this.#mon.subscribe('osdmap', 0);
  }

  /** Closes every session. Requests under way end with ESHUTDOWN; whether an OSD runs them is not known. */
  shutdown(): void {
    this.#stopped = true;
    this.lingers.shutdown();
    this.#world.clock.disarm(LINGER_TIMER);
    for (const session of this.#sessions.values()) session.close();
    this.#sessions.clear();
    this.#world.clock.disarm(TICK_TIMER);
    const ops = [...this.#ops.values(), ...this.#throttled.values()];
    this.#throttled.clear();
    for (const op of ops) this.#finish(op, failedReply(Errno.ESHUTDOWN));
    const waiters = [...this.#mapWaiters];
    this.#mapWaiters.clear();
    for (const waiter of waiters) waiter.done(Errno.ESHUTDOWN);
  }

  /** Returns whether the event was for the objecter. Maps from monitors come in by `handleOsdMap`. */
  handle(event: WorldEvent<Message>): boolean {
    switch (event.kind) {
      case 'timer':
        return this.#onTimer(event.name);
      case 'opened':
        return this.#sessionOf(event.session) !== undefined;
      case 'message': {
        const session = this.#sessionOf(event.session);
        if (session) this.#onMessage(session, event.message);
        return session !== undefined;
      }
      case 'reset': {
        const session = this.#sessionOf(event.session);
        if (session) this.#onReset(session);
        return session !== undefined;
      }
      case 'drained': {
        const session = this.#sessionOf(event.session);
        if (session) this.#onDrained(session);
        return session !== undefined;
      }
      default:
        return false;
    }
  }

  /** Carries a request out. `done` comes exactly once, never before this returns unless the objecter has no room (EBUSY). */
  submit(request: ObjectRequest, done: (reply: ObjectReply) => void): bigint {
    const tid = ++this.#lastTid;
    const op: Op = {
      tid,
      request,
      flags: request.flags | CLIENT_FLAGS,
      done,
      budget: computeBudget(request),
      submittedAt: this.#world.clock.now(),
      target: undefined,
      paused: false,
      unsent: true,
      attempts: 0,
      poolMissingAt: 'unknown',
    };
    if (this.#stopped || this.#throttled.size >= MAX_THROTTLED) {
      done(failedReply(this.#stopped ? Errno.ESHUTDOWN : Errno.EBUSY));
      return tid;
    }
    if (request.timeoutUs !== undefined) {
      this.#world.clock.arm(TIMEOUT_PREFIX + tid, op.submittedAt + request.timeoutUs);
    }
    if (this.#throttled.size > 0 || !this.#hasRoom(op)) this.#throttled.set(tid, op);
    else this.#begin(op);
    return tid;
  }

  /** Gives a request up: it ends with ECANCELED, though an OSD may still run it. */
  cancel(tid: bigint): void {
    this.#giveUp(tid, Errno.ECANCELED);
  }

  /** Calls `done(0)` once a map of at least `epoch` is in force. */
  waitForMap(epoch: Epoch, done: (code: number) => void): void {
    if ((this.map?.epoch ?? 0) >= epoch) done(0);
    else this.#mapWaiters.add({ epoch, done });
  }

  /** Calls `done(0)` once the map is as new as the monitors' own at the time of this call. */
  waitForLatestMap(done: (code: number) => void): void {
    this.#mon.getVersion('osdmap', ({ code, newest }) => {
      if (code < 0) done(code);
      else this.waitForMap(newest, done);
    });
  }

  /** Maps, whole or as increments, from a monitor or an OSD. A gap is asked for. */
  handleOsdMap(message: OsdMapMessage): void {
    const resend = new Set<Op>();
    try {
      for (let next = nextOsdMap(this.map, message); next; next = nextOsdMap(next, message)) this.#onMap(next, resend);
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      this.#world.log.warn('an OSDMap does not parse', { error: error.message });
    }
    const epoch = this.map?.epoch ?? 0;
    this.#mon.gotMap('osdmap', epoch);
    if (epoch < message.newest) this.#askForMaps();
    this.#afterMaps(resend);
  }

  /** For those who have a map already: takes it, unless its own is as new. Give it every epoch, one after another. */
  follow(map: OsdMap): void {
    if (map.epoch <= (this.map?.epoch ?? 0)) return;
    const resend = new Set<Op>();
    this.#onMap(map, resend);
    this.#afterMaps(resend);
  }

  #afterMaps(resend: ReadonlySet<Op>): void {
    const epoch = this.map?.epoch ?? 0;
    this.lingers.flush();
    for (const op of this.#ops.values()) if (resend.has(op)) this.#send(op);
    for (const waiter of [...this.#mapWaiters]) {
      if (waiter.epoch > epoch) continue;
      this.#mapWaiters.delete(waiter);
      waiter.done(0);
    }
  }

  /** The next maps, or a whole one where the monitors have trimmed them. */
  #askForMaps(): void {
    this.#mon.unsubscribe('osdmap');
    this.#mon.subscribe('osdmap', this.map ? this.map.epoch + 1 : 0);
  }

  /** Every epoch is looked at in turn: an interval that came and went between two of them still means sending again. */
  #onMap(map: OsdMap, resend: Set<Op>): void {
    // Epochs that were skipped may have held another interval.
    const skipped = this.map !== undefined && map.epoch > this.map.epoch + 1;
    this.#placed = new PlacedMap(map);
    for (const session of [...this.#sessions.values()]) {
      const addrs = addrsOf(map, session.osd);
      if (!addrs || !sameAddrVec(addrs, session.addrs)) this.#closeSession(session);
    }
    for (const op of [...this.#ops.values()]) {
      if (skipped) op.unsent = true;
      if (this.#retarget(op)) resend.add(op);
    }
    this.lingers.onMap(skipped);
    this.#onOsdMap(map);
  }

  #closeSession(session: OsdSession): void {
    session.close();
    this.#sessions.delete(session.osd);
    this.lingers.onSessionGone(session.osd);
    for (const op of this.#ops.values()) if (op.target?.osd === session.osd) op.unsent = true;
  }

  /** Looks the request's target up in the current map. Returns whether it is to be sent. */
  #retarget(op: Op): boolean {
    if (!this.#placed) return false;
    const { request } = op;
    const target = computeTarget(this.#placed, request.oid, request.locator);
    const pool = this.#placed.map.pools.get(request.locator.pool);
    if (!target || !pool) {
      this.#onPoolMissing(op);
      return false;
    }
    const before = op.target;
    if (before?.interval !== target.interval || target.lastForceResend > before.lastForceResend) op.unsent = true;
    op.target = target;
    const wasPaused = op.paused;
    op.paused = isPaused(this.#placed.map, pool, op.flags);
    if (wasPaused && !op.paused) op.unsent = true;
    return op.unsent && !op.paused;
  }

  /** A pool that was there is gone for good; one never seen may be in a map newer than ours. */
  #onPoolMissing(op: Op): void {
    const epoch = this.map?.epoch ?? 0;
    if (op.target || (typeof op.poolMissingAt === 'number' && epoch >= op.poolMissingAt)) {
      this.#finish(op, failedReply(Errno.ENOENT));
      return;
    }
    if (op.poolMissingAt !== 'unknown') return;
    op.poolMissingAt = 'asked';
    this.#mon.getVersion('osdmap', ({ code, newest }) => {
      if (this.#ops.get(op.tid) !== op) return;
      if (code < 0) {
        this.#finish(op, failedReply(code));
        return;
      }
      op.poolMissingAt = newest;
      if (this.#retarget(op)) this.#send(op);
    });
  }

  #hasRoom(op: Op): boolean {
    const { objecter_inflight_ops, objecter_inflight_op_bytes } = this.#world.config;
    if (this.#ops.size === 0) return true;
    return this.#ops.size < objecter_inflight_ops && this.#inflightBytes + op.budget <= objecter_inflight_op_bytes;
  }

  #begin(op: Op): void {
    const { clock, config } = this.#world;
    if (this.#ops.size === 0) clock.arm(TICK_TIMER, clock.now() + seconds(config.objecter_tick_interval));
    this.#ops.set(op.tid, op);
    this.#inflightBytes += op.budget;
    if (this.#retarget(op)) this.#send(op);
  }

  #finish(op: Op, reply: ObjectReply): void {
    if (op.request.timeoutUs !== undefined) this.#world.clock.disarm(TIMEOUT_PREFIX + op.tid);
    if (this.#ops.delete(op.tid)) this.#inflightBytes -= op.budget;
    if (this.#ops.size === 0) this.#world.clock.disarm(TICK_TIMER);
    for (const next of this.#throttled.values()) {
      if (!this.#hasRoom(next)) break;
      this.#throttled.delete(next.tid);
      this.#begin(next);
    }
    op.done(reply);
  }

  #giveUp(tid: bigint, code: number): void {
    const op = this.#ops.get(tid) ?? this.#throttled.get(tid);
    if (!op) return;
    this.#throttled.delete(tid);
    this.#finish(op, failedReply(code));
  }

  #send(op: Op): void {
    if (!op.unsent || op.paused || !op.target || !this.#placed || !this.#ops.has(op.tid)) return;
    if (op.request.once && op.attempts > 0) return this.#finish(op, failedReply(Errno.ECANCELED));
    const session = this.#sessionFor(op.target.osd);
    if (!session) return; // no OSD serves the PG: the next map will tell
    if (!session.ready) {
      if (session.session !== undefined) session.postpone(op.tid);
      return;
    }
    const { request, target } = op;
    if (session.isBlocked(target.pgid, objectOf(request, target))) return; // sent when it is unblocked
    op.unsent = false;
    const retry = op.attempts++;
    session.send({
      type: 'osd_op',
      tid: op.tid,
      pgid: target.pgid,
      hash: target.hash,
      epoch: this.#placed.map.epoch,
      flags: retry > 0 ? op.flags | OsdFlag.retry : op.flags,
      // All zero: the OSD takes the sender's name and this message's tid.
      reqid: { entityType: 0, entityNum: 0n, tid: 0n, inc: 0 },
      clientInc: 0,
      mtime: request.mtime ?? this.#world.clock.wall(),
      locator: request.locator,
      oid: request.oid,
      ops: request.ops,
      snapid: request.snapid ?? NOSNAP,
      snapSeq: request.snapSeq ?? 0n,
      snaps: this.#existing(request),
      retry,
      features: CLIENT_FEATURES,
    });
    // As if the map had changed meanwhile: the first answer will not count.
    if (op.request.once || !this.#world.buggify('objecter sends twice')) return;
    op.unsent = true;
    this.#send(op);
  }

  #makeLingers(): LingerOps {
    const { clock, config } = this.#world;
    return new LingerOps({
      get now() {
        return clock.now();
      },
      targetOf: ({ oid, locator }) => this.#placed && computeTarget(this.#placed, oid, locator),
      submit: (request, done) => this.submit(request, done),
      cancel: (tid) => this.cancel(tid),
      armTick: () => clock.arm(LINGER_TIMER, clock.now() + seconds(config.objecter_tick_interval)),
    });
  }

  /** Snapshots that were removed meanwhile are none to make clones for (Objecter::_prune_snapc). */
  #existing({ locator, snaps = [] }: ObjectRequest): readonly bigint[] {
    const removed = snaps.length === 0 ? undefined : this.map?.removedSnapsQueue.get(locator.pool);
    return removed ? snaps.filter((snap) => !hasSnap(removed, snap)) : snaps;
  }

  #sessionFor(osd: OsdId): OsdSession | undefined {
    const known = this.#sessions.get(osd);
    if (known || !this.map) return known;
    const addrs = addrsOf(this.map, osd);
    if (!addrs) return undefined;
    const session = new OsdSession(this.#world, this.#endpoint, osd, addrs);
    this.#sessions.set(osd, session);
    return session;
  }

  #sessionOf(id: SessionId): OsdSession | undefined {
    for (const session of this.#sessions.values()) if (session.session === id) return session;
    return undefined;
  }

  #onMessage(session: OsdSession, message: Message): void {
    if (message.type === 'osd_op_reply') {
      session.onHeard();
      this.#onReply(session, message);
    } else if (message.type === 'osd_map') this.handleOsdMap(message);
    else if (message.type === 'osd_backoff') this.#onBackoff(session, message);
    else if (message.type === 'watch_notify') this.lingers.onMessage(message);
  }

  /** What is sent on a blocked object is dropped by the OSD: once it is unblocked, all is sent again. */
  #onBackoff(session: OsdSession, backoff: OsdBackoff): void {
    session.onHeard();
    session.onBackoff(backoff);
    if (backoff.op !== 'unblock') return;
    for (const op of [...this.#ops.values()]) {
      const { request, target } = op;
      if (target?.osd !== session.osd || !covers(backoff, target.pgid, objectOf(request, target))) continue;
      op.unsent = true;
      this.#send(op);
    }
  }

  #onReply(session: OsdSession, reply: OsdOpReply): void {
    const op = this.#ops.get(reply.tid);
    // An answer to an earlier sending, or from an OSD no longer asked: another is on its way.
    if (!op || op.unsent || op.target?.osd !== session.osd) return;
    if (reply.retry >= 0 && reply.retry !== op.attempts - 1) return;
    this.#finish(op, {
      result: reply.result,
      ops: reply.ops,
      version: reply.replayVersion,
      userVersion: reply.userVersion,
      epoch: reply.epoch,
      pgid: reply.pgid,
    });
  }

  #onReset(session: OsdSession): void {
    session.onReset();
    for (const op of this.#ops.values()) if (op.target?.osd === session.osd) op.unsent = true;
    this.lingers.onSessionGone(session.osd);
    this.lingers.flush();
  }

  #onDrained(session: OsdSession): void {
    session.onDrained();
    for (const tid of session.takePostponed()) {
      const op = this.#ops.get(tid);
      if (op?.target?.osd === session.osd) this.#send(op);
    }
  }

  #onTimer(name: string): boolean {
    if (name === TICK_TIMER) {
      this.#onTick();
      return true;
    }
    if (name === LINGER_TIMER) {
      this.lingers.onTick();
      return true;
    }
    if (name.startsWith(TIMEOUT_PREFIX)) {
      this.#giveUp(BigInt(name.slice(TIMEOUT_PREFIX.length)), Errno.ETIMEDOUT);
      return true;
    }
    const osd = osdOfReopenTimer(name);
    if (osd === undefined) return false;
    const session = this.#sessions.get(osd);
    if (!session) return true;
    const waiting = [...this.#ops.values()].filter((op) => op.target?.osd === osd);
    if (waiting.length === 0) this.#closeSession(session);
    else {
      session.reopen();
      for (const op of waiting) this.#send(op);
    }
    return true;
  }

  /** OSDs that are long in answering are pinged: a dead connection shows. */
  #onTick(): void {
    const { clock, config } = this.#world;
    if (this.#ops.size === 0) return;
    clock.arm(TICK_TIMER, clock.now() + seconds(config.objecter_tick_interval));
    const laggySince = clock.now() - seconds(config.objecter_timeout);
    const laggy = new Set<OsdSession>();
    for (const op of this.#ops.values()) {
      if (op.submittedAt > laggySince) break;
      const session = op.target && this.#sessions.get(op.target.osd);
      if (session?.ready) laggy.add(session);
    }
    for (const session of laggy) session.send({ type: 'ping' });
  }
}

/** Bytes that the request, or what it reads, may take (Objecter::calc_op_budget). */
function computeBudget(request: ObjectRequest): number {
  let bytes = 0;
  for (const op of request.ops) {
    bytes += op.input.length;
    if (op.code === OsdOpCode.read || op.code === OsdOpCode.sparseRead) bytes += extentArgs(op).length || READ_BUDGET;
  }
  return bytes;
}

/** The object of a request in the order of its PG's objects. */
function objectOf({ oid, locator, snapid }: ObjectRequest, { hash }: OpTarget): HObject {
  const { pool, nspace, key } = locator;
  return { pool, nspace, key, name: oid, snap: snapid ?? NOSNAP, hash, max: false };
}

/** Where an OSD takes clients' requests; undefined when it is down. */
function addrsOf(map: OsdMap, osd: OsdId): AddrVec | undefined {
  if (!osdUp(map, osd)) return undefined;
  const addrs = map.clientAddrs[osd]?.filter((addr) => addr.type === AddrType.v2);
  return addrs && addrs.length > 0 ? addrs : undefined;
}
