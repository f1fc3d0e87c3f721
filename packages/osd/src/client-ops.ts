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
import { EntityType, Errno } from '@spirula/encoding';
import { EBLOCKLISTED, type HObject, isBlocklisted, PoolFlag, stableMod } from '@spirula/maps';
import { NOSNAP, OsdFlag, type OsdOp, OsdOpCode, type OsdOpMessage, rollbackArgs, SNAPDIR } from '@spirula/messages';
import { UnreadableObject } from '@spirula/objectstore';
import { invariant, type SessionId } from '@spirula/world';
import type { Backfill } from './backfill.ts';
import { type Answer, type ClientOp, emptyResult } from './client-op.ts';
import { ClientWrites } from './client-writes.ts';
import { findObject } from './find-object.ts';
import { judgeFullPool } from './full-pool.ts';
import { type Copies, NO_COPIES } from './object-copier.ts';
import { ObjectCopies } from './object-copies.ts';
import { objectReader, type StoredObject } from './object-draft.ts';
import { type ObjectKey, objectKey } from './object-id.ts';
import type { ObjectInfo } from './object-info.ts';
import { readObjectInfo } from './object-part.ts';
import { askOf } from './op-caps.ts';
import { executeOps, mayWrite, type OpsOutcome, type OpsRequest } from './op-engine.ts';
import { NO_IO, type OpsIo, sumOfIo } from './ops/io-count.ts';
import { listPg } from './ops/pgls.ts';
import { isWatchPing } from './ops/watch.ts';
import type { PgCore } from './pg-core.ts';
import { NO_VERSION } from './pg-info.ts';
import { watchesOf } from './pg-watches.ts';
import type { Recovery } from './recovery.ts';
import type { ReplicatedBackend } from './replicated-backend.ts';
import { checkRequest } from './request-limits.ts';
import { perfOfRequest } from './request-perf.ts';
import { NO_ROLLBACKS, type RollbackSource, type Rollbacks } from './rollback.ts';
import { headOf, isClone, isValidSnapContext, NO_SNAPSET, readSnapSet, type SnapContext } from './snap-set.ts';
import type { ObjectWrite } from './trim-object.ts';
import type { Watches } from './watches.ts';

/** CEPH_OSD_OP_MODE_RD: set in the code of every op that tells of the object's state. */
const READ_MODE = 0x1000;
/** The client's snapshots are older than those of a write before (ORDERSNAP). */
const EOLDSNAPC = -85;
/** CEPH_OSD_OP_TYPE of ops on a PG instead of an object. */
const PG_OP_TYPE = 0x0500;
const OP_TYPE_MASK = 0x0f00;
const LISTINGS: ReadonlySet<number> = new Set([OsdOpCode.pgnls, OsdOpCode.pgnlsFilter]);

export interface ClientOpsHost {
  /** Whether requests may run now. */
  readonly isActive: boolean;
  /** Whether reads are covered by a lease, and earlier primaries' leases have run out. */
  isReadable(): boolean;
  /** Of a client's snapshots, those that clones are still made for. */
  filterSnaps(snaps: readonly bigint[]): readonly bigint[];
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
  readonly #writes: ClientWrites;
  readonly #copies: ObjectCopies<ClientOp>;
  readonly #watches: Watches;
  #io: OpsIo = NO_IO;

  constructor(pg: PgCore, host: ClientOpsHost, backend: ReplicatedBackend, recovery: Recovery, backfill: Backfill) {
    this.#pg = pg;
    this.#host = host;
    this.#backend = backend;
    this.#recovery = recovery;
    this.#backfill = backfill;
    const writesHost = {
      reply: (op: ClientOp, answer: Answer) => this.#reply(op, answer),
      begin: (head: HObject) => this.#beginWrite(head),
      end: (head: HObject) => this.#endWrite(head),
    };
    this.#writes = new ClientWrites(pg, writesHost, backend, recovery, backfill);
    this.#copies = new ObjectCopies(pg, (oid) => this.wake(oid));
    this.#watches = watchesOf(pg, {
      isWriteable: (oid) => this.#isWriteable(oid),
      nextVersion: () => backend.nextVersion(),
      submit: (write, onCommit) => this.#writes.submit(write, onCommit),
    });
  }

  /** What requests have read and written since this OSD started. */
  get io(): OpsIo {
    return this.#io;
  }

  /** Who watches objects of this PG. */
  watchers(): ReturnType<Watches['all']> {
    return this.#watches.all();
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
    // It will hear of the new interval too, and connect again: who has not yet is not silent.
    if (message.epoch < pg.info.history.sameIntervalSince && message.ops.every(isWatchPing)) {
      this.#host.onDone(op);
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
    if (!this.#isAllowed(op)) {
      this.#replyError(op, Errno.EPERM);
      return;
    }
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

  #isAllowed({ caps, message, socketAddr }: ClientOp): boolean {
    if (caps.isUnlimited) return true;
    const { map, host } = this.#pg;
    return caps.isCapable(askOf(message, map, host.classes), socketAddr);
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
    // Its client sends it again when it sees in the map that there is room; one that asks for an answer gets the pool's.
    if (isWrite && this.#pg.host.isFailsafeFull && (message.flags & OsdFlag.fullTry) === 0) {
      this.#host.onDone(op);
      return;
    }
    const isMissing = this.#recovery.isMissing(oid);
    if (isMissing || (isWrite && (this.#recovery.isDegraded(oid) || this.#backfill.isBusy(oid)))) {
      this.#queueOf(oid).waiting.push(op);
      if (!this.#backfill.isBusy(oid)) this.#recovery.want(oid);
      return;
    }
    if (isWrite && this.#writes.answerFromLog(op)) return;
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
    const outcome = isWrite ? this.#executeWrite(op, oid, copies) : this.#executeRead(op, oid);
    if (outcome === 'waits') return;
    if (typeof outcome === 'number') {
      if (inFlight > 0) this.#queueOf(oid).waiting.push(op);
      else this.#replyError(op, outcome);
    } else if (outcome.modifies) {
      const verdict = judgeFullPool(this.#pg.pool.flags, message.flags, outcome.delta, op.reqid.entityType);
      if (verdict === 'goes on') this.#write(op, oid, before, outcome);
      else if (verdict === 'dropped') this.#host.onDone(op);
      else this.#replyError(op, verdict);
    } else if (inFlight > 0) this.#queueOf(oid).waiting.push(op);
    else if (isWrite && outcome.result < 0) this.#writes.recordError(op, oid, outcome, this.#userVersionOf(outcome));
    else {
      // Another OSD reads for a copy, which is counted there.
      const isOfClient = op.client.entityType !== EntityType.osd;
      if (outcome.result >= 0 && isOfClient) this.#io = sumOfIo(this.#io, outcome.io);
      this.#watches.apply(oid, outcome.effects, op.client, outcome.userVersion);
      // A write that changes nothing is none.
      if (outcome.result >= 0 && !isWrite) this.#countPerf(op, outcome);
      const userVersion = this.#userVersionOf(outcome);
      const answer = { result: outcome.result, ops: outcome.ops, replayVersion: NO_VERSION, userVersion };
      this.#reply(op, answer, isWrite ? undefined : 'last');
    }
  }

  /** Returns the negative errno of why it cannot be; `waits` once it waits for the object's recovery. */
  #executeRead(op: ClientOp, head: HObject): OpsOutcome | number | 'waits' {
    const { snapid, flags } = op.message;
    if (snapid === NOSNAP || snapid === SNAPDIR) return this.#execute(op, head, head, {});
    const found = findObject(this.#pg, head, snapid, (flags & OsdFlag.mapSnapClone) !== 0);
    if (found.kind === 'absent') return Errno.ENOENT;
    if (found.kind === 'missing') return this.#waitForClone(op, head, found.oid);
    return this.#execute(op, head, found.oid, {});
  }

  #executeWrite(op: ClientOp, head: HObject, copies: Copies): OpsOutcome | number | 'waits' {
    const { message } = op;
    const snapc = this.#snapContextOf(message);
    if (!isValidSnapContext(snapc)) return Errno.EINVAL;
    const { host, cid } = this.#pg;
    if ((message.flags & OsdFlag.ordersnap) !== 0 && snapc.seq < readSnapSet(host.store, cid, head).seq) {
      return EOLDSNAPC;
    }
    const rollbacks = this.#findRollbacks(op, head);
    return rollbacks === 'waits' ? 'waits' : this.#execute(op, head, head, { copies, rollbacks, snapc });
  }

  /** The pool's own snapshots, or those that the client manages (PrimaryLogPG::execute_ctx). */
  #snapContextOf({ flags, snapSeq, snaps }: OsdOpMessage): SnapContext {
    const { pool } = this.#pg;
    if ((flags & OsdFlag.enforceSnapc) === 0 && (pool.flags & PoolFlag.poolSnaps) !== 0n) {
      const newestFirst = [...pool.snaps.keys()].sort((a, b) => (a > b ? -1 : 1));
      return { seq: pool.snapSeq, snaps: newestFirst };
    }
    return { seq: snapSeq, snaps: this.#host.filterSnaps(snaps) };
  }

  /** A clone that is gone back to must be on every member, as the head must. */
  #findRollbacks(op: ClientOp, head: HObject): Rollbacks | 'waits' {
    const { ops } = op.message;
    if (!ops.some(({ code }) => code === OsdOpCode.rollback)) return NO_ROLLBACKS;
    const rollbacks = new Map<OsdOp, RollbackSource>();
    for (const each of ops) {
      if (each.code !== OsdOpCode.rollback) continue;
      const found = findObject(this.#pg, head, snapOfRollback(each));
      if (found.kind === 'absent') rollbacks.set(each, 'absent');
      else if (found.kind === 'missing') return this.#waitForClone(op, head, found.oid);
      else if (!isClone(found.oid)) rollbacks.set(each, 'head');
      else if (this.#recovery.isDegraded(found.oid) || this.#backfill.isBusy(found.oid)) {
        return this.#waitForClone(op, head, found.oid);
      } else rollbacks.set(each, this.#storedObject(found.oid));
    }
    return rollbacks;
  }

  #storedObject(oid: HObject): StoredObject {
    const { host, cid } = this.#pg;
    const info = readObjectInfo(host.store, cid, oid);
    invariant(info !== undefined, 'a clone that the head knows of is there');
    return { oid, size: info.size, reader: objectReader(host.store, cid, oid) };
  }

  #waitForClone(op: ClientOp, head: HObject, clone: HObject): 'waits' {
    this.#queueOf(head).waiting.push(op);
    if (!this.#backfill.isBusy(clone)) this.#recovery.want(clone);
    return 'waits';
  }

  /** What a reply says of the object's version; of the PG's, when there is no object. */
  #userVersionOf(outcome: OpsOutcome): number {
    return outcome.info ? outcome.userVersion : this.#pg.info.lastUserVersion;
  }

  /** @param oid the head, or a clone of it */
  #execute(
    op: ClientOp,
    head: HObject,
    oid: HObject,
    extra: Pick<OpsRequest, 'copies' | 'rollbacks' | 'snapc'>,
  ): OpsOutcome | 'waits' {
    const pg = this.#pg;
    const { store, world, classes } = pg.host;
    const { ops, flags, mtime } = op.message;
    const info = readObjectInfo(store, pg.cid, oid);
    try {
      return executeOps(
        { oid, ops, flags, mtime, client: op.client, ...extra },
        {
          info,
          snapset: isClone(oid) ? NO_SNAPSET : readSnapSet(store, pg.cid, oid),
          version: this.#backend.nextVersion(),
          lastUserVersion: pg.info.lastUserVersion,
          isConnected: (watcher) => this.#watches.isConnected(oid, watcher),
          nextNotifyId: () => pg.host.nextNotifyId(),
        },
        objectReader(store, pg.cid, oid),
        { config: world.config, clock: world.clock, crypto: world.crypto, classes, map: pg.map },
      );
    } catch (error) {
      if (!(error instanceof UnreadableObject)) throw error;
      // After a rollback it is the clone's data that the head has.
      const unreadable = error.oid ?? oid;
      const stored = readObjectInfo(store, pg.cid, unreadable);
      invariant(stored !== undefined, 'what does not exist is not read');
      this.#recovery.onUnreadable(unreadable, stored.version, error);
      this.#queueOf(head).waiting.push(op);
      this.#recovery.want(unreadable);
      return 'waits';
    }
  }

  #write(op: ClientOp, oid: HObject, before: ObjectInfo | undefined, outcome: OpsOutcome): void {
    this.#io = sumOfIo(this.#io, outcome.io);
    this.#writes.write(op, oid, before, outcome, () => {
      this.#countPerf(op, outcome);
      this.#watches.apply(oid, outcome.effects, op.client, outcome.userVersion);
    });
  }

  #countPerf(op: ClientOp, outcome: OpsOutcome): void {
    if (op.arrivedAt === undefined) return;
    const { perf, world, classes } = this.#pg.host;
    const { oid, locator, pgid } = op.message;
    perf.add(pgid.pool, locator.nspace, oid, perfOfRequest(op, outcome, world.clock.now() - op.arrivedAt, classes));
  }

  /** Carries out a write that no client has asked for. */
  submit(write: ObjectWrite, onCommit: () => void): void {
    this.#writes.submit(write, onCommit);
  }

  #beginWrite(oid: HObject): void {
    this.#queueOf(oid).writesInFlight += 1;
  }

  #endWrite(oid: HObject): void {
    const queue = this.#queueOf(oid);
    queue.writesInFlight -= 1;
    if (queue.writesInFlight === 0) this.wake(oid);
  }

  // Watchers.

  /** For a write of the OSD's own: clients' requests wait for what is in its way. */
  #isWriteable(oid: HObject): boolean {
    if (!this.#host.isActive || !this.#host.isReadable()) return false;
    return !(this.#recovery.isMissing(oid) || this.#recovery.isDegraded(oid) || this.#backfill.isBusy(oid));
  }

  /** The time asked for by `wakeAt` has come. */
  onTimer(): void {
    this.#watches.onTimer();
  }

  /** A newer map is in force, in the same interval. */
  onMap(): void {
    this.#watches.dropBlocklisted();
  }

  /** Requests that wait for the object, or for a clone of it, try again. */
  wake(oid: HObject): void {
    const key = objectKey(headOf(oid));
    const queue = this.#objects.get(key);
    if (!queue) return;
    const ops = queue.waiting.splice(0);
    if (queue.writesInFlight === 0) this.#objects.delete(key);
    for (const op of ops) {
      const now = this.#objects.get(key);
      // Nothing is to be found out about it before its turn comes.
      const waitsOn = now && now.waiting.length > 0 && !this.#overtakes(op, now);
      if (waitsOn) insert(now.waiting, op);
      else this.handle(op);
    }
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
      missing: pg.missing.items().flatMap(({ oid }) => (isClone(oid) ? [] : [oid])),
      isDeleted: () => false,
    };
    const { code, output } = listPg(listing, first, message.locator.nspace);
    const results = [{ code: first.code, flags: first.flags, args: first.args, rval: code, output }];
    this.#reply(op, { result: code, ops: results, replayVersion: NO_VERSION, userVersion: 0 });
  }

  // The PG has changed.

  /** The interval is over: everything begins again. */
  onReset(): void {
    const all = this.#writes.takeUnderWay();
    for (const { waiting } of this.#objects.values()) all.push(...waiting);
    all.push(...this.#waitingForReadable, ...this.#waitingForActive);
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

  #replyError(op: ClientOp, result: number): void {
    this.#reply(op, { result, ops: op.message.ops.map(emptyResult), replayVersion: NO_VERSION, userVersion: 0 });
  }

  /** @param use `last`: nobody keeps what the ops gave */
  #reply(op: ClientOp, answer: Answer, use?: 'last'): void {
    const { tid, oid, pgid, flags, retry } = op.message;
    const { epoch } = this.#pg;
    this.#pg.host.reply(op.session, { type: 'osd_op_reply', tid, oid, pgid, flags, epoch, retry, ...answer }, use);
    this.#host.onDone(op);
  }
}

/** What waited for something else may be older than those that wait here: a client's requests keep their order. */
function insert(waiting: ClientOp[], op: ClientOp): void {
  let at = waiting.length;
  while (at > 0 && waiting[at - 1]!.arrival > op.arrival) at -= 1;
  waiting.splice(at, 0, op);
}

/** An op that must see what writes under way have come to. */
function readsState({ code }: OsdOp): boolean {
  return (code & READ_MODE) !== 0 || code === OsdOpCode.watch;
}

/** 0, which no snapshot has, when the op does not say. */
function snapOfRollback(op: OsdOp): bigint {
  return op.args.length >= 8 ? rollbackArgs(op).snapid : 0n;
}

function isPgOp(op: OsdOp): boolean {
  return (op.code & OP_TYPE_MASK) === PG_OP_TYPE;
}

function objectOf({ locator, oid, hash, pgid }: OsdOpMessage): HObject {
  const key = locator.key === oid ? '' : locator.key;
  return { pool: pgid.pool, nspace: locator.nspace, key, name: oid, snap: NOSNAP, hash, max: false };
}
