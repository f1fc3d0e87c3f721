/** What a primary reports of a PG, with Ceph's names of states in Ceph's order (pg_state_string, update_calc_stats). */
import type { UTime } from '@spirula/encoding';
import { countSnaps } from '@spirula/maps';
import type { PgStat } from '@spirula/messages';
import type { Pg } from './pg.ts';

/** How many objects of a PG are where (PeeringState::update_calc_stats). */
function countMisplaced(pg: Pg): { readonly degraded: number; readonly misplaced: number } {
  const { core } = pg;
  const { objects } = core.info.counts;
  const { up, acting, pool } = core;
  const lacking = Math.max(0, pool.size - acting.length) * objects;
  const moving = acting.length >= pool.size ? up.filter((osd) => !acting.includes(osd)).length * objects : 0;
  return { degraded: lacking + pg.recovery.degradedCount, misplaced: moving };
}

/** Names in Ceph's order, joined with `+`. */
export function pgStateString(pg: Pg): string {
  const { core, peering, phase } = pg;
  const state = peering.state.name;
  const isCreating = core.info.history.lastEpochStarted === 0;
  const isActive = peering.isActive;
  const { degraded } = isActive ? countMisplaced(pg) : { degraded: 0 };
  const isPeering = ['Initial', 'Reset', 'GetInfo', 'GetLog', 'GetMissing', 'WaitUpThru', 'WaitActingChange'].includes(
    state,
  );
  const hasUnfound = isActive && core.missing.size > 0 && pg.recovery.unfound().length > 0;
  const names: [string, boolean][] = [
    ['creating', isCreating && (isPeering || state === 'Active')],
    ['active', isActive && core.hasMinSize],
    ['activating', state === 'Active' && !isActive],
    ['clean', phase === 'Clean'],
    ['recovery_wait', phase === 'WaitLocalRecoveryReserved' || phase === 'WaitRemoteRecoveryReserved'],
    ['recovery_toofull', phase === 'NotRecovering' && pg.tooFullFor === 'recovery'],
    ['recovering', phase === 'Recovering' && !hasUnfound],
    ['down', state === 'Down'],
    ['recovery_unfound', hasUnfound],
    ['undersized', (isActive || state === 'Active') && core.acting.length < core.pool.size],
    ['degraded', isActive && degraded > 0],
    ['remapped', core.up.join() !== core.acting.join()],
    ['peering', isPeering],
    ['backfilling', phase === 'Backfilling'],
    ['backfill_wait', phase === 'WaitLocalBackfillReserved' || phase === 'WaitRemoteBackfillReserved'],
    ['backfill_toofull', pg.tooFullFor === 'backfill'],
    ['incomplete', state === 'Incomplete'],
    ['peered', isActive && !core.hasMinSize],
    ['snaptrim', pg.snapTrimmer.phase === 'Trimming'],
    ['snaptrim_wait', pg.snapTrimmer.phase === 'WaitReservation'],
    ['snaptrim_error', pg.snapTrimmer.phase === 'Error'],
    ['laggy', pg.isLaggy],
    ['wait', isActive && core.hasMinSize && pg.isWaiting],
  ];
  const held = names.filter(([, holds]) => holds).map(([name]) => name);
  return held.length > 0 ? held.join('+') : 'unknown';
}

/** Remembers since when a PG is what it is. One per PG this OSD is primary of. */
export class PgStatKeeper {
  #state = '';
  #reportedSeq = 0;
  #last: Pick<
    PgStat,
    'lastChange' | 'lastActive' | 'lastPeered' | 'lastClean' | 'lastUnstale' | 'lastUndegraded' | 'lastFullsized'
  >;

  constructor(now: UTime) {
    this.#last = {
      lastChange: now,
      lastActive: now,
      lastPeered: now,
      lastClean: now,
      lastUnstale: now,
      lastUndegraded: now,
      lastFullsized: now,
    };
  }

  report(pg: Pg, now: UTime): PgStat {
    const { core } = pg;
    const { info } = core;
    const state = pgStateString(pg);
    const has = (name: string) => state.split('+').includes(name);
    const when = (holds: boolean, before: UTime) => (holds ? now : before);
    const last = this.#last;
    this.#last = {
      lastChange: when(state !== this.#state, last.lastChange),
      lastActive: when(has('active'), last.lastActive),
      lastPeered: when(has('active') || has('peered'), last.lastPeered),
      lastClean: when(has('clean'), last.lastClean),
      lastUnstale: now,
      lastUndegraded: when(!has('degraded'), last.lastUndegraded),
      lastFullsized: when(!has('undersized'), last.lastFullsized),
    };
    this.#state = state;
    this.#reportedSeq += 1;
    const { degraded, misplaced } = pg.peering.isActive ? countMisplaced(pg) : { degraded: 0, misplaced: 0 };
    const { objects, bytes, clones, whiteouts } = info.counts;
    const { placement } = core;
    return {
      pgid: core.pgid,
      state,
      version: info.lastUpdate,
      reportedSeq: this.#reportedSeq,
      reportedEpoch: core.epoch,
      up: core.up,
      upPrimary: placement.upPrimary,
      acting: core.acting,
      actingPrimary: placement.actingPrimary,
      created: info.history.epochCreated,
      lastEpochClean: info.history.lastEpochClean,
      mappingEpoch: info.history.sameIntervalSince,
      lastFresh: now,
      ...this.#last,
      logStart: info.logTail,
      logSize: core.log.size,
      sum: {
        bytes,
        objects,
        objectClones: clones,
        whiteouts,
        objectCopies: objects * core.pool.size,
        objectsMissingOnPrimary: core.missing.size,
        objectsDegraded: degraded,
        objectsMisplaced: misplaced,
        objectsUnfound: pg.peering.isActive && core.missing.size > 0 ? pg.recovery.unfound().length : 0,
        reads: pg.ops.io.reads,
        readBytes: pg.ops.io.readBytes,
        writes: pg.ops.io.writes,
        writeBytes: pg.ops.io.writeBytes,
        objectsRecovered: pg.recovery.recoveredObjects,
        bytesRecovered: pg.recovery.recoveredBytes,
        omapBytes: 0,
        omapKeys: 0,
      },
      blockedBy: pg.peering.blockedBy,
      snaptrimqLen: countSnaps(pg.snapTrimmer.queue),
      purgedSnaps: info.purgedSnaps.slice(0, core.host.world.config.osd_max_snap_prune_intervals_per_epoch),
    };
  }
}
