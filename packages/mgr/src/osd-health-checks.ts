/**
 * What OSDs report of themselves that is not well: requests that wait for long (mgr/DaemonHealthMetricCollector.cc), and peers
 * that are slow to answer pings (PGMap::get_health_checks, mon/PGMap.cc).
 */
import { locationOf } from '@spirula/crush';
import type { OsdId } from '@spirula/encoding';
import { type OsdMap, osdUp } from '@spirula/maps';
import type { HealthCheck } from '@spirula/messages';
import type { Config } from '@spirula/world';
import type { PgMap } from './pg-map.ts';

/** So many daemons are named. */
const MAX_NAMED = 10;
const MAX_PAIRS = 10;

export function addSlowOps(checks: Map<string, HealthCheck>, pgMap: PgMap, map: OsdMap): void {
  const slow = [...pgMap.osdStats]
    .filter(([osd, { slowOps }]) => osdUp(map, osd) && slowOps.count > 0)
    .sort(([a], [b]) => a - b);
  if (slow.length === 0) return;
  const count = slow.reduce((sum, [, { slowOps }]) => sum + slowOps.count, 0);
  const oldest = Math.max(...slow.map(([, { slowOps }]) => slowOps.oldestSeconds));
  const names = slow.map(([osd]) => `osd.${osd}`);
  const shown = `[${names.slice(0, MAX_NAMED).join(',')}]${names.length > MAX_NAMED ? '...' : ''}`;
  const who = names.length > 1 ? `daemons ${shown} have slow ops.` : `${names[0]} has slow ops`;
  const summary = `${count} slow ops, oldest one blocked for ${oldest} sec, ${who}`;
  // 16.2 counts the check itself.
  checks.set('SLOW_OPS', { severity: 'HEALTH_WARN', summary, count: 1, detail: [] });
}

interface SlowPing {
  readonly from: OsdId;
  readonly to: OsdId;
  readonly timeUs: number;
  readonly isImproving: boolean;
}

export function addSlowPings(checks: Map<string, HealthCheck>, pgMap: PgMap, map: OsdMap, config: Config): void {
  const {
    mon_warn_on_slow_ping_time: limitMs,
    mon_warn_on_slow_ping_ratio: ratio,
    osd_heartbeat_grace: grace,
  } = config;
  const limitUs = limitMs > 0 ? limitMs * 1000 : grace * 1_000_000 * ratio;
  if (limitUs <= 0) return;
  for (const network of ['back', 'front'] as const) {
    const slow = findSlow(pgMap, map, network, limitUs);
    const [longest] = slow;
    if (longest === undefined) continue;
    const detail = slow.slice(0, MAX_PAIRS).map((ping) => describe(ping, network, map));
    if (slow.length > MAX_PAIRS) {
      detail.push('Truncated long network list.  Use ceph daemon mgr.# dump_osd_network for more information');
    }
    const summary = `Slow OSD heartbeats on ${network} (longest ${inMs(longest.timeUs)}ms)`;
    const code = `OSD_SLOW_PING_TIME_${network.toUpperCase()}`;
    checks.set(code, { severity: 'HEALTH_WARN', summary, count: slow.length, detail });
  }
}

/** Slowest first. */
function findSlow(pgMap: PgMap, map: OsdMap, network: 'back' | 'front', limitUs: number): SlowPing[] {
  const slow: SlowPing[] = [];
  for (const [from, { pings }] of pgMap.osdStats) {
    // One that is down reports no more, and one that is not there is not pinged.
    if (!osdUp(map, from)) continue;
    for (const { osd: to, [network]: averages } of pings) {
      const timeUs = Math.max(0, ...averages);
      const [one = 0, five = 0, fifteen = 0] = averages;
      if (timeUs > limitUs) slow.push({ from, to, timeUs, isImproving: one < five && five < fifteen });
    }
  }
  return slow.sort((a, b) => b.timeUs - a.timeUs || b.from - a.from || b.to - a.to);
}

function describe({ from, to, timeUs, isImproving }: SlowPing, network: string, map: OsdMap): string {
  const name = (osd: OsdId) => `osd.${osd}${osdUp(map, osd) ? '' : ' (down)'} [${placeOf(map, osd)}]`;
  const improving = isImproving ? ' possibly improving' : '';
  return `Slow OSD heartbeats on ${network} from ${name(from)} to ${name(to)} ${inMs(timeUs)} msec${improving}`;
}

/** The buckets between the root and the host, highest first. */
function placeOf(map: OsdMap, osd: OsdId): string {
  return [...locationOf(map.crush, osd)]
    .filter(([type]) => type !== 'root' && type !== 'host')
    .reverse()
    .map(([, name]) => name)
    .join(',');
}

function inMs(us: number): string {
  return (us / 1000).toFixed(3);
}
