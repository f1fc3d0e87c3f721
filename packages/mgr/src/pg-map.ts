import { comparePgIds, type Epoch, type OsdId, type PgId, type PoolId, type UTime } from '@spirula/encoding';
import { hasPgState, UNKNOWN } from '@spirula/formatter';
import {
  intersectSnaps,
  mapPg,
  type OsdMap,
  osdExists,
  osdIn,
  osdUp,
  type PgKey,
  pgKey,
  pgOfKey,
  type SnapInterval,
} from '@spirula/maps';
import {
  type ObjectStatSum,
  type OsdStat,
  type PgStat,
  type PgStats,
  type PoolStat,
  ZERO_SUM,
} from '@spirula/messages';
import type { Instant } from '@spirula/world';

/** What the stores round an object's data up to. */
const ALLOCATION_UNIT = 4096;

const SUM_FIELDS = Object.keys(ZERO_SUM) as readonly (keyof ObjectStatSum)[];

type Totals<T> = { -readonly [Field in keyof T]: T[Field] };

/** Adds `more`, field by field. */
export function addSum(sum: Totals<ObjectStatSum>, more: ObjectStatSum): void {
  for (const field of SUM_FIELDS) sum[field] += more[field];
}

/** One PG as the manager sees it. */
export interface PgRecord {
  readonly stat: PgStat;
  /** Its primary is down: what `stat` says is what was last heard. */
  readonly stale: boolean;
  /** When this manager last saw it so, on its own clock; before that, when it first saw the PG. */
  readonly last: LastSeen;
}

/** What a PG should be, and counts as stuck when it is not for long. */
export interface LastSeen {
  readonly active: Instant;
  readonly peered: Instant;
  readonly unstale: Instant;
  readonly fullsized: Instant;
}

/** By wall time, as a report comes with it, for people; and on the manager's own clock, for decisions. */
export interface Now {
  readonly wall: UTime;
  readonly at: Instant;
}

/**
 * What OSDs have reported of themselves and of the PGs they lead, checked against the OSDMap (mon/PGMap.cc): PGs of
 * deleted pools go, those of new pools are `unknown` until somebody reports them, those whose primary is down are stale.
 */
export class PgMap {
  readonly #pgs = new Map<PgKey, PgRecord>();
  readonly #osds = new Map<OsdId, OsdStat>();
  #version = 0;

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  get osdStats(): ReadonlyMap<OsdId, OsdStat> {
    return this.#osds;
  }

  get pgCount(): number {
    return this.#pgs.size;
  }

  pg(pgid: PgId): PgRecord | undefined {
    return this.#pgs.get(pgKey(pgid));
  }

  /** In the order of their ids. */
  pgs(): readonly PgRecord[] {
    return [...this.#pgs.values()].sort((a, b) => comparePgIds(a.stat.pgid, b.stat.pgid));
  }

  /** Takes an OSD's report; what is older than known is left out. Returns whether anything changed. */
  applyReport(report: PgStats, map: OsdMap, at: Instant): boolean {
    if (!osdExists(map, report.osd)) return false;
    this.#version += 1;
    if (osdIn(map, report.osd)) this.#osds.set(report.osd, report.osdStat);
    for (const stat of report.pgs) {
      const known = this.#pgs.get(pgKey(stat.pgid));
      // Only PGs that the map has: others belong to pools just deleted.
      if (!known || isOlder(stat, known.stat)) continue;
      const stale = !osdUp(map, stat.actingPrimary);
      this.#pgs.set(pgKey(stat.pgid), { stat, stale, last: seenNow({ ...known, stat, stale }, at) });
    }
    return true;
  }

  /** Brings the tables in line with a new OSDMap. `now` stamps what becomes stale or unknown. */
  applyMap(map: OsdMap, now: Now): void {
    this.#version += 1;
    for (const osd of this.#osds.keys()) if (!osdExists(map, osd) || !osdIn(map, osd)) this.#osds.delete(osd);
    for (const [key, record] of this.#pgs) {
      const { pool, seed } = pgOfKey(key);
      const pgNum = map.pools.get(pool)?.pgNum ?? 0;
      if (seed >= pgNum) this.#pgs.delete(key);
      else this.#refreshStaleness(key, record, map, now);
    }
    for (const [pool, { pgNum, lastChange }] of map.pools) {
      for (let seed = 0; seed < pgNum; seed++) {
        const key = pgKey({ pool, seed });
        if (!this.#pgs.has(key)) this.#pgs.set(key, unknownPg(map, { pool, seed }, lastChange, now));
      }
    }
  }

  #refreshStaleness(key: PgKey, record: PgRecord, map: OsdMap, { wall, at }: Now): void {
    const { stat, stale } = record;
    if (stat.state === UNKNOWN) {
      const { up, upPrimary, acting, actingPrimary } = mapPg(map, stat.pgid);
      this.#pgs.set(key, { ...record, stat: { ...stat, up, upPrimary, acting, actingPrimary }, stale: false });
      return;
    }
    const isStale = !osdUp(map, stat.actingPrimary);
    if (isStale === stale) return;
    const last = seenNow(record, at);
    const stamped = isStale ? { ...stat, lastUnstale: wall, lastChange: wall } : stat;
    this.#pgs.set(key, { stat: stamped, stale: isStale, last });
  }

  /** Sums per pool, for every pool of the map. */
  poolStats(map: OsdMap): ReadonlyMap<PoolId, PoolStat> {
    const pools = new Map<PoolId, Totals<PoolStat> & { readonly sum: Totals<ObjectStatSum> }>();
    const numOsds = this.#osds.size;
    for (const pool of map.pools.keys()) {
      pools.set(pool, { sum: { ...ZERO_SUM }, logSize: 0, ondiskLogSize: 0, up: 0, acting: 0, allocated: 0, numOsds });
    }
    for (const { stat } of this.#pgs.values()) {
      const pool = pools.get(stat.pgid.pool);
      if (pool === undefined) continue;
      addSum(pool.sum, stat.sum);
      pool.logSize += stat.logSize;
      pool.ondiskLogSize += stat.logSize;
      pool.up += stat.up.length;
      pool.acting += stat.acting.length;
      pool.allocated += allocatedBytes(stat.sum);
    }
    return pools;
  }

  /** Snapshots that every PG of a pool reports purged (PGMap::calc_purged_snaps). */
  purgedSnaps(): ReadonlyMap<PoolId, readonly SnapInterval[]> {
    const pools = new Map<PoolId, readonly SnapInterval[]>();
    for (const { stat } of this.#pgs.values()) {
      const { pool } = stat.pgid;
      const others = pools.get(pool);
      pools.set(pool, others ? intersectSnaps(others, stat.purgedSnaps) : stat.purgedSnaps);
    }
    return new Map([...pools].filter(([, snaps]) => snaps.length > 0));
  }

  /** Number of PGs that have each OSD in their acting set. */
  pgsPerOsd(): ReadonlyMap<OsdId, number> {
    const counts = new Map<OsdId, number>();
    for (const { stat } of this.#pgs.values()) {
      for (const osd of new Set(stat.acting)) counts.set(osd, (counts.get(osd) ?? 0) + 1);
    }
    return counts;
  }

  total(): ObjectStatSum {
    const sum = { ...ZERO_SUM };
    for (const { stat } of this.#pgs.values()) addSum(sum, stat.sum);
    return sum;
  }
}

/** Bytes that the copies that exist take on the stores, every object taken to be of mean size. */
function allocatedBytes({ bytes, objects, objectCopies, objectsDegraded }: ObjectStatSum): number {
  if (objects <= 0) return 0;
  const each = Math.ceil(bytes / objects / ALLOCATION_UNIT) * ALLOCATION_UNIT;
  return each * Math.max(0, objectCopies - objectsDegraded);
}

/** A primary counts its reports within an epoch; another primary's begin in a later one. */
function isOlder(stat: PgStat, known: PgStat): boolean {
  return (
    stat.reportedEpoch - known.reportedEpoch < 0 ||
    (stat.reportedEpoch === known.reportedEpoch && stat.reportedSeq < known.reportedSeq)
  );
}

/** Brings `last` up to now, as far as the PG is what it should be. */
function seenNow({ stat, stale, last }: PgRecord, at: Instant): LastSeen {
  const when = (holds: boolean, before: Instant) => (holds ? at : before);
  const isActive = hasPgState(stat.state, 'active');
  return {
    active: when(isActive, last.active),
    peered: when(isActive || hasPgState(stat.state, 'peered'), last.peered),
    unstale: when(!stale, last.unstale),
    fullsized: when(!hasPgState(stat.state, 'undersized'), last.fullsized),
  };
}

function unknownPg(map: OsdMap, pgid: PgId, created: Epoch, { wall: now, at }: Now): PgRecord {
  const { up, upPrimary, acting, actingPrimary } = mapPg(map, pgid);
  const stat: PgStat = {
    pgid,
    state: UNKNOWN,
    version: { epoch: 0, version: 0 },
    reportedSeq: 0,
    reportedEpoch: 0,
    up,
    upPrimary,
    acting,
    actingPrimary,
    created,
    lastEpochClean: 0,
    mappingEpoch: 0,
    lastFresh: now,
    lastChange: now,
    lastActive: now,
    lastPeered: now,
    lastClean: now,
    lastUnstale: now,
    lastUndegraded: now,
    lastFullsized: now,
    logStart: { epoch: 0, version: 0 },
    logSize: 0,
    sum: ZERO_SUM,
    blockedBy: [],
    snaptrimqLen: 0,
    purgedSnaps: [],
  };
  return { stat, stale: false, last: { active: at, peered: at, unstale: at, fullsized: at } };
}
