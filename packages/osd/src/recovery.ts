/**
 * Bringing missing objects to where the log says they belong (PrimaryLogPG::recover_primary, recover_replicas). The
 * primary pulls what it misses from whoever has it, then pushes to the members that miss it. What a client waits for goes
 * first. Writes to an object wait while any member misses it, so it cannot change on its way.
 *
 *   missing here --pull--> here --push--> every member that misses it --> recovered
 */
import { compareVersions, type EVersion, type OsdId } from '@spirula/encoding';
import { type HObject, osdUp } from '@spirula/maps';
import type { MissingItem, PgPull, PgPush, PgPushReply } from '@spirula/messages';
import { type TransactionOp, UnreadableObject } from '@spirula/objectstore';
import { invariant } from '@spirula/world';
import { type ObjectKey, objectKey, tempOid } from './object-id.ts';
import { readObjectInfo, readObjectPart, writeObjectPart } from './object-part.ts';
import type { PgCore } from './pg-core.ts';
import { hasBackfilled, NO_VERSION, sameVersion } from './pg-info.ts';
import { completeUpTo } from './pg-log-merge.ts';

/** So many when a seed wants many messages an object. */
const SMALL_PART_BYTES = 4096;
/** Bytes of an object's data in one message, at most: osd_recovery_max_chunk, bounded for the sake of other work. */
const MAX_PART_BYTES = 2 << 20;

interface Operation {
  readonly oid: HObject;
  readonly version: EVersion;
  /** Undefined once the object is here. */
  pullFrom: OsdId | undefined;
  /**
   * Members that do not have it durably yet, this one included. Were it written to before, a member might be left with the new
   * version alone, and with none when that turns out to be divergent.
   */
  readonly pushing: Set<OsdId>;
  /** Counts against osd_recovery_max_active. */
  readonly counted: boolean;
}

export interface RecoveryListener {
  /** Clients may write to it again, and read it. */
  onObjectRecovered(oid: HObject): void;
  /** Nothing is missing any more. */
  onAllRecovered(): void;
  /** What is still missing nobody known has. */
  onUnfoundLeft(): void;
  /** An object that was here turned out to be unreadable. */
  onUnreadable(): void;
  /** A backfill target has taken in an object pushed for backfill. */
  onBackfillPushed(osd: OsdId, oid: HObject): void;
}

export class Recovery {
  readonly #pg: PgCore;
  readonly #listener: RecoveryListener;
  readonly #operations = new Map<ObjectKey, Operation>();
  /** Clients wait for these. */
  readonly #wanted = new Map<ObjectKey, HObject>();
  /** Sources that turned out not to have an object after all. */
  readonly #lacking = new Map<ObjectKey, Set<OsdId>>();
  /** Temporary objects of pulls and pushes that have not ended. */
  readonly #temps = new Map<ObjectKey, HObject>();
  /** Whether the reservations are there: else only what clients want is recovered. */
  #running = false;
  /** What remains to be begun of what was missing when it was made up; undefined: to be made up. */
  #queue: HObject[] | undefined;
  #recovered = 0;
  #recoveredBytes = 0;

  constructor(pg: PgCore, listener: RecoveryListener) {
    this.#pg = pg;
    this.#listener = listener;
  }

  get isRunning(): boolean {
    return this.#running;
  }

  get recoveredObjects(): number {
    return this.#recovered;
  }

  get recoveredBytes(): number {
    return this.#recoveredBytes;
  }

  /** Whether any member misses anything. */
  get isNeeded(): boolean {
    const { missing, peerMissing, actingRecoveryBackfill } = this.#pg;
    if (missing.size > 0) return true;
    for (const osd of actingRecoveryBackfill) if ((peerMissing.get(osd)?.size ?? 0) > 0) return true;
    return false;
  }

  /** Whether any of what is missing can be found. */
  get isPossible(): boolean {
    const { missing } = this.#pg;
    const isHere = ({ oid }: MissingItem) => !missing.has(oid);
    if (this.#peersMissing().some(([, theirs]) => theirs.items().some(isHere))) return true;
    return missing.items().some((item) => this.#sourcesOf(item).length > 0);
  }

  /** Objects missing on members, one count each. */
  get degradedCount(): number {
    return this.#peersMissing().reduce((sum, [, missing]) => sum + missing.size, this.#pg.missing.size);
  }

  #peersMissing() {
    const { actingRecoveryBackfill, peerMissing } = this.#pg;
    return [...peerMissing].filter(([osd]) => actingRecoveryBackfill.includes(osd));
  }

  /** Whether clients cannot even read it here. */
  isMissing(oid: HObject): boolean {
    return this.#pg.missing.has(oid);
  }

  /** Whether a write has to wait for the object's recovery. */
  isDegraded(oid: HObject): boolean {
    const { missing, peerMissing, actingRecoveryBackfill } = this.#pg;
    if (missing.has(oid) || (this.#operations.size > 0 && this.#operations.has(objectKey(oid)))) return true;
    return actingRecoveryBackfill.some((osd) => peerMissing.get(osd)?.has(oid));
  }

  /** Objects missing here that nobody known has. */
  unfound(): readonly MissingItem[] {
    return this.#pg.missing.items().filter((item) => this.#sourcesOf(item).length === 0);
  }

  /** A client waits for the object. */
  want(oid: HObject): void {
    this.#wanted.set(objectKey(oid), oid);
    this.#recover(oid, false);
  }

  start(): void {
    this.#running = true;
    this.#queue = undefined;
    this.kick();
  }

  /** The interval is over. */
  onReset(): void {
    const { cid, host } = this.#pg;
    for (const operation of this.#operations.values()) if (operation.counted) host.endRecoveryOp();
    this.#operations.clear();
    this.#wanted.clear();
    this.#lacking.clear();
    this.#running = false;
    if (this.#temps.size > 0) {
      host.submit([...this.#temps.values()].map((oid): TransactionOp => ({ op: 'remove', cid, oid })));
      this.#temps.clear();
    }
  }

  /** Starts what can be started. */
  kick(): void {
    for (const oid of [...this.#wanted.values()]) this.#recover(oid, false);
    if (!this.#running) return;
    this.#queue ??= this.#candidates();
    while (this.#queue.length > 0) {
      const oid = this.#queue.at(-1)!;
      if (!this.#operations.has(objectKey(oid)) && this.#isRecoverable(oid)) {
        if (!this.#pg.host.beginRecoveryOp(this.#pg.pgid)) return;
        this.#queue.pop();
        this.#recover(oid, true);
      } else this.#queue.pop();
    }
    if (this.#operations.size > 0) return;
    this.#running = false;
    if (this.isNeeded) this.#listener.onUnfoundLeft();
    else this.#listener.onAllRecovered();
  }

  /** A map says who is down: pulls from there begin anew. */
  onMap(): void {
    const { map } = this.#pg;
    for (const operation of [...this.#operations.values()]) {
      if (operation.pullFrom !== undefined && !osdUp(map, operation.pullFrom)) this.#restart(operation);
    }
  }

  /** Somebody who may have what is missing has been heard. */
  onNewSource(): void {
    this.#lacking.clear();
    this.#queue = undefined;
    this.kick();
  }

  /** What is missing here first, then elsewhere, each by age; last to first. */
  #candidates(): HObject[] {
    const byNeed = (a: MissingItem, b: MissingItem) => compareVersions(a.need, b.need);
    const own = this.#pg.missing.items().sort(byNeed);
    const others = this.#peersMissing().flatMap(([, missing]) => missing.items());
    return [...own, ...others.sort(byNeed)].map(({ oid }) => oid).reverse();
  }

  #isRecoverable(oid: HObject): boolean {
    const item = this.#pg.missing.get(oid);
    return item === undefined || this.#sourcesOf(item).length > 0;
  }

  /**
   * Who has the object in the version needed (MissingLoc::add_source_info); where nobody counts as having it, those who may:
   * members to be backfilled keep what they had until it is replaced, and give nothing of another version.
   */
  #sourcesOf({ oid, need }: MissingItem): OsdId[] {
    const { peerInfo, peerMissing, actingRecoveryBackfill, backfillTargets, map } = this.#pg;
    const lacking = this.#lacking.get(objectKey(oid));
    const isThere = (osd: OsdId) => osdUp(map, osd) && !lacking?.has(osd);
    const sources: OsdId[] = [];
    for (const [osd, missing] of peerMissing) {
      const info = peerInfo.get(osd);
      if (!info || !isThere(osd) || missing.has(oid)) continue;
      // A member has been sent every write of this interval.
      const isUpToDate = actingRecoveryBackfill.includes(osd) || compareVersions(info.lastUpdate, need) >= 0;
      if (isUpToDate && hasBackfilled(info, oid)) sources.push(osd);
    }
    return (sources.length > 0 ? sources : backfillTargets.filter(isThere)).sort((a, b) => a - b);
  }

  #recover(oid: HObject, counted: boolean): void {
    const key = objectKey(oid);
    if (this.#operations.has(key)) {
      if (counted) this.#pg.host.endRecoveryOp();
      return;
    }
    const item = this.#pg.missing.get(oid);
    if (item) {
      const [source] = this.#sourcesOf(item);
      if (source === undefined) {
        invariant(!counted, 'what cannot be found is not begun');
        return;
      }
      const operation = { oid, version: item.need, pullFrom: source, pushing: new Set<OsdId>(), counted };
      this.#operations.set(key, operation);
      this.#sendPull(operation, undefined);
      return;
    }
    const version = this.#neededElsewhere(oid);
    if (!version) {
      this.#wanted.delete(key);
      if (counted) this.#pg.host.endRecoveryOp();
      return;
    }
    const operation = { oid, version, pullFrom: undefined, pushing: new Set<OsdId>(), counted };
    this.#operations.set(key, operation);
    this.#push(operation);
  }

  #neededElsewhere(oid: HObject): EVersion | undefined {
    for (const [, missing] of this.#peersMissing()) {
      const item = missing.get(oid);
      if (item) return item.need;
    }
    return undefined;
  }

  #sendPull(operation: Operation, from: PgPull['from']): void {
    const { pgid, epoch } = this.#pg;
    const { oid, version, pullFrom } = operation;
    this.#pg.send(pullFrom!, { type: 'pg_pull', pgid, epoch, oid, version, from });
  }

  /** The object is here: pushes it to every member that misses it. */
  #push(operation: Operation): void {
    for (const [osd, missing] of this.#peersMissing()) {
      if (!missing.has(operation.oid)) continue;
      operation.pushing.add(osd);
      if (!this.#sendPart(osd, operation.oid, operation.version, undefined)) return;
    }
    this.#maybeFinish(operation);
  }

  /** Returns false when the object cannot be read here: it counts as missing from now on. */
  #sendPart(osd: OsdId, oid: HObject, version: EVersion, from: PgPull['from']): boolean {
    const { pgid, epoch } = this.#pg;
    const read = this.#read(oid, version, from);
    if (!read) {
      this.#forget(oid, version);
      return false;
    }
    this.#pg.send(osd, { type: 'pg_push', pgid, epoch, part: read.part, next: read.next });
    return true;
  }

  #read(oid: HObject, version: EVersion, from: PgPull['from']) {
    const { host, cid } = this.#pg;
    const most = host.world.buggify('osd recovers in small parts') ? SMALL_PART_BYTES : MAX_PART_BYTES;
    const chunk = Math.min(host.world.config.osd_recovery_max_chunk, most);
    try {
      return readObjectPart(host.store, cid, oid, version, from, chunk);
    } catch (error) {
      if (!(error instanceof UnreadableObject)) throw error;
      this.#logUnreadable(oid, error);
      return undefined;
    }
  }

  /** The object here cannot be read: it counts as missing, and is recovered (PrimaryLogPG::rep_repair_primary_object). */
  onUnreadable(oid: HObject, version: EVersion, error: UnreadableObject): void {
    this.#logUnreadable(oid, error);
    this.#forget(oid, version);
    this.#listener.onUnreadable();
  }

  #logUnreadable(oid: HObject, { message }: UnreadableObject): void {
    const { host, cid } = this.#pg;
    host.world.log.error('an object cannot be read; it is recovered from another copy', {
      pg: cid,
      object: oid.name,
      error: message,
    });
  }

  /** The store has the object no more, in any version that counts. */
  #forget(oid: HObject, version: EVersion): void {
    const pg = this.#pg;
    const operation = this.#operations.get(objectKey(oid));
    pg.missing.add(oid, version, NO_VERSION);
    pg.setInfo({ ...pg.info, lastComplete: completeUpTo(pg.info, pg.missing) });
    pg.commit();
    this.#queue = undefined;
    if (operation) this.#restart(operation);
  }

  /** An object that backfill found lacking on a target. */
  pushForBackfill(osd: OsdId, oid: HObject, version: EVersion): boolean {
    return this.#sendPart(osd, oid, version, undefined);
  }

  #restart(operation: Operation): void {
    this.#operations.delete(objectKey(operation.oid));
    if (operation.counted) this.#pg.host.endRecoveryOp();
    this.#queue = undefined;
    this.kick();
  }

  // Messages, on the side of the primary or of a replica.

  onPull(from: OsdId, message: PgPull): void {
    const { pgid, epoch } = this.#pg;
    const { oid, version } = message;
    const { missing } = this.#pg;
    const read = missing.has(oid) ? undefined : this.#read(oid, version, message.from);
    if (read) {
      this.#pg.send(from, { type: 'pg_push', pgid, epoch, part: read.part, next: read.next });
      return;
    }
    if (!missing.has(oid) && this.#isStored(oid, version)) this.#forget(oid, version);
    this.#pg.send(from, { type: 'pg_push_reply', pgid, epoch, oid, version, next: undefined, missing: true });
  }

  onPush(from: OsdId, message: PgPush): void {
    if (this.#pg.isPrimary) this.#onPulled(from, message);
    else if (from === this.#pg.primary) this.#onPushed(from, message);
  }

  #onPulled(from: OsdId, { part, next }: PgPush): void {
    const operation = this.#operations.get(objectKey(part.oid));
    if (!operation || operation.pullFrom !== from || !sameVersion(operation.version, part.version)) return;
    if (!part.last) {
      this.#takeIn(part, () => {});
      this.#sendPull(operation, next);
      return;
    }
    operation.pullFrom = undefined;
    const { whoami } = this.#pg;
    operation.pushing.add(whoami);
    this.#takeIn(part, () => {
      if (this.#operations.get(objectKey(part.oid)) !== operation) return;
      operation.pushing.delete(whoami);
      this.#maybeFinish(operation);
    });
    this.#push(operation);
  }

  #onPushed(from: OsdId, { part, next }: PgPush): void {
    const pg = this.#pg;
    const { pgid } = pg;
    const reset = pg.lastPeeringReset;
    this.#takeIn(part, () => {
      if (pg.lastPeeringReset !== reset) return;
      const { oid, version } = part;
      pg.send(from, {
        type: 'pg_push_reply',
        pgid,
        epoch: pg.epoch,
        oid,
        version,
        next: part.last ? undefined : next,
        missing: false,
      });
    });
  }

  #takeIn(part: PgPush['part'], onCommit: () => void): void {
    const pg = this.#pg;
    const transaction: TransactionOp[] = [];
    writeObjectPart(pg.cid, part, transaction);
    const key = objectKey(part.oid);
    if (part.last) {
      this.#temps.delete(key);
      if (pg.missing.got(part.oid, part.version) && pg.missing.size === 0) {
        pg.setInfo({ ...pg.info, lastComplete: pg.info.lastUpdate });
      }
    } else this.#temps.set(key, tempOid(part.oid));
    pg.commit(transaction, onCommit);
    this.#recoveredBytes += part.data.length;
  }

  onPushReply(from: OsdId, { oid, version, next, missing }: PgPushReply): void {
    const key = objectKey(oid);
    const operation = this.#operations.get(key);
    if (missing) {
      if (!operation || operation.pullFrom !== from) return;
      this.#onLacking(from, operation);
      return;
    }
    if (next) {
      // A push of a backfill that was given up, of what has been written since.
      if (operation ? !sameVersion(operation.version, version) : !this.#isStored(oid, version)) return;
      const isSent = this.#sendPart(from, oid, version, next);
      // Recovery has begun anew by itself.
      if (!isSent && !operation) this.#listener.onUnreadable();
      return;
    }
    if (!operation) {
      this.#listener.onBackfillPushed(from, oid);
      return;
    }
    if (!operation.pushing.delete(from)) return;
    const pg = this.#pg;
    const peerMissing = pg.peerMissing.get(from);
    peerMissing?.rm(oid);
    const info = pg.peerInfo.get(from);
    if (info && peerMissing?.size === 0) pg.peerInfo.set(from, { ...info, lastComplete: info.lastUpdate });
    this.#maybeFinish(operation);
  }

  #isStored(oid: HObject, version: EVersion): boolean {
    const { host, cid } = this.#pg;
    const info = readObjectInfo(host.store, cid, oid);
    return info !== undefined && sameVersion(info.version, version);
  }

  /** Who was thought to have an object has not, or cannot read it: a member is given it again. */
  #onLacking(from: OsdId, operation: Operation): void {
    const { actingRecoveryBackfill, peerInfo, peerMissing } = this.#pg;
    const { oid, version } = operation;
    const key = objectKey(oid);
    const info = peerInfo.get(from);
    if (info && actingRecoveryBackfill.includes(from) && hasBackfilled(info, oid)) {
      peerMissing.get(from)?.add(oid, version, NO_VERSION);
    } else this.#lacking.set(key, (this.#lacking.get(key) ?? new Set()).add(from));
    this.#restart(operation);
  }

  #maybeFinish(operation: Operation): void {
    if (operation.pullFrom !== undefined || operation.pushing.size > 0) return;
    const key = objectKey(operation.oid);
    this.#operations.delete(key);
    this.#wanted.delete(key);
    this.#recovered += 1;
    if (operation.counted) this.#pg.host.endRecoveryOp();
    this.#pg.host.pgChanged(this.#pg.pgid);
    this.#listener.onObjectRecovered(operation.oid);
    this.kick();
  }

  /** Whether the object here is what the log says: for checks. */
  isCurrent(oid: HObject): boolean {
    const { host, cid, log } = this.#pg;
    const entry = log.entryOf(oid);
    if (!entry || this.#pg.missing.has(oid)) return true;
    const info = readObjectInfo(host.store, cid, oid);
    return entry.kind === 'delete'
      ? info === undefined
      : info !== undefined && sameVersion(info.version, entry.version);
  }
}
