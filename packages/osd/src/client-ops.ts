/**
 * Clients' requests on one PG, from arrival to reply (PrimaryLogPG::do_request, do_op, execute_ctx).
 *
 *   arrives --> not active: waits   --> lease run out: waits --> object missing, degraded or written to: waits for it
 *           --> answered from the log, when sent again
 *           --> runs: a read is answered at once, a write when it is durable everywhere; what cannot be read is missing
 *
 * A read waits for the writes to its object that are under way, since they might yet not happen. A write that reads, fails
 * or changes nothing waits for them as well. When the interval ends, all requests begin again, in the order they came; one
 * that is no longer for this OSD is dropped, and its client sends it to the right one.
 */
import { compareVersions, EMPTY, Errno, type EVersion } from '@spirula/encoding';
import { EBLOCKLISTED, type HObject, isBlocklisted, stableMod } from '@spirula/maps';
import {
  NOSNAP,
  OsdFlag,
  type OsdOp,
  OsdOpCode,
  type OsdOpMessage,
  type OsdOpReply,
  type OsdOpResult,
  type ReqId,
  type WatchItem,
} from '@spirula/messages';
import { UnreadableObject } from '@spirula/objectstore';
import { invariant, type SessionId } from '@spirula/world';
import type { Backfill } from './backfill.ts';
import { type Copies, NO_COPIES } from './object-copier.ts';
import { ObjectCopies } from './object-copies.ts';
import { objectReader } from './object-draft.ts';
import { type ObjectKey, objectKey } from './object-id.ts';
import { encodeObjectInfo, OBJECT_INFO_ATTR, type ObjectInfo } from './object-info.ts';
import { readObjectInfo } from './object-part.ts';
import { executeOps, mayWrite, type OpsIo, type OpsOutcome } from './op-engine.ts';
import { listPg } from './ops/pgls.ts';
import type { ClientIdentity } from './ops/watch-effect.ts';
import type { PgCore } from './pg-core.ts';
import { NO_VERSION } from './pg-info.ts';
import type { Recovery } from './recovery.ts';
import type { ReplicatedBackend } from './replicated-backend.ts';
import { checkRequest } from './request-limits.ts';
import { Watches, watchKey } from './watches.ts';

/** CEPH_OSD_OP_MODE_RD: set in the code of every op that tells of the object's state. */
const READ_MODE = 0x1000;
/** CEPH_OSD_OP_TYPE of ops on a PG instead of an object. */
const PG_OP_TYPE = 0x0500;
const OP_TYPE_MASK = 0x0f00;
/** Of a write that no client asked for. */
const NOBODY: ReqId = { entityType: 0, entityNum: 0n, tid: 0n, inc: 0 };
const LISTINGS: ReadonlySet<number> = new Set([OsdOpCode.pgnls, OsdOpCode.pgnlsFilter]);

export interface ClientOp {
  readonly session: SessionId;
  readonly client: ClientIdentity;
  readonly message: OsdOpMessage;
  /** Identifies the request however often it is sent. */
  readonly reqid: ReqId;
  /** Order of arrival on this OSD. */
  readonly arrival: number;
  readonly bytes: number;
}

export interface ClientOpsHost {
  /** Whether requests may run now. */
  readonly isActive: boolean;
  /** Whether reads are covered by a lease, and earlier primaries' leases have run out. */
  isReadable(): boolean;
  /** The request is answered or dropped. */
  onDone(op: ClientOp): void;
}

interface ObjectQueue {
  readonly oid: HObject;
  readonly waiting: ClientOp[];
  writesInFlight: number;
}

export class ClientOps {
  readonly #pg: PgCore;
  readonly #host: ClientOpsHost;
  readonly #backend: ReplicatedBackend;
  readonly #recovery: Recovery;
  readonly #backfill: Backfill;
  #waitingForActive: ClientOp[] = [];
  #waitingForReadable: ClientOp[] = [];
  readonly #objects = new Map<ObjectKey, ObjectQueue>();
  /** Writes under way, by version, with the requests that are answered by them. */
  readonly #writing = new Map<number, ClientOp[]>();
  readonly #copies: ObjectCopies<ClientOp>;
  readonly #watches: Watches;
  #io: OpsIo = { reads: 0, readBytes: 0, writes: 0, writeBytes: 0 };

  constructor(pg: PgCore, host: ClientOpsHost, backend: ReplicatedBackend, recovery: Recovery, backfill: Backfill) {
    this.#pg = pg;
    this.#host = host;
    this.#backend = backend;
    this.#recovery = recovery;
    this.#backfill = backfill;
    this.#copies = new ObjectCopies(pg, (oid) => this.wake(oid));
    this.#watches = this.#makeWatches();
  }

  /** What requests have read and written since this OSD started. */
  get io(): OpsIo {
    return this.#io;
  }

  get isLaggy(): boolean {
    return this.#waitingForReadable.length > 0;
  }

  get waiting(): number {
    let count = this.#waitingForActive.length + this.#waitingForReadable.length;
    for (const { waiting } of this.#objects.values()) count += waiting.length;
    return count;
  }

  handle(op: ClientOp): void {
    const pg = this.#pg;
    const { message } = op;
    // The client will learn of the newer map and send it again, to whoever is primary then.
    const isStale = message.epoch < pg.info.history.samePrimarySince || message.epoch < pg.pool.lastForceResend;
    if (!pg.isPrimary || isStale) {
      // A read that its client lets any replica answer is sent to the primary after this; without an answer it would wait.
      const isForReplicas =
        (message.flags & (OsdFlag.balanceReads | OsdFlag.localizeReads)) !== 0 && !this.#mayWrite(message);
      if (isForReplicas && !isStale) this.#replyError(op, Errno.EAGAIN);
      else this.#host.onDone(op);
      return;
    }
    if (!this.#host.isActive) {
      insert(this.#waitingForActive, op);
      return;
    }
    if (this.#waitingForReadable.length > 0 || !this.#host.isReadable()) {
      insert(this.#waitingForReadable, op);
      return;
    }
    this.#run(op);
  }

  #run(op: ClientOp): void {
    const { message } = op;
    const { world } = this.#pg.host;
    if (message.ops.some(isPgOp)) {
      this.#runPgOp(op);
      return;
    }
    const refused = isBlocklisted(this.#pg.map, op.client.addr)
      ? EBLOCKLISTED
      : checkRequest(message, world.config, this.#pg.host.classes);
    if (refused !== 0) {
      this.#replyError(op, refused);
      return;
    }
    const oid = objectOf(message);
    if (stableMod(oid.hash, this.#pg.pool.pgNum) !== this.#pg.pgid.seed) {
      this.#replyError(op, Errno.EINVAL);
      return;
    }
    const queue = this.#objects.get(objectKey(oid));
    if (queue && queue.waiting.length > 0 && !this.#overtakes(op, queue)) insert(queue.waiting, op);
    else this.#runOnObject(op, oid);
  }

  #mayWrite({ ops }: OsdOpMessage): boolean {
    return mayWrite(ops, this.#pg.host.classes);
  }

  /** A read does not wait for a copy to the object, unless its client has asked for something before: two may copy crosswise. */
  #overtakes({ session, message }: ClientOp, { waiting: [first, ...others] }: ObjectQueue): boolean {
    if (this.#mayWrite(message) || !first || !this.#copies.isUnderWay(first)) return false;
    return [first, ...others].every((each) => each.session !== session);
  }

  /** Runs the request unless it has to wait for its object. */
  #runOnObject(op: ClientOp, oid: HObject): void {
    const { message } = op;
    const isWrite = this.#mayWrite(message);
    const isMissing = this.#recovery.isMissing(oid);
    if (isMissing || (isWrite && (this.#recovery.isDegraded(oid) || this.#backfill.isBusy(oid)))) {
      this.#queueOf(oid).waiting.push(op);
      if (!this.#backfill.isBusy(oid)) this.#recovery.want(oid);
      return;
    }
    if (isWrite && this.#answerFromLog(op)) return;
    const copies = isWrite ? this.#copies.take(op, oid) : NO_COPIES;
    if (copies === undefined) {
      this.#queueOf(oid).waiting.push(op);
      return;
    }
    if (typeof copies === 'number') {
      this.#replyError(op, copies);
      return;
    }
    const inFlight = this.#objects.get(objectKey(oid))?.writesInFlight ?? 0;
    const reads = !isWrite || message.ops.some(readsState);
    if (inFlight > 0 && reads) {
      this.#queueOf(oid).waiting.push(op);
      return;
    }
    const before = readObjectInfo(this.#pg.host.store, this.#pg.cid, oid);
    if (before) this.#watches.load(oid, before.watchers);
    const outcome = this.#execute(op, oid, before, copies);
    if (outcome === 'unreadable') {
      this.#queueOf(oid).waiting.push(op);
      this.#recovery.want(oid);
    } else if (outcome.modifies) this.#write(op, oid, before, outcome);
    else if (inFlight > 0) this.#queueOf(oid).waiting.push(op);
    else {
      this.#watches.apply(oid, outcome.effects, op.client, outcome.userVersion);
      this.#reply(op, outcome.result, outcome.ops, NO_VERSION, this.#userVersionOf(outcome));
    }
  }

  /** What a reply says of the object's version; of the PG's, when there is no object. */
  #userVersionOf(outcome: OpsOutcome): number {
    return outcome.info ? outcome.userVersion : this.#pg.info.lastUserVersion;
  }

  /** A request that has been carried out is answered as it was then; one that is under way, when it is done. */
  #answerFromLog(op: ClientOp): boolean {
    const done = this.#pg.log.findRequest(op.reqid);
    if (!done) return false;
    const underWay = this.#writing.get(done.version.version);
    if (underWay && !this.#backend.isCommitted(done.version)) underWay.push(op);
    else this.#reply(op, done.result, op.message.ops.map(emptyResult), done.version, done.userVersion);
    return true;
  }

  #execute(op: ClientOp, oid: HObject, info: ObjectInfo | undefined, copies: Copies): OpsOutcome | 'unreadable' {
    const pg = this.#pg;
    const { store, world, classes } = pg.host;
    const { message } = op;
    try {
      return executeOps(
        { oid, ops: message.ops, flags: message.flags, mtime: message.mtime, copies, client: op.client },
        {
          info,
          version: this.#backend.nextVersion(),
          lastUserVersion: pg.info.lastUserVersion,
          isConnected: (watcher) => this.#watches.isConnected(oid, watcher),
          nextNotifyId: () => pg.host.nextNotifyId(),
        },
        objectReader(store, pg.cid, oid),
        { config: world.config, clock: world.clock, crypto: world.crypto, classes },
      );
    } catch (error) {
      if (!(error instanceof UnreadableObject)) throw error;
      invariant(info !== undefined, 'what does not exist is not read');
      this.#recovery.onUnreadable(oid, info.version, error);
      return 'unreadable';
    }
  }

  #write(op: ClientOp, oid: HObject, before: ObjectInfo | undefined, outcome: OpsOutcome): void {
    const version = this.#backend.nextVersion();
    const queue = this.#queueOf(oid);
    queue.writesInFlight += 1;
    const answered = [op];
    this.#writing.set(version.version, answered);
    this.#count(outcome.io);
    this.#backend.submit(
      {
        kind: outcome.info ? 'modify' : 'delete',
        oid,
        version,
        priorVersion: before?.version ?? NO_VERSION,
        userVersion: outcome.userVersion,
        reqid: op.reqid,
        mtime: op.message.mtime,
        result: outcome.result,
      },
      outcome.changes,
      { objects: outcome.objects, bytes: outcome.bytes },
      (osd) => this.#backfill.shouldSend(osd, oid),
      this.#logTarget,
      () => this.#onWritten(version, oid, answered, outcome),
    );
  }

  /** How long the log may grow. */
  get #logTarget(): number {
    const pg = this.#pg;
    const { osd_min_pg_log_entries: min, osd_max_pg_log_entries: max } = pg.host.world.config;
    const isWhole = !this.#recovery.isNeeded && !this.#backfill.isNeeded && pg.acting.length >= pg.pool.size;
    return isWhole ? min : max;
  }

  #onWritten(version: EVersion, oid: HObject, answered: readonly ClientOp[], outcome: OpsOutcome): void {
    this.#writing.delete(version.version);
    for (const [i, op] of answered.entries()) {
      const results = i === 0 ? outcome.ops : op.message.ops.map(emptyResult);
      this.#reply(op, outcome.result, results, version, outcome.userVersion);
    }
    this.#watches.apply(oid, outcome.effects, answered[0]!.client, outcome.userVersion);
    this.#endWrite(oid);
  }

  #endWrite(oid: HObject): void {
    const queue = this.#queueOf(oid);
    queue.writesInFlight -= 1;
    if (queue.writesInFlight === 0) this.wake(oid);
  }

  // Watchers.

  #makeWatches(): Watches {
    const { host } = this.#pg;
    const { clock, config } = host.world;
    return new Watches({
      get now() {
        return clock.now();
      },
      maxReplyBytes: config.osd_client_message_size_cap,
      send: (session, message) => host.reply(session, message),
      wakeAt: (at) => host.wakeAt(this.#pg.pgid, at),
      isBlocklisted: ({ addr }) => isBlocklisted(this.#pg.map, addr),
      dropWatcher: (oid, watcher) => this.#dropWatcher(oid, watcher),
    });
  }

  /** Takes a watcher that is silent from its object's info, as a write does (PrimaryLogPG::handle_watch_timeout). */
  #dropWatcher(oid: HObject, watcher: WatchItem): boolean {
    const pg = this.#pg;
    if (!this.#host.isActive || !this.#host.isReadable()) return false;
    const isBusy = this.#recovery.isMissing(oid) || this.#recovery.isDegraded(oid) || this.#backfill.isBusy(oid);
    if (isBusy) return false;
    const before = readObjectInfo(pg.host.store, pg.cid, oid);
    const watchers = before?.watchers.filter((each) => watchKey(each) !== watchKey(watcher)) ?? [];
    // Already on its way out.
    if (!before || watchers.length === before.watchers.length) return true;
    const version = this.#backend.nextVersion();
    const info: ObjectInfo = { ...before, version, priorVersion: before.version, watchers };
    this.#queueOf(oid).writesInFlight += 1;
    const { userVersion, mtime } = before;
    this.#backend.submit(
      { kind: 'modify', oid, version, priorVersion: before.version, userVersion, reqid: NOBODY, mtime, result: 0 },
      [{ op: 'setAttrs', oid, attrs: new Map([[OBJECT_INFO_ATTR, encodeObjectInfo(info)]]) }],
      { objects: 0, bytes: 0 },
      (osd) => this.#backfill.shouldSend(osd, oid),
      this.#logTarget,
      () => {
        this.#watches.disconnect(oid, watcher, true);
        this.#endWrite(oid);
      },
    );
    return true;
  }

  /** The time asked for by `wakeAt` has come. */
  onTimer(): void {
    this.#watches.onTimer();
  }

  /** A newer map is in force, in the same interval. */
  onMap(): void {
    this.#watches.dropBlocklisted();
  }

  /** Requests that wait for the object try again. */
  wake(oid: HObject): void {
    const key = objectKey(oid);
    const queue = this.#objects.get(key);
    if (!queue) return;
    const ops = queue.waiting.splice(0);
    if (queue.writesInFlight === 0) this.#objects.delete(key);
    for (const op of ops) this.handle(op);
  }

  #queueOf(oid: HObject): ObjectQueue {
    const key = objectKey(oid);
    let queue = this.#objects.get(key);
    if (!queue) {
      queue = { oid, waiting: [], writesInFlight: 0 };
      this.#objects.set(key, queue);
    }
    return queue;
  }

  #runPgOp(op: ClientOp): void {
    const { message } = op;
    const pg = this.#pg;
    const [first, ...others] = message.ops;
    if (!first || others.length > 0 || !LISTINGS.has(first.code)) {
      this.#replyError(op, Errno.EOPNOTSUPP);
      return;
    }
    const listing = {
      store: pg.host.store,
      cid: pg.cid,
      pgid: pg.pgid,
      pgNum: pg.pool.pgNum,
      missing: pg.missing.items().map(({ oid }) => oid),
      isDeleted: () => false,
    };
    const { code, output } = listPg(listing, first, message.locator.nspace);
    const results = [{ code: first.code, flags: first.flags, args: first.args, rval: code, output }];
    this.#reply(op, code, results, NO_VERSION, 0);
  }

  // The PG has changed.

  /** The interval is over: everything begins again. */
  onReset(): void {
    const all = [...this.#writing.values()].flat();
    for (const { waiting } of this.#objects.values()) all.push(...waiting);
    all.push(...this.#waitingForReadable, ...this.#waitingForActive);
    this.#writing.clear();
    this.#objects.clear();
    this.#copies.cancelAll();
    this.#watches.onReset();
    this.#waitingForReadable = [];
    this.#waitingForActive = all.sort((a, b) => a.arrival - b.arrival);
  }

  onActive(): void {
    const ops = this.#waitingForActive;
    this.#waitingForActive = [];
    for (const op of ops) this.handle(op);
  }

  /** The lease reaches further, or what was waited for is over. */
  onReadable(): void {
    if (this.#waitingForReadable.length === 0 || !this.#host.isReadable()) return;
    const ops = this.#waitingForReadable;
    this.#waitingForReadable = [];
    for (const op of ops) this.handle(op);
  }

  /** This OSD does not serve the PG (any more). */
  drop(): void {
    this.onReset();
    for (const op of this.takeWaitingForActive()) this.#host.onDone(op);
  }

  /** Requests that have not begun are not carried out here any more. Writes under way go on. */
  dropWaiting(): void {
    const dropped = [...this.takeWaitingForActive(), ...this.#waitingForReadable.splice(0)];
    for (const { waiting } of this.#objects.values()) dropped.push(...waiting.splice(0));
    this.#copies.cancelAll();
    for (const op of dropped) this.#host.onDone(op);
  }

  /** Requests that wait for the PG to go active are the caller's from now on. */
  takeWaitingForActive(): readonly ClientOp[] {
    const ops = this.#waitingForActive;
    this.#waitingForActive = [];
    return ops;
  }

  /** A session has ended: nobody waits for the answers to what it has asked. Writes under way go on. */
  dropSession(session: SessionId): void {
    const keep = (op: ClientOp) => {
      if (op.session !== session) return true;
      this.#copies.cancel(op);
      this.#host.onDone(op);
      return false;
    };
    this.#waitingForActive = this.#waitingForActive.filter(keep);
    this.#waitingForReadable = this.#waitingForReadable.filter(keep);
    for (const { waiting } of this.#objects.values()) waiting.splice(0, waiting.length, ...waiting.filter(keep));
    this.#watches.onSessionClosed(session);
  }

  // Replies.

  #replyError(op: ClientOp, code: number): void {
    this.#reply(op, code, op.message.ops.map(emptyResult), NO_VERSION, 0);
  }

  #reply(
    op: ClientOp,
    result: number,
    ops: readonly OsdOpResult[],
    replayVersion: EVersion,
    userVersion: number,
  ): void {
    const { message } = op;
    if (compareVersions(replayVersion, NO_VERSION) === 0) this.#count(readIo(ops));
    const reply: OsdOpReply = {
      type: 'osd_op_reply',
      tid: message.tid,
      oid: message.oid,
      pgid: message.pgid,
      flags: message.flags,
      result,
      epoch: this.#pg.epoch,
      ops,
      retry: message.retry,
      replayVersion,
      userVersion,
    };
    this.#pg.host.reply(op.session, reply);
    this.#host.onDone(op);
  }

  #count(io: OpsIo): void {
    this.#io = {
      reads: this.#io.reads + io.reads,
      readBytes: this.#io.readBytes + io.readBytes,
      writes: this.#io.writes + io.writes,
      writeBytes: this.#io.writeBytes + io.writeBytes,
    };
  }
}

/** What waited for something else may be older than those that wait here: a client's requests keep their order. */
function insert(waiting: ClientOp[], op: ClientOp): void {
  let at = waiting.length;
  while (at > 0 && waiting[at - 1]!.arrival > op.arrival) at -= 1;
  waiting.splice(at, 0, op);
}

function readIo(ops: readonly OsdOpResult[]): OpsIo {
  let readBytes = 0;
  for (const { output } of ops) readBytes += output.length;
  return { reads: ops.length, readBytes, writes: 0, writeBytes: 0 };
}

/** An op that must see what writes under way have come to. */
function readsState({ code }: OsdOp): boolean {
  return (code & READ_MODE) !== 0 || code === OsdOpCode.watch;
}

function isPgOp(op: OsdOp): boolean {
  return (op.code & OP_TYPE_MASK) === PG_OP_TYPE;
}

function emptyResult(op: OsdOp): OsdOpResult {
  return { code: op.code, flags: op.flags, args: op.args, rval: 0, output: EMPTY };
}

function objectOf({ locator, oid, hash, pgid }: OsdOpMessage): HObject {
  const key = locator.key === oid ? '' : locator.key;
  return { pool: pgid.pool, nspace: locator.nspace, key, name: oid, snap: NOSNAP, hash, max: false };
}
