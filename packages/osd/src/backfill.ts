/**
 * Filling OSDs whose log does not reach back far enough (PrimaryLogPG::recover_backfill): the primary walks through the
 * PG in the order of objects beside what each target lists, pushes what a target lacks or has in another version, and has
 * removed what should not be there.
 *
 *    done on the target        being pushed             not looked at yet
 *   ------------------|--------------------------|--------------------------->  order of objects
 *              last_backfill             last_backfill_started
 *
 * Every write up to last_backfill_started goes to the target as well; of later ones it gets only the log entry. An object
 * being pushed is not written to meanwhile.
 */
import type { EVersion, OsdId } from '@spirula/encoding';
import { compareHObjects, type HObject, MAX_HOBJECT, sameHObject } from '@spirula/maps';
import {
  NOSNAP,
  type PgBackfillProgress,
  type PgBackfillProgressReply,
  type PgBackfillRemove,
  type PgScan,
  type PgScanReply,
} from '@spirula/messages';
import type { Cid, ObjectStore, TransactionOp } from '@spirula/objectstore';
import { invariant } from '@spirula/world';
import { isPgMeta, isTemp, type ObjectKey, objectKey } from './object-id.ts';
import { readObjectInfo } from './object-part.ts';
import type { PgCore } from './pg-core.ts';
import { NO_VERSION, sameVersion } from './pg-info.ts';
import { headOf } from './snap-set.ts';

/** Objects of the PG looked at in one go; the next go follows when the targets answer. */
const WALK_BATCH = 128;
const SMALL_WALK_BATCH = 3;
/** Pushes under way for backfill in one PG, at most. */
const MAX_PUSHES = 8;

/** Progress is told to the targets every so many objects. */
const PROGRESS_EVERY = 16;

/** What a target has, less what has been dealt with. */
interface TargetScan {
  /** Everything before it is listed. */
  end: HObject;
  objects: { readonly oid: HObject; readonly version: EVersion }[];
  /** Asked for the next stretch. */
  waiting: boolean;
}

export interface BackfillListener {
  /** Clients may write to it again. */
  onObjectRecovered(oid: HObject): void;
  /** Every target has everything. */
  onAllBackfilled(): void;
  /** An object to be pushed could not be read. */
  onUnreadable(): void;
  /** Sends an object to a target; its reply comes to `onPushed`. False: it cannot be read here. */
  push(osd: OsdId, oid: HObject, version: EVersion): boolean;
}

export class Backfill {
  readonly #pg: PgCore;
  readonly #listener: BackfillListener;
  readonly #scans = new Map<OsdId, TargetScan>();
  /** Targets that have not answered yet for each object being pushed, in the order of objects. */
  readonly #pushing = new Map<ObjectKey, { readonly oid: HObject; readonly targets: Set<OsdId> }>();
  /** Every object up to it has been dealt with. Undefined: not running. */
  #lastStarted: HObject | undefined;
  #sinceProgress = 0;
  #unreadable = false;
  #finishing: Set<OsdId> | undefined;

  constructor(pg: PgCore, listener: BackfillListener) {
    this.#pg = pg;
    this.#listener = listener;
  }

  get isRunning(): boolean {
    return this.#lastStarted !== undefined;
  }

  /** Targets that do not have everything yet. */
  get targets(): readonly OsdId[] {
    const { backfillTargets, peerInfo } = this.#pg;
    return backfillTargets.filter((osd) => !peerInfo.get(osd)!.lastBackfill.max);
  }

  get isNeeded(): boolean {
    return this.targets.length > 0;
  }

  /** How far every target has come. */
  get earliest(): HObject {
    return this.targets
      .map((osd) => this.#pg.peerInfo.get(osd)!.lastBackfill)
      .reduce((a, b) => (compareHObjects(a, b) <= 0 ? a : b), MAX_HOBJECT);
  }

  /**
   * Whether a write to `oid` has to wait: a copy of it is on its way, or the walk is among its clones, and a write that goes
   * to no target would make another where the walk has been.
   */
  isBusy(oid: HObject): boolean {
    if (this.#pushing.size > 0 && this.#pushing.has(objectKey(oid))) return true;
    const at = this.#lastStarted;
    return at !== undefined && isAmongClones(at) && sameHObject(headOf(at), oid);
  }

  /** Whether a target takes part in writes to `oid`, or gets only their log entries (should_send_op). */
  shouldSend(osd: OsdId, oid: HObject): boolean {
    const { backfillTargets, peerInfo } = this.#pg;
    if (!backfillTargets.includes(osd)) return true;
    const { lastBackfill } = peerInfo.get(osd)!;
    if (compareHObjects(oid, lastBackfill) <= 0) return true;
    return this.#lastStarted !== undefined && compareHObjects(oid, this.#lastStarted) <= 0;
  }

  start(): void {
    this.#lastStarted = this.earliest;
    for (const osd of this.targets) this.#scans.set(osd, { end: this.#lastStarted, objects: [], waiting: false });
    this.kick();
  }

  onReset(): void {
    const { host } = this.#pg;
    for (const _ of this.#pushing) host.endRecoveryOp();
    this.#pushing.clear();
    this.#scans.clear();
    this.#lastStarted = undefined;
    this.#finishing = undefined;
  }

  kick(): void {
    while (this.#lastStarted && !this.#lastStarted.max && this.#haveScans()) {
      if (!this.#walk(this.#lastStarted)) break;
    }
    if (this.#unreadable) {
      this.#unreadable = false;
      this.#listener.onUnreadable();
    } else this.#maybeFinish();
  }

  /** Whether every target's list reaches beyond where the walk is; asks for those that do not. */
  #haveScans(): boolean {
    const { pgid, epoch, host } = this.#pg;
    let complete = true;
    for (const [osd, scan] of this.#scans) {
      if (scan.objects.length > 0 || scan.end.max) continue;
      // Nothing left of it; but what lies before its end has been listed.
      if (compareHObjects(scan.end, this.#lastStarted!) > 0) continue;
      complete = false;
      if (scan.waiting) continue;
      scan.waiting = true;
      const max = host.world.config.osd_backfill_scan_max;
      this.#pg.send(osd, { type: 'pg_scan', pgid, epoch, begin: scan.end, max });
    }
    return complete;
  }

  /**
   * Deals with objects after `from` as far as all lists reach, and as far as pushes may be begun.
   *
   * @returns whether it can go on at once
   */
  #walk(from: HObject): boolean {
    const { host, cid } = this.#pg;
    const reach = [...this.#scans.values()]
      .map(({ end }) => end)
      .reduce((a, b) => (compareHObjects(a, b) <= 0 ? a : b), MAX_HOBJECT);
    const batch = host.world.buggify('osd walks few objects at a time') ? SMALL_WALK_BATCH : WALK_BATCH;
    const { objects, end } = listWhole(host.store, cid, from, batch);
    // Where the list was cut, the walk ends too.
    const limit = compareHObjects(end, reach) < 0 ? end : reach;
    const own = objects.filter((oid) => compareHObjects(oid, from) > 0 && compareHObjects(oid, limit) < 0);
    const positions = this.#merge(own, limit);
    for (const { oid, isHere } of positions) {
      if (!this.#dealWith(oid, isHere)) return false;
      this.#moveTo(oid);
    }
    this.#moveTo(limit);
    this.#advance();
    return true;
  }

  #moveTo(position: HObject): void {
    const left = this.#lastStarted;
    this.#lastStarted = position;
    // The walk has come to the head, or there is none.
    if (left && isAmongClones(left) && !isBusyAt(left, position)) this.#listener.onObjectRecovered(headOf(left));
  }

  /** Own and listed objects up to `limit`, in order, each once. */
  #merge(own: readonly HObject[], limit: HObject): { readonly oid: HObject; readonly isHere: boolean }[] {
    const here = new Set(own.map(objectKey));
    const all = new Map(own.map((oid) => [objectKey(oid), oid]));
    for (const { objects } of this.#scans.values()) {
      for (const { oid } of objects) if (compareHObjects(oid, limit) < 0) all.set(objectKey(oid), oid);
    }
    return [...all.entries()]
      .sort(([, a], [, b]) => compareHObjects(a, b))
      .map(([key, oid]) => ({ oid, isHere: here.has(key) }));
  }

  /** Returns false when no more pushes may be begun now. */
  #dealWith(oid: HObject, isHere: boolean): boolean {
    const { host, cid, pgid, epoch, peerInfo } = this.#pg;
    const info = isHere ? readObjectInfo(host.store, cid, oid) : undefined;
    const lacking: OsdId[] = [];
    const surplus: OsdId[] = [];
    for (const [osd, scan] of this.#scans) {
      if (compareHObjects(oid, peerInfo.get(osd)!.lastBackfill) <= 0) continue;
      const first = scan.objects[0];
      const theirs = first && objectKey(first.oid) === objectKey(oid) ? first.version : undefined;
      if (info && !(theirs && sameVersion(theirs, info.version))) lacking.push(osd);
      if (!info && theirs) surplus.push(osd);
    }
    this.#sinceProgress += 1;
    if (info && lacking.length > 0) {
      if (this.#pushing.size >= MAX_PUSHES || !host.beginRecoveryOp(pgid)) return false;
      this.#pushing.set(objectKey(oid), { oid, targets: new Set(lacking) });
      for (const osd of lacking) {
        if (this.#listener.push(osd, oid, info.version)) continue;
        this.#unreadable = true;
        return false;
      }
    }
    for (const osd of surplus) this.#pg.send(osd, { type: 'pg_backfill_remove', pgid, epoch, objects: [oid] });
    for (const scan of this.#scans.values()) {
      if (scan.objects[0] && objectKey(scan.objects[0].oid) === objectKey(oid)) scan.objects.shift();
    }
    return true;
  }

  onScanReply(from: OsdId, message: PgScanReply): void {
    const scan = this.#scans.get(from);
    if (!scan?.waiting || compareHObjects(message.begin, scan.end) !== 0) return;
    if (compareHObjects(message.end, scan.end) <= 0) return;
    scan.waiting = false;
    scan.end = message.end;
    const lastStarted = this.#lastStarted!;
    scan.objects = message.objects.filter(({ oid }) => compareHObjects(oid, lastStarted) > 0);
    this.kick();
  }

  onPushed(from: OsdId, oid: HObject): void {
    const key = objectKey(oid);
    const push = this.#pushing.get(key);
    if (!push?.targets.delete(from) || push.targets.size > 0) return;
    this.#pushing.delete(key);
    this.#pg.host.endRecoveryOp();
    this.#advance();
    this.#listener.onObjectRecovered(oid);
    this.kick();
  }

  /** Moves the targets' last_backfill up to before the first object still being pushed. */
  #advance(): void {
    const { pgid, epoch, info, peerInfo } = this.#pg;
    if (this.#sinceProgress < PROGRESS_EVERY || !this.#lastStarted) return;
    const [first] = this.#pushing.values();
    // An object's clones are done with it: what its log entries say is of them together.
    const done = first?.oid ?? (isAmongClones(this.#lastStarted) ? this.#lastStarted : undefined);
    const lastBackfill = done ? beforeClones(done) : this.#lastStarted;
    if (lastBackfill.max) return;
    this.#sinceProgress = 0;
    for (const osd of this.targets) {
      const peer = peerInfo.get(osd)!;
      if (compareHObjects(peer.lastBackfill, lastBackfill) >= 0) continue;
      peerInfo.set(osd, { ...peer, lastBackfill });
      this.#pg.send(osd, { type: 'pg_backfill_progress', pgid, epoch, lastBackfill, counts: info.counts });
    }
  }

  #maybeFinish(): void {
    if (!this.#lastStarted?.max || this.#pushing.size > 0 || this.#finishing) return;
    const { pgid, epoch, info } = this.#pg;
    this.#finishing = new Set(this.targets);
    invariant(this.#finishing.size > 0, 'backfill has a target');
    for (const osd of this.#finishing) {
      this.#pg.send(osd, {
        type: 'pg_backfill_progress',
        pgid,
        epoch,
        lastBackfill: MAX_HOBJECT,
        counts: info.counts,
      });
    }
  }

  onProgressReply(from: OsdId, message: PgBackfillProgressReply): void {
    if (!message.lastBackfill.max || !this.#finishing?.delete(from)) return;
    const peer = this.#pg.peerInfo.get(from)!;
    this.#pg.peerInfo.set(from, { ...peer, lastBackfill: MAX_HOBJECT });
    if (this.#finishing.size > 0) return;
    this.#finishing = undefined;
    this.#lastStarted = undefined;
    this.#scans.clear();
    this.#listener.onAllBackfilled();
  }
}

/** The last position before an object and all its clones: nothing is there, for no snapshot has number 0. */
function beforeClones(oid: HObject): HObject {
  return { ...oid, snap: 0n };
}

/**
 * A PG's objects from a position on, each with all its clones, and where the next ones begin: at least `count` of them, if there
 * are so many.
 */
function listWhole(store: ObjectStore, cid: Cid, begin: HObject, count: number) {
  for (let max = count + 1; ; max *= 2) {
    const listed = store.list(cid, startOf(begin), max);
    const last = listed.length < max ? undefined : listed.at(-1)!;
    const end = last ? beforeClones(last) : MAX_HOBJECT;
    if (last && (isTemp(last) || isPgMeta(last) || compareHObjects(end, begin) <= 0)) continue;
    const isListed = (oid: HObject) => !isPgMeta(oid) && !isTemp(oid) && compareHObjects(oid, begin) >= 0;
    return { objects: listed.filter((oid) => isListed(oid) && compareHObjects(oid, end) < 0), end };
  }
}

/** Whether a position is one of an object's clones. */
function isAmongClones({ snap, max }: HObject): boolean {
  return !max && snap !== 0n && snap !== NOSNAP;
}

/** Whether a walk that goes from among the clones of an object to `to` is still there. */
function isBusyAt(from: HObject, to: HObject): boolean {
  return isAmongClones(to) && sameHObject(headOf(from), headOf(to));
}

/** Where a listing after a position begins. */
function startOf(position: HObject): HObject | undefined {
  return position.pool < 0 ? undefined : position;
}

/** A backfill target's side. */
export class BackfillTarget {
  readonly #pg: PgCore;

  constructor(pg: PgCore) {
    this.#pg = pg;
  }

  onScan(from: OsdId, { begin, max }: PgScan): void {
    const { pgid, epoch, cid, host } = this.#pg;
    if (host.isBackfillFull(0)) {
      this.#pg.send(from, { type: 'pg_reserve', pgid, epoch, kind: 'backfill', op: 'toofull', bytes: 0 });
      return;
    }
    const count = Math.min(max, host.world.config.osd_backfill_scan_max);
    const { objects: listed, end } = listWhole(host.store, cid, begin, count);
    // What has no info is no object; it is listed in a version nobody has, so that it is replaced or removed.
    const versionOf = (oid: HObject) => readObjectInfo(host.store, cid, oid)?.version ?? NO_VERSION;
    const objects = listed.map((oid) => ({ oid, version: versionOf(oid) }));
    this.#pg.send(from, { type: 'pg_scan_reply', pgid, epoch, begin, end, objects });
  }

  onRemove({ objects }: PgBackfillRemove): void {
    const { cid } = this.#pg;
    this.#pg.commit(objects.map((oid): TransactionOp => ({ op: 'remove', cid, oid })));
  }

  onProgress(from: OsdId, { lastBackfill, counts }: PgBackfillProgress): void {
    const pg = this.#pg;
    const { pgid } = pg;
    if (pg.info.lastBackfill.max || compareHObjects(lastBackfill, pg.info.lastBackfill) < 0) return;
    pg.setInfo({ ...pg.info, lastBackfill, counts });
    const reset = pg.lastPeeringReset;
    pg.commit([], () => {
      if (!lastBackfill.max || pg.lastPeeringReset !== reset) return;
      pg.send(from, { type: 'pg_backfill_progress_reply', pgid, epoch: pg.epoch, lastBackfill });
    });
  }
}
