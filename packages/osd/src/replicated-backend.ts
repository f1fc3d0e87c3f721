/**
 * Writes on every member of a PG (ReplicatedBackend). The primary makes one transaction, its log entry included; each
 * member applies it in the order of versions and answers when it is durable. A write is done when all have answered.
 */
import { compareVersions, type EVersion, type OsdId } from '@spirula/encoding';
import type { ObjectChange, OsdRepOp, OsdRepOpReply, PgCounts, PgLogEntry } from '@spirula/messages';
import type { Transaction, TransactionOp } from '@spirula/objectstore';
import { invariant } from '@spirula/world';
import type { PgCore } from './pg-core.ts';
import { NO_VERSION } from './pg-info.ts';

/** Entries trimmed at a time, at most (osd_pg_log_trim_max). */
const TRIM_MAX = 10_000;

interface InFlight {
  /** At least one, in the order of versions. */
  readonly entries: readonly PgLogEntry[];
  readonly waitingFor: Set<OsdId>;
  readonly changes: readonly ObjectChange[];
  readonly onCommit: () => void;
}

/** The changes as operations on the PG's own collection. */
function inCollection(cid: string, changes: readonly ObjectChange[]): Transaction {
  return changes.map((change): TransactionOp => ({ ...change, cid }));
}

/** Whether there are entries, and each is newer than those before it and than `version`. */
function follow(entries: readonly PgLogEntry[], version: EVersion): boolean {
  let last = version;
  for (const entry of entries) {
    if (compareVersions(entry.version, last) <= 0) return false;
    last = entry.version;
  }
  return entries.length > 0;
}

export class ReplicatedBackend {
  readonly #pg: PgCore;
  /** By tid, in the order of versions. */
  readonly #inFlight = new Map<number, InFlight>();
  #lastTid = 0;

  constructor(pg: PgCore) {
    this.#pg = pg;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** The version the next write will have. */
  nextVersion(): EVersion {
    return { epoch: this.#pg.epoch, version: this.#pg.info.lastUpdate.version + 1 };
  }

  /** Whether no write of `version` is under way. */
  isCommitted(version: EVersion): boolean {
    for (const { entries } of this.#inFlight.values()) {
      if (entries.some((entry) => compareVersions(entry.version, version) === 0)) return false;
    }
    return true;
  }

  /**
   * Primary: carries a write out.
   *
   * @param entries of the log, from `nextVersion` on
   * @param shouldSend whether a member gets the changes, or only the log entry: backfill has not come so far there
   * @param onCommit the write is durable on all; not called when the interval ends before
   */
  submit(
    entries: readonly PgLogEntry[],
    changes: readonly ObjectChange[],
    delta: PgCounts,
    shouldSend: (osd: OsdId) => boolean,
    trimTarget: number,
    onCommit: () => void,
  ): void {
    const pg = this.#pg;
    const { counts } = pg.info;
    const newCounts: PgCounts = {
      objects: counts.objects + delta.objects,
      bytes: counts.bytes + delta.bytes,
      clones: counts.clones + delta.clones,
      whiteouts: counts.whiteouts + delta.whiteouts,
    };
    const trimTo = this.#trimTo(trimTarget);
    const tid = ++this.#lastTid;
    this.#inFlight.set(tid, { entries, waitingFor: new Set(pg.actingRecoveryBackfill), changes, onCommit });
    const { pgid, epoch } = pg;
    // One message for all: it is encoded once.
    const message: OsdRepOp = { type: 'osd_repop', pgid, epoch, tid, entries, changes, trimTo, counts: newCounts };
    for (const osd of pg.actingRecoveryBackfill) {
      if (osd !== pg.whoami) pg.send(osd, shouldSend(osd) ? message : { ...message, changes: [] });
    }
    const reset = pg.lastPeeringReset;
    this.#apply(entries, changes, trimTo, newCounts, () => {
      if (pg.lastPeeringReset === reset) this.#onCommitted(pg.whoami, tid);
    });
  }

  onRepOp(from: OsdId, message: OsdRepOp): void {
    const pg = this.#pg;
    const { entries, tid, trimTo, pgid } = message;
    if (from !== pg.primary || message.epoch < pg.lastPeeringReset) return;
    if (!follow(entries, pg.log.head) || compareVersions(trimTo, pg.log.head) > 0) return;
    const reset = pg.lastPeeringReset;
    this.#apply(entries, message.changes, trimTo, message.counts, () => {
      this.#giveBack(message.changes);
      if (pg.lastPeeringReset !== reset) return;
      pg.send(from, { type: 'osd_repop_reply', pgid, epoch: pg.epoch, tid });
    });
  }

  onRepOpReply(from: OsdId, message: OsdRepOpReply): void {
    if (message.epoch >= this.#pg.lastPeeringReset) this.#onCommitted(from, message.tid);
  }

  /** The interval is over: whether its last writes count is for peering to find out. */
  onReset(): void {
    this.#inFlight.clear();
  }

  #onCommitted(osd: OsdId, tid: number): void {
    const write = this.#inFlight.get(tid);
    if (!write) return;
    write.waitingFor.delete(osd);
    // In order: a write is done no earlier than those before it.
    for (const [first, { waitingFor, changes, onCommit }] of this.#inFlight) {
      if (waitingFor.size > 0) break;
      this.#inFlight.delete(first);
      onCommit();
      this.#giveBack(changes);
    }
  }

  /** The data are on the device, and whoever was to have them does. */
  #giveBack(changes: readonly ObjectChange[]): void {
    for (const change of changes) if (change.op === 'write') this.#pg.host.world.memory?.giveBack(change.data);
  }

  #apply(
    entries: readonly PgLogEntry[],
    changes: readonly ObjectChange[],
    trimTo: EVersion,
    counts: PgCounts,
    onCommit: () => void,
  ): void {
    const pg = this.#pg;
    for (const entry of entries) pg.log.append(entry);
    const { version } = entries.at(-1)!;
    pg.log.trim(trimTo, pg.host.world.config.osd_pg_log_dups_tracked);
    const isComplete = pg.missing.size === 0;
    pg.setInfo({
      ...pg.info,
      lastUpdate: version,
      lastComplete: isComplete ? version : pg.info.lastComplete,
      lastUserVersion: Math.max(pg.info.lastUserVersion, ...entries.map(({ userVersion }) => userVersion)),
      logTail: pg.log.tail,
      counts,
    });
    pg.commit(inCollection(pg.cid, changes), onCommit);
  }

  /** How far every member may trim its log: nothing that is not durable everywhere, and in goodly portions. */
  #trimTo(target: number): EVersion {
    const { log, host } = this.#pg;
    const excess = Math.min(log.size - target, TRIM_MAX);
    if (excess < host.world.config.osd_pg_log_trim_min) return log.tail;
    const [oldest] = this.#inFlight.values();
    const limit = oldest?.entries[0]?.version;
    let trimTo = log.tail;
    for (let i = 0; i < excess; i++) {
      const { version } = log.entries[i]!;
      if (limit && compareVersions(version, limit) >= 0) break;
      trimTo = version;
    }
    return trimTo;
  }

  check(): void {
    let last = NO_VERSION;
    for (const { entries } of this.#inFlight.values()) {
      invariant(follow(entries, last), 'writes in flight are in the order of their versions');
      last = entries.at(-1)!.version;
    }
  }
}
