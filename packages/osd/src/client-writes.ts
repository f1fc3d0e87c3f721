/**
 * Writes, from what they come to until everybody who asked is answered: an entry in the log of all members, durable on all. A
 * request that is sent again is answered from the log, and not carried out again.
 */
import type { EVersion } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import { NO_COUNTS, NO_REQUEST, OsdFlag, type OsdOpMessage, type PgLogEntry } from '@spirula/messages';
import type { Backfill } from './backfill.ts';
import { type Answer, type ClientOp, resultsAgain } from './client-op.ts';
import type { ObjectInfo } from './object-info.ts';
import type { OpsOutcome } from './op-engine.ts';
import type { PgCore } from './pg-core.ts';
import { NO_VERSION } from './pg-info.ts';
import type { Recovery } from './recovery.ts';
import type { ReplicatedBackend } from './replicated-backend.ts';
import type { ObjectWrite } from './trim-object.ts';

export interface ClientWritesHost {
  reply(op: ClientOp, answer: Answer): void;
  /** One more write of the object is under way; reads of it wait. */
  begin(head: HObject): void;
  end(head: HObject): void;
}

export class ClientWrites {
  readonly #pg: PgCore;
  readonly #backend: ReplicatedBackend;
  readonly #recovery: Recovery;
  readonly #backfill: Backfill;
  readonly #host: ClientWritesHost;
  /** Those under way, by version, with the requests that are answered by them. */
  readonly #underWay = new Map<number, ClientOp[]>();

  constructor(pg: PgCore, host: ClientWritesHost, backend: ReplicatedBackend, recovery: Recovery, backfill: Backfill) {
    this.#pg = pg;
    this.#host = host;
    this.#backend = backend;
    this.#recovery = recovery;
    this.#backfill = backfill;
  }

  /** A request that has been carried out is answered as it was then; one that is under way, when it is done. */
  answerFromLog(op: ClientOp): boolean {
    const done = this.#pg.log.findRequest(op.reqid);
    if (!done) return false;
    const underWay = this.#underWay.get(done.version.version);
    if (underWay && !this.#backend.isCommitted(done.version)) underWay.push(op);
    else {
      const { result, userVersion, version: replayVersion } = done;
      this.#host.reply(op, { result, ops: resultsAgain(op, done), replayVersion, userVersion });
    }
    return true;
  }

  /**
   * @param before the object's info before the write
   * @param onWritten once it is durable everywhere, and answered
   */
  write(op: ClientOp, oid: HObject, before: ObjectInfo | undefined, outcome: OpsOutcome, onWritten: () => void): void {
    const { version, info, clone, result, userVersion, changes, delta } = outcome;
    const { message, reqid } = op;
    const ofHead: PgLogEntry = {
      ...{ kind: info ? 'modify' : 'delete', oid, version, priorVersion: before?.version ?? NO_VERSION, userVersion },
      ...{ reqid, mtime: message.mtime, result },
      ...returnsOf(message, outcome),
    };
    const entries = clone ? [cloneEntry(clone.oid, clone.info, ofHead), ofHead] : [ofHead];
    const answered = this.#register(version, op);
    this.submit({ head: oid, entries, changes, delta }, () => {
      this.#finish(version, answered, outcome, { replayVersion: version, userVersion });
      onWritten();
    });
  }

  /**
   * A write that failed is answered so again, however the object has changed since (PrimaryLogPG::record_write_error): the
   * log of all members says it.
   */
  recordError(op: ClientOp, oid: HObject, outcome: OpsOutcome, userVersion: number): void {
    const version = this.#backend.nextVersion();
    const entry: PgLogEntry = {
      ...{ kind: 'error', oid, version, priorVersion: NO_VERSION, userVersion },
      ...{ reqid: op.reqid, mtime: op.message.mtime, result: outcome.result },
      ...returnsOf(op.message, outcome),
    };
    const answered = this.#register(version, op);
    this.submit({ head: oid, entries: [entry], changes: [], delta: NO_COUNTS }, () =>
      this.#finish(version, answered, outcome, { replayVersion: NO_VERSION, userVersion }),
    );
  }

  /** Carries out a write to an object, or to it and its clones. What asks for the object meanwhile waits as for any other. */
  submit({ head, entries, changes, delta }: ObjectWrite, onCommit: () => void): void {
    this.#host.begin(head);
    this.#backend.submit(
      entries,
      changes,
      delta,
      (osd) => this.#backfill.shouldSend(osd, head),
      this.#logTarget,
      () => {
        onCommit();
        this.#host.end(head);
      },
    );
  }

  /** The interval is over: who waits for a write under way asks again. */
  takeUnderWay(): ClientOp[] {
    const ops = [...this.#underWay.values()].flat();
    this.#underWay.clear();
    return ops;
  }

  #register(version: EVersion, op: ClientOp): ClientOp[] {
    const answered = [op];
    this.#underWay.set(version.version, answered);
    return answered;
  }

  /** The first is answered for the first time, the others ask again. */
  #finish(
    version: EVersion,
    answered: readonly ClientOp[],
    outcome: OpsOutcome,
    versions: Pick<Answer, 'replayVersion' | 'userVersion'>,
  ): void {
    this.#underWay.delete(version.version);
    const { result } = outcome;
    for (const [i, op] of answered.entries()) {
      const ops = i === 0 ? outcome.ops : resultsAgain(op, returnsOf(op.message, outcome));
      this.#host.reply(op, { result, ops, ...versions });
    }
  }

  /** How long the log may grow. */
  get #logTarget(): number {
    const pg = this.#pg;
    const { osd_min_pg_log_entries: min, osd_max_pg_log_entries: max } = pg.host.world.config;
    const isWhole = !this.#recovery.isNeeded && !this.#backfill.isNeeded && pg.acting.length >= pg.pool.size;
    return isWhole ? min : max;
  }
}

/** The clone's entry in the log comes before its head's. No client asks for it again: the head's answers for both. */
function cloneEntry(
  oid: HObject,
  { version, priorVersion, userVersion }: ObjectInfo,
  { mtime }: PgLogEntry,
): PgLogEntry {
  return { kind: 'clone', oid, version, priorVersion, userVersion, reqid: NO_REQUEST, mtime, result: 0 };
}

/** What each op was answered, for when the request is sent again; only clients that ask for it are told at all. */
function returnsOf({ flags }: OsdOpMessage, { ops }: OpsOutcome): Pick<PgLogEntry, 'opReturns'> {
  if ((flags & OsdFlag.returnvec) === 0) return {};
  return { opReturns: ops.map(({ rval, output }) => ({ rval, output })) };
}
