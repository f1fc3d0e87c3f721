/**
 * Takes removed snapshots from a PG's clones in the background, a few clones at a time (SnapTrimmer in PrimaryLogPG):
 *
 *   NotTrimming --clean, something queued--> WaitReservation --> Trimming: clones of the first snapshot, again and again
 *        ^                                                            |
 *        +---------------- nothing queued any more -------------------+   each snapshot that no clone carries is purged
 *
 * What is to be trimmed is what the map's queue has and the PG's info does not call purged. The monitors take a snapshot from
 * the queue when every PG of the pool reports it purged.
 */
import {
  type HObject,
  hasSnap,
  intersectSnaps,
  OsdMapFlag,
  oneSnap,
  type SnapInterval,
  subtractSnaps,
  unionOfSnaps,
} from '@spirula/maps';
import { type Instant, invariant, seconds } from '@spirula/world';
import type { PgCore } from './pg-core.ts';
import { clonesOfSnap } from './snap-mapper.ts';
import { type ObjectWrite, trimObject } from './trim-object.ts';

type TrimPhase = 'NotTrimming' | 'WaitReservation' | 'Trimming' | 'Error';

/** Of trimming among itself: no PG goes before another. */
const PRIORITY = 0;

export interface SnapTrimmerHost {
  /** Active, with nothing to recover. */
  isClean(): boolean;
  nextVersion(): ObjectWrite['entries'][number]['version'];
  /** Carries a write out; `onCommit` when it is durable everywhere, unless the interval ends before. */
  submit(write: ObjectWrite, onCommit: () => void): void;
  /** Tells the members what the PG's info says. */
  shareInfo(): void;
}

export class SnapTrimmer {
  readonly #pg: PgCore;
  readonly #host: SnapTrimmerHost;
  #phase: TrimPhase = 'NotTrimming';
  #queue: readonly SnapInterval[] = [];
  #underWay = 0;
  #restsUntil: Instant = 0;

  constructor(pg: PgCore, host: SnapTrimmerHost) {
    this.#pg = pg;
    this.#host = host;
  }

  get phase(): TrimPhase {
    return this.#phase;
  }

  /** Snapshots to be trimmed (snap_trimq). */
  get queue(): readonly SnapInterval[] {
    return this.#queue;
  }

  /** Of those that a client names, the snapshots that clones are still made for (PrimaryLogPG::filter_snapc). */
  filter(snaps: readonly bigint[]): readonly bigint[] {
    const { purgedSnaps } = this.#pg.info;
    if (this.#queue.length + purgedSnaps.length === 0) return snaps;
    return snaps.filter((snap) => !hasSnap(this.#queue, snap) && !hasSnap(purgedSnaps, snap));
  }

  /** Primary: the PG is active, or has come to a newer map. */
  follow(): void {
    const { map, pgid, info } = this.#pg;
    const removed = map.removedSnapsQueue.get(pgid.pool) ?? [];
    // What the monitors have taken from the queue is not theirs to be told any more.
    const purgedSnaps = intersectSnaps(info.purgedSnaps, removed);
    if (purgedSnaps.length + info.purgedSnaps.length > 0) this.#pg.setInfo({ ...info, purgedSnaps });
    this.#queue = subtractSnaps(removed, purgedSnaps);
    this.kick();
  }

  /** The interval is over. */
  onReset(): void {
    this.#stop();
    this.#queue = [];
    this.#underWay = 0;
  }

  /** Goes on where it can. */
  kick(): void {
    if (this.#phase === 'Error' || this.#underWay > 0) return;
    const { host, cid, map } = this.#pg;
    const isHeld = (map.flags & OsdMapFlag.nosnaptrim) !== 0 || !this.#host.isClean();
    if (this.#queue.length === 0 || isHeld) {
      this.#stop();
      return;
    }
    if (this.#phase === 'NotTrimming') {
      this.#become('WaitReservation');
      host.snapTrimReservations.request(cid, PRIORITY, () => {
        this.#become('Trimming');
        this.#goOn();
      });
    } else if (this.#phase === 'Trimming') this.#goOn();
  }

  #stop(): void {
    if (this.#phase === 'NotTrimming') return;
    this.#pg.host.snapTrimReservations.cancel(this.#pg.cid);
    this.#become('NotTrimming');
  }

  #become(phase: TrimPhase): void {
    this.#phase = phase;
    this.#pg.host.pgChanged(this.#pg.pgid);
  }

  #goOn(): void {
    const { host, cid, metaOid, pgid } = this.#pg;
    const { clock, config } = host.world;
    const [first] = this.#queue;
    if (!first || !this.#host.isClean()) return;
    if (clock.now() < this.#restsUntil) {
      host.wakeAt(pgid, this.#restsUntil);
      return;
    }
    const clones = clonesOfSnap(host.store, cid, metaOid, first.start, config.osd_pg_max_concurrent_snap_trims);
    if (clones.length === 0) this.#purge(first.start);
    for (const clone of clones) if (!this.#trim(clone, first.start)) return;
  }

  /** Returns false when it cannot be done. */
  #trim(clone: HObject, snap: bigint): boolean {
    const { host } = this.#pg;
    const write = trimObject(this.#pg, clone, snap, this.#host.nextVersion(), host.world.clock.wall());
    if (!write) {
      host.world.log.error('a clone cannot be trimmed: its head knows nothing of it', {
        pg: this.#pg.cid,
        object: clone.name,
        clone: clone.snap,
      });
      this.#become('Error');
      return false;
    }
    this.#underWay += 1;
    this.#host.submit(write, () => this.#onTrimmed());
    return true;
  }

  #onTrimmed(): void {
    this.#underWay -= 1;
    invariant(this.#underWay >= 0, 'no more is trimmed than was begun');
    if (this.#underWay === 0) this.#rest();
  }

  /** No clone carries it any more, on any member. */
  #purge(snap: bigint): void {
    const pg = this.#pg;
    this.#queue = subtractSnaps(this.#queue, oneSnap(snap));
    pg.setInfo({ ...pg.info, purgedSnaps: unionOfSnaps(pg.info.purgedSnaps, oneSnap(snap)) });
    pg.commit();
    this.#host.shareInfo();
    pg.host.pgChanged(pg.pgid);
    this.#rest();
  }

  #rest(): void {
    const { host, pgid } = this.#pg;
    const { clock, config } = host.world;
    this.#restsUntil = clock.now() + seconds(config.osd_snap_trim_sleep);
    host.wakeAt(pgid, this.#restsUntil);
  }
}
