/**
 * What is wrong with PGs and objects (PGMap::get_health_checks, mon/PGMap.cc): codes, severities and summaries are
 * Ceph's. Some states are reported at once, others when a PG has been stuck in them for mon_pg_stuck_threshold.
 */

import { formatPgId, type PoolId } from '@spirula/encoding';
import { formatPercentage, formatSpan, pgStates } from '@spirula/formatter';
import { type OsdMap, osdExists, osdIn } from '@spirula/maps';
import type { HealthCheck, PoolStat } from '@spirula/messages';
import { type Config, type Instant, SECOND, seconds } from '@spirula/world';
import { shownState } from './digest.ts';
import { addSlowOps, addSlowPings } from './osd-health-checks.ts';
import type { LastSeen, PgMap, PgRecord } from './pg-map.ts';

/** mon_health_max_detail. */
const MAX_DETAIL = 50;

type Consequence = 'PG_AVAILABILITY' | 'PG_DEGRADED' | 'PG_BACKFILL_FULL' | 'PG_DAMAGED' | 'PG_RECOVERY_FULL';

const CONSEQUENCES: Readonly<Record<Consequence, { severity: HealthCheck['severity']; lead: string }>> = {
  PG_AVAILABILITY: { severity: 'HEALTH_WARN', lead: 'Reduced data availability: ' },
  PG_DEGRADED: { severity: 'HEALTH_WARN', lead: 'Degraded data redundancy: ' },
  PG_BACKFILL_FULL: {
    severity: 'HEALTH_WARN',
    lead: "Low space hindering backfill (add storage if this doesn't resolve itself): ",
  },
  PG_DAMAGED: { severity: 'HEALTH_ERR', lead: 'Possible data damage: ' },
  PG_RECOVERY_FULL: { severity: 'HEALTH_ERR', lead: 'Full OSDs blocking recovery: ' },
};

interface StateResponse {
  readonly state: string;
  readonly consequence: Consequence;
  /** Reported only when this lies longer ago than the threshold. */
  readonly stuckSince?: keyof LastSeen;
  /** The state is missing where it should be; called so. */
  readonly missingAs?: string;
}

/** In the order of the states' bits: that of the summary. */
const RESPONSES: readonly StateResponse[] = [
  { state: 'active', consequence: 'PG_AVAILABILITY', stuckSince: 'active', missingAs: 'inactive' },
  { state: 'down', consequence: 'PG_AVAILABILITY' },
  { state: 'recovery_unfound', consequence: 'PG_DAMAGED' },
  { state: 'backfill_unfound', consequence: 'PG_DAMAGED' },
  { state: 'degraded', consequence: 'PG_DEGRADED' },
  { state: 'inconsistent', consequence: 'PG_DAMAGED' },
  { state: 'peering', consequence: 'PG_AVAILABILITY', stuckSince: 'peered' },
  { state: 'incomplete', consequence: 'PG_AVAILABILITY' },
  { state: 'stale', consequence: 'PG_AVAILABILITY', stuckSince: 'unstale' },
  { state: 'backfill_toofull', consequence: 'PG_BACKFILL_FULL' },
  { state: 'undersized', consequence: 'PG_DEGRADED', stuckSince: 'fullsized' },
  { state: 'recovery_toofull', consequence: 'PG_RECOVERY_FULL' },
  { state: 'snaptrim_error', consequence: 'PG_DAMAGED' },
];

interface Causes {
  readonly counts: Map<string, number>;
  readonly messages: Map<string, string>;
}

export function computeHealthChecks(
  pgMap: PgMap,
  map: OsdMap,
  now: Instant,
  config: Config,
): ReadonlyMap<string, HealthCheck> {
  const checks = new Map<string, HealthCheck>();
  addPgChecks(checks, pgMap, map, now, config);
  addUnfound(checks, pgMap);
  addApplications(checks, pgMap.poolStats(map), map);
  addTooManyPgs(checks, map, config);
  addTooFewOsds(checks, map, config);
  addSlowOps(checks, pgMap, map);
  addSlowPings(checks, pgMap, map, config);
  return checks;
}

function addPgChecks(checks: Map<string, HealthCheck>, pgMap: PgMap, map: OsdMap, now: Instant, config: Config): void {
  const detected = new Map<Consequence, Causes>();
  const patience = seconds(config.mon_pg_stuck_threshold);
  for (const record of pgMap.pgs()) {
    const states = pgStates(shownState(record));
    for (const response of RESPONSES) {
      if (states.includes(response.state) !== (response.missingAs === undefined)) continue;
      const stuckFor = response.stuckSince && now - record.last[response.stuckSince];
      if (stuckFor !== undefined && stuckFor <= patience) continue;
      const causes = detected.get(response.consequence) ?? { counts: new Map(), messages: new Map() };
      detected.set(response.consequence, causes);
      const name = response.missingAs ?? response.state;
      causes.counts.set(name, (causes.counts.get(name) ?? 0) + 1);
      if (causes.messages.size <= MAX_DETAIL) {
        causes.messages.set(formatPgId(record.stat.pgid), describePg(record, name, stuckFor, map));
      }
    }
  }
  const { objectsDegraded, objectCopies } = pgMap.total();
  for (const [code, { severity, lead }] of Object.entries(CONSEQUENCES)) {
    const causes = detected.get(code as Consequence);
    if (!causes) continue;
    const parts = [...causes.counts]
      .sort(([a], [b]) => stateOrder(a) - stateOrder(b))
      .map(([name, count]) => `${count} ${count > 1 ? 'pgs' : 'pg'} ${name}`);
    if (code === 'PG_DEGRADED' && objectsDegraded > 0 && objectCopies > 0) {
      const percentage = formatPercentage(objectsDegraded, objectCopies);
      parts.unshift(`${objectsDegraded}/${objectCopies} objects degraded (${percentage})`);
    }
    const count = [...causes.counts.values()].reduce((sum, each) => sum + each, 0);
    checks.set(code, { severity, summary: lead + parts.join(', '), count, detail: [...causes.messages.values()] });
  }
}

function stateOrder(name: string): number {
  return RESPONSES.findIndex((response) => (response.missingAs ?? response.state) === name);
}

export function formatOsds(osds: readonly number[]): string {
  return `[${osds.map((osd) => (osd === 0x7fffffff ? 'NONE' : osd)).join(',')}]`;
}

function describePg(record: PgRecord, name: string, stuckFor: Instant | undefined, map: OsdMap): string {
  const { stat } = record;
  const id = formatPgId(stat.pgid);
  let text: string;
  if (stuckFor !== undefined) {
    text = `pg ${id} is stuck ${name} for ${formatSpan(stuckFor / SECOND)}, current state ${shownState(record)}, last acting ${formatOsds(stat.acting)}`;
  } else {
    text = `pg ${id} is ${shownState(record)}, acting ${formatOsds(stat.acting)}`;
    if (stat.sum.objectsUnfound > 0) text += `, ${stat.sum.objectsUnfound} unfound`;
  }
  const pool = map.pools.get(stat.pgid.pool);
  if (pgStates(stat.state).includes('incomplete') && pool && pool.minSize > 1) {
    const poolName = map.poolNames.get(stat.pgid.pool) ?? '';
    text += ` (reducing pool ${poolName} min_size from ${pool.minSize} may help; search ceph.com/docs for 'incomplete')`;
  }
  return text;
}

function addUnfound(checks: Map<string, HealthCheck>, pgMap: PgMap): void {
  const { objectsUnfound, objects } = pgMap.total();
  if (objectsUnfound === 0 || objects === 0) return;
  const detail = pgMap
    .pgs()
    .filter(({ stat }) => stat.sum.objectsUnfound > 0)
    .slice(0, MAX_DETAIL)
    .map(({ stat }) => `pg ${formatPgId(stat.pgid)} has ${stat.sum.objectsUnfound} unfound objects`);
  checks.set('OBJECT_UNFOUND', {
    severity: 'HEALTH_WARN',
    summary: `${objectsUnfound}/${objects} objects unfound (${formatPercentage(objectsUnfound, objects)})`,
    count: objectsUnfound,
    detail,
  });
}

/** Pools with objects that no application has claimed. */
function addApplications(checks: Map<string, HealthCheck>, stats: ReadonlyMap<PoolId, PoolStat>, map: OsdMap): void {
  const detail: string[] = [];
  for (const [id, pool] of map.pools) {
    const used = (stats.get(id)?.sum.objects ?? 0) > 0;
    if (used && pool.applicationMetadata.size === 0) {
      detail.push(`application not enabled on pool '${map.poolNames.get(id) ?? ''}'`);
    }
  }
  if (detail.length === 0) return;
  const count = detail.length;
  detail.push(
    "use 'ceph osd pool application enable <pool-name> <app-name>', where <app-name> is 'cephfs', 'rbd', 'rgw', or freeform for custom applications.",
  );
  checks.set('POOL_APP_NOT_ENABLED', {
    severity: 'HEALTH_WARN',
    summary: `application not enabled on ${count} pool(s)`,
    count,
    detail,
  });
}

function addTooFewOsds(checks: Map<string, HealthCheck>, map: OsdMap, config: Config): void {
  const { osd_pool_default_size: wanted } = config;
  let osds = 0;
  for (let osd = 0; osd < map.maxOsd; osd++) if (osdExists(map, osd)) osds += 1;
  if (osds >= wanted || !config.mon_warn_on_too_few_osds) return;
  checks.set('TOO_FEW_OSDS', {
    severity: 'HEALTH_WARN',
    summary: `OSD count ${osds} < osd_pool_default_size ${wanted}`,
    count: wanted - osds,
    detail: [],
  });
}

function addTooManyPgs(checks: Map<string, HealthCheck>, map: OsdMap, config: Config): void {
  let osds = 0;
  for (let osd = 0; osd < map.maxOsd; osd++) if (osdIn(map, osd)) osds += 1;
  if (osds === 0) return;
  const copies = [...map.pools.values()].reduce((sum, { pgNum, size }) => sum + pgNum * size, 0);
  const each = Math.floor(copies / osds);
  if (each <= config.mon_max_pg_per_osd) return;
  checks.set('TOO_MANY_PGS', {
    severity: 'HEALTH_WARN',
    summary: `too many PGs per OSD (${each} > max ${config.mon_max_pg_per_osd})`,
    count: each - config.mon_max_pg_per_osd,
    detail: [],
  });
}
