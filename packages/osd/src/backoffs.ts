/**
 * Hands requests to their PGs, unless clients are to keep them: those on PGs of which nobody can tell when they will serve
 * would only fill this OSD's memory (PrimaryLogPG::do_request, PG::add_backoff, release_backoffs, Session::check_backoff).
 *
 *     block --> asked --ackBlock--> acknowledged --release: unblock--> (gone)
 *                 +-- release: unblock --> released --ackBlock--> (gone)
 *
 * Requests that arrive while there is an entry are dropped: what was on its way when the client heard of the block, it
 * sends again when it hears of the end. A session that ends takes its entries along. There is at most one entry for each
 * PG and session.
 */
import type { Epoch, PgId, PoolId } from '@spirula/encoding';
import { type PgKey, pgKey, pgOfKey } from '@spirula/maps';
import type { OsdBackoff } from '@spirula/messages';
import type { SessionId } from '@spirula/world';
import type { ClientOp } from './client-op.ts';
import { pgBegin, pgEnd } from './ops/pgls.ts';

interface Entry {
  readonly block: OsdBackoff;
  state: 'asked' | 'acknowledged' | 'released';
}

/** What is asked of a PG; a `Pg` is one. */
interface BlockablePg {
  readonly isBlocked: boolean;
  readonly ops: {
    handle(op: ClientOp): void;
    takeWaitingForActive(): readonly ClientOp[];
  };
}

export interface BackoffsHost {
  readonly epoch: Epoch;
  /** Whether this OSD is up. */
  readonly isActive: boolean;
  pg(pgid: PgId): BlockablePg | undefined;
  /** Undefined: there is no such pool. */
  pgNum(pool: PoolId): number | undefined;
  /** Whether a PG that is not here is about to begin. */
  isExpected(pgid: PgId): boolean;
  isOpen(session: SessionId): boolean;
  /** The request is dropped: its client sends it again, now or when it may. */
  onDone(op: ClientOp): void;
  send(session: SessionId, message: OsdBackoff): void;
}

export class Backoffs {
  readonly #host: BackoffsHost;
  readonly #sessions = new Map<SessionId, Map<PgKey, Entry>>();
  /** PGs with entries that have not been released. */
  readonly #blocked = new Map<PgKey, PgId>();
  /** Since the last `update`. */
  readonly #changed = new Set<PgKey>();
  #lastId = 0n;

  constructor(host: BackoffsHost) {
    this.#host = host;
  }

  onRequest(op: ClientOp): void {
    const { pgid } = op.message;
    const pg = this.#host.pg(pgid);
    if (!this.#host.isActive || this.#holds(op.session, pgid)) this.#host.onDone(op);
    else if (pg && !pg.isBlocked) pg.ops.handle(op);
    else if (pg || this.#host.isExpected(pgid)) this.#turnAway(op);
    else this.#host.onDone(op);
  }

  /** Whether a request of the session on the PG is to be dropped. */
  #holds(session: SessionId, pgid: PgId): boolean {
    return this.#sessions.size > 0 && this.#sessions.get(session)?.has(pgKey(pgid)) === true;
  }

  #turnAway(op: ClientOp): void {
    if (this.#host.isOpen(op.session)) this.#block(op.session, op.message.pgid);
    this.#host.onDone(op);
  }

  #block(session: SessionId, pgid: PgId): void {
    const pgNum = this.#host.pgNum(pgid.pool);
    const key = pgKey(pgid);
    const entries = this.#sessions.get(session) ?? new Map<PgKey, Entry>();
    const before = entries.get(key);
    if (pgNum === undefined || (before && before.state !== 'released')) return;
    const id = ++this.#lastId;
    const [begin, end] = [pgBegin(pgid), pgEnd(pgid, pgNum)];
    const block: OsdBackoff = { type: 'osd_backoff', pgid, epoch: this.#host.epoch, op: 'block', id, begin, end };
    this.#sessions.set(session, entries.set(key, { block, state: 'asked' }));
    this.#blocked.set(key, pgid);
    this.#host.send(session, block);
  }

  /** What the PG's state lets requests do may have changed. */
  onPgChanged(pgid: PgId): void {
    this.#changed.add(pgKey(pgid));
  }

  /** Call after every event: what the PGs are now decides which requests clients are to keep. */
  update(): void {
    if (this.#changed.size > 0) this.#turnAwayBlocked();
    if (this.#blocked.size > 0) this.#releaseServed();
  }

  #turnAwayBlocked(): void {
    for (const key of this.#changed) {
      const pg = this.#host.pg(pgOfKey(key));
      if (pg?.isBlocked) for (const op of pg.ops.takeWaitingForActive()) this.#turnAway(op);
    }
    this.#changed.clear();
  }

  #releaseServed(): void {
    for (const pgid of this.#blocked.values()) {
      const pg = this.#host.pg(pgid);
      const isBlocked = this.#host.isActive && (pg ? pg.isBlocked : this.#host.isExpected(pgid));
      if (!isBlocked) this.#release(pgid);
    }
  }

  /** The PG serves again, or is somebody else's: clients send again. */
  #release(pgid: PgId): void {
    const key = pgKey(pgid);
    this.#blocked.delete(key);
    for (const [session, entries] of [...this.#sessions]) {
      const entry = entries.get(key);
      if (!entry || entry.state === 'released') continue;
      if (entry.state === 'asked') entry.state = 'released';
      else this.#forget(session, key);
      this.#host.send(session, { ...entry.block, op: 'unblock', epoch: this.#host.epoch });
    }
  }

  onAck(session: SessionId, { pgid, id, op }: OsdBackoff): void {
    const entry = this.#sessions.get(session)?.get(pgKey(pgid));
    if (op !== 'ackBlock' || entry?.block.id !== id) return;
    if (entry.state === 'released') this.#forget(session, pgKey(pgid));
    else entry.state = 'acknowledged';
  }

  onReset(session: SessionId): void {
    this.#sessions.delete(session);
  }

  #forget(session: SessionId, key: PgKey): void {
    const entries = this.#sessions.get(session);
    entries?.delete(key);
    if (entries?.size === 0) this.#sessions.delete(session);
  }
}
