/**
 * `ceph pg 1.7 query`: what the primary knows of a PG (PrimaryLogPG::do_command, PeeringState::QueryState, pg_info_t::dump).
 * What is not kept here (scrubs, cache tiers) has the value of a PG that never saw any.
 */
import { formatPgId, formatVersion, type OsdId, type UTime } from '@spirula/encoding';
import { dumpPgStat, dumpSnapIntervals, formatStamp, UNKNOWN } from '@spirula/formatter';
import { countSnaps, formatSnapIntervals, type HObject, osdExists, reverseBits } from '@spirula/maps';
import { NOSNAP, type PastInterval, type PgHistory, type PgInfo, type PgStat, ZERO_SUM } from '@spirula/messages';
import { SECOND } from '@spirula/world';
import { isFirst } from './object-id.ts';
import type { PriorSet } from './past-intervals.ts';
import type { PeeringState } from './peering.ts';
import type { Pg } from './pg.ts';
import { isEmpty, isIncomplete } from './pg-info.ts';

const NEVER: UTime = { sec: 0, nsec: 0 };

/** @param stat what this primary reports of the PG now */
export function queryPg(pg: Pg, stat: PgStat): object {
  const { core } = pg;
  const priorUs = core.lease.priorRemaining(core.host.world.clock.now());
  const peers = [...core.peerInfo].sort(([a], [b]) => a - b);
  return {
    snap_trimq: formatSnapIntervals(pg.snapTrimmer.queue),
    snap_trimq_len: countSnaps(pg.snapTrimmer.queue),
    state: stat.state,
    epoch: core.epoch,
    up: core.up,
    acting: core.acting,
    ...(pg.backfill.targets.length > 0 && { backfill_targets: pg.backfill.targets.map(String) }),
    ...(core.actingRecoveryBackfill.length > 0 && {
      acting_recovery_backfill: [...core.actingRecoveryBackfill].sort((a, b) => a - b).map(String),
    }),
    info: dumpInfo(core.info, priorUs, stat),
    peer_info: peers.map(([osd, info]) => ({ peer: String(osd), ...dumpInfo(info, 0, peerStat(info)) })),
    recovery_state: dumpStates(pg),
    scrubber: { epoch_start: '0', active: false },
    agent_state: {},
  };
}

/** A position among a PG's objects, as Ceph prints one (operator<< of hobject_t). */
function formatPosition(position: HObject): string {
  if (position.max) return 'MAX';
  if (isFirst(position)) return 'MIN';
  const { pool, hash, nspace, key, name, snap } = position;
  const reversed = (reverseBits(hash) >>> 0).toString(16).padStart(8, '0');
  return `${pool}:${reversed}:${nspace}:${key}:${name}:${snap === NOSNAP ? 'head' : snap.toString(16)}`;
}

function dumpInfo(info: PgInfo, priorReadableUs: number, stat: PgStat) {
  return {
    pgid: formatPgId(info.pgid),
    last_update: formatVersion(info.lastUpdate),
    last_complete: formatVersion(info.lastComplete),
    log_tail: formatVersion(info.logTail),
    last_user_version: info.lastUserVersion,
    last_backfill: formatPosition(info.lastBackfill),
    purged_snaps: dumpSnapIntervals(info.purgedSnaps),
    history: dumpHistory(info.history, priorReadableUs),
    stats: dumpPgStat(stat),
    empty: isEmpty(info) ? 1 : 0,
    dne: info.history.epochCreated === 0 ? 1 : 0,
    incomplete: isIncomplete(info) ? 1 : 0,
    last_epoch_started: info.lastEpochStarted,
    hit_set_history: { current_last_update: "0'0", history: [] },
  };
}

function dumpHistory(history: PgHistory, priorReadableUs: number) {
  const never = formatStamp(NEVER);
  return {
    epoch_created: history.epochCreated,
    epoch_pool_created: history.epochCreated,
    last_epoch_started: history.lastEpochStarted,
    last_interval_started: history.lastIntervalStarted,
    last_epoch_clean: history.lastEpochClean,
    last_interval_clean: history.lastIntervalClean,
    last_epoch_split: 0,
    last_epoch_marked_full: 0,
    same_up_since: history.sameUpSince,
    same_interval_since: history.sameIntervalSince,
    same_primary_since: history.samePrimarySince,
    last_scrub: "0'0",
    last_scrub_stamp: never,
    last_deep_scrub: "0'0",
    last_deep_scrub_stamp: never,
    last_clean_scrub_stamp: never,
    prior_readable_until_ub: priorReadableUs / SECOND,
  };
}

/** Of a peer only the counts are known here, as of its info. */
function peerStat(info: PgInfo): PgStat {
  const { pgid, counts, lastUpdate, logTail } = info;
  return {
    pgid,
    state: UNKNOWN,
    version: lastUpdate,
    reportedSeq: 0,
    reportedEpoch: 0,
    up: [],
    upPrimary: -1,
    acting: [],
    actingPrimary: -1,
    created: 0,
    lastEpochClean: 0,
    mappingEpoch: 0,
    lastFresh: NEVER,
    lastChange: NEVER,
    lastActive: NEVER,
    lastPeered: NEVER,
    lastClean: NEVER,
    lastUnstale: NEVER,
    lastUndegraded: NEVER,
    lastFullsized: NEVER,
    logStart: logTail,
    logSize: 0,
    sum: {
      ...ZERO_SUM,
      bytes: counts.bytes,
      objects: counts.objects,
      objectClones: counts.clones,
      whiteouts: counts.whiteouts,
    },
    blockedBy: [],
    snaptrimqLen: 0,
    purgedSnaps: info.purgedSnaps,
  };
}

/** The states entered and not left, innermost first. */
function dumpStates(pg: Pg): object[] {
  const { state, since } = pg.peering;
  const entered = formatStamp(since.entered);
  const started = { name: 'Started', enter_time: formatStamp(since.started) };
  switch (state.name) {
    case 'Initial':
    case 'Reset':
      return [{ name: state.name, enter_time: entered }];
    case 'Stray':
    case 'ReplicaActive':
      return [{ name: `Started/${state.name}`, enter_time: entered }, started];
    case 'Active':
      return [{ name: 'Started/Primary/Active', enter_time: entered, ...dumpProgress(pg) }, started];
    case 'WaitActingChange': {
      const comment = 'waiting for pg acting set to change';
      return [{ name: 'Started/Primary/WaitActingChange', enter_time: entered, comment }, started];
    }
    default:
      return [
        { name: `Started/Primary/Peering/${state.name}`, enter_time: entered, ...dumpPeeringState(pg, state) },
        { name: 'Started/Primary/Peering', enter_time: started.enter_time, ...dumpPrior(pg, state.prior) },
        started,
      ];
  }
}

type PeeringSubstate = Exclude<
  PeeringState,
  { readonly name: 'Initial' | 'Reset' | 'Stray' | 'ReplicaActive' | 'Active' | 'WaitActingChange' }
>;

function dumpPeeringState(pg: Pg, state: PeeringSubstate): object {
  const { peerInfo } = pg.core;
  switch (state.name) {
    case 'GetInfo': {
      const asked = [...state.requested].sort((a, b) => a - b);
      return {
        requested_info_from: asked.map((osd) => {
          const info = peerInfo.get(osd);
          return { osd: String(osd), ...(info && { got_info: dumpInfo(info, 0, peerStat(info)) }) };
        }),
      };
    }
    case 'Down':
      return { comment: 'not enough up instances of this PG to go active' };
    case 'GetLog':
      return { auth_log_shard: String(state.authority) };
    case 'GetMissing':
      return {
        peer_missing_requested: [...state.requested].sort((a, b) => a - b).map((osd) => ({ osd: String(osd) })),
      };
    case 'WaitUpThru':
      return { comment: 'waiting for osdmap to reflect a new up_thru for this osd' };
    case 'Incomplete':
      return { comment: 'not enough complete instances of this PG' };
  }
}

function dumpPrior({ core }: Pg, prior: PriorSet): object {
  const blockers = [...prior.blockedBy].sort(([a], [b]) => a - b);
  return {
    past_intervals: dumpPastIntervals(core.pastIntervals),
    probing_osds: [...prior.probe].sort((a, b) => a - b).map(String),
    ...(prior.pgDown && { blocked: 'peering is blocked due to down osds' }),
    down_osds_we_would_probe: [...prior.down].sort((a, b) => a - b),
    peering_blocked_by: blockers
      .filter(([osd]) => osdExists(core.map, osd))
      .map(([osd]) => ({
        osd,
        current_lost_at: core.map.osdInfo[osd]!.lostAt,
        comment: 'starting or marking this osd lost may let us proceed',
      })),
  };
}

function dumpPastIntervals(intervals: readonly PastInterval[]): object[] {
  const [first] = intervals;
  const last = intervals.at(-1);
  if (!first || !last) return [];
  const participants = new Set<OsdId>(intervals.flatMap(({ acting }) => acting));
  return [
    {
      first: String(first.first),
      last: String(last.last),
      all_participants: [...participants].sort((a, b) => a - b).map((osd) => ({ osd })),
      intervals: intervals
        .filter(({ maybeWentRw }) => maybeWentRw)
        .map((interval) => ({
          first: String(interval.first),
          last: String(interval.last),
          acting: [...interval.acting].sort((a, b) => a - b).join(),
        })),
    },
  ];
}

function dumpProgress(pg: Pg): object {
  const { backfill } = pg;
  const started = backfill.isNeeded ? formatPosition(backfill.earliest) : 'MIN';
  return {
    might_have_unfound: [],
    recovery_progress: {
      backfill_targets: backfill.targets.map(String),
      waiting_on_backfill: [],
      last_backfill_started: started,
      backfill_info: { begin: started, end: started, objects: [] },
      peer_backfill_info: [],
      backfills_in_flight: [],
      recovering: [],
      pg_backend: { pull_from_peer: [], pushing: [] },
    },
  };
}
