/** Health checks (mon/HealthMonitor.cc, OSDMap::check_health): what is wrong, under Ceph's codes. */
import { locationOf, rootsOf } from '@spirula/crush';
import { formatAddrVec } from '@spirula/encoding';
import { type MonMap, type OsdMap, OsdMapFlag, OsdState, osdExists, osdIn, osdUp, PoolFlag } from '@spirula/maps';
import type { HealthCheck } from '@spirula/messages';
import type { Config } from '@spirula/world';
import { describeFlagged } from './osd-flags.ts';
import { type ClockReading, describeSkew, inSeconds, isTooFar } from './time-check.ts';

export interface HealthReport {
  readonly status: 'HEALTH_OK' | 'HEALTH_WARN' | 'HEALTH_ERR';
  readonly checks: ReadonlyMap<string, HealthCheck>;
}

export interface HealthInput {
  readonly map: OsdMap;
  readonly monmap: MonMap;
  /** Ranks in quorum. */
  readonly quorum: readonly number[];
  /** By rank, as the leader has read them. */
  readonly clocks: ReadonlyMap<number, ClockReading>;
  readonly config: Config;
  /** Undefined while a manager is active, or none is to be expected yet. */
  readonly mgrDown: HealthCheck['severity'] | undefined;
  readonly mgrChecks: ReadonlyMap<string, HealthCheck>;
  readonly defaultPoolSize: number;
  readonly warnNoRedundancy: boolean;
}

/** Flags that hold the cluster back from something, under the names that `osd set` takes. */
export const OPERATOR_FLAGS: readonly (readonly [name: string, flag: number])[] = [
  ['pauserd', OsdMapFlag.pauserd],
  ['pausewr', OsdMapFlag.pausewr],
  ['noup', OsdMapFlag.noup],
  ['nodown', OsdMapFlag.nodown],
  ['noin', OsdMapFlag.noin],
  ['noout', OsdMapFlag.noout],
  ['nobackfill', OsdMapFlag.nobackfill],
  ['norebalance', OsdMapFlag.norebalance],
  ['norecover', OsdMapFlag.norecover],
  ['noscrub', OsdMapFlag.noscrub],
  ['nodeep-scrub', OsdMapFlag.nodeepScrub],
  ['notieragent', OsdMapFlag.notieragent],
  ['nosnaptrim', OsdMapFlag.nosnaptrim],
];

/** Everything that is not well, checks in the order of their codes. */
export function computeHealth(input: HealthInput): HealthReport {
  const checks = new Map<string, HealthCheck>();
  const warn = (code: string, summary: string, count: number, detail: readonly string[]) =>
    checks.set(code, { severity: 'HEALTH_WARN', summary, count, detail });

  const { ranks, mons } = input.monmap;
  const absent = [...ranks.keys()].filter((rank) => !input.quorum.includes(rank));
  if (absent.length > 0) {
    const names = input.quorum.map((rank) => ranks[rank]!).join(',');
    const detail = absent.map((rank) => {
      const name = ranks[rank]!;
      return `mon.${name} (rank ${rank}) addr ${formatAddrVec(mons.get(name)!.addrs)} is down (out of quorum)`;
    });
    warn('MON_DOWN', `${absent.length}/${ranks.length} mons down, quorum ${names}`, absent.length, detail);
  }
  checkClocks(input, warn);
  if (input.mgrDown !== undefined) {
    checks.set('MGR_DOWN', { severity: input.mgrDown, summary: 'no active mgr', count: 0, detail: [] });
  }
  checkOsds(input, warn);
  for (const [code, check] of input.mgrChecks) checks.set(code, check);

  const sorted = new Map([...checks].sort(([a], [b]) => (a < b ? -1 : 1)));
  const severities = [...sorted.values()].map((check) => check.severity);
  const status = severities.includes('HEALTH_ERR') ? 'HEALTH_ERR' : severities.length > 0 ? 'HEALTH_WARN' : 'HEALTH_OK';
  return { status, checks: sorted };
}

function checkClocks(
  { clocks, config, monmap }: HealthInput,
  warn: (code: string, summary: string, count: number, detail: readonly string[]) => void,
): void {
  const off = [...clocks]
    .filter(([, reading]) => isTooFar(reading, config))
    .map(([rank, reading]) => ({ name: `mon.${monmap.ranks[rank]!}`, reading }));
  if (off.length === 0) return;
  const detail = off.map(
    ({ name, reading }) => `${name} ${describeSkew(reading, config)} (latency ${inSeconds(reading.latencyUs)}s)`,
  );
  warn('MON_CLOCK_SKEW', `clock skew detected on ${off.map(({ name }) => name).join(', ')}`, off.length, detail);
}

function checkOsds(
  input: HealthInput,
  warn: (code: string, summary: string, count: number, detail: readonly string[]) => void,
): void {
  const { map } = input;
  const osds = Array.from({ length: map.maxOsd }, (_, osd) => osd).filter((osd) => osdExists(map, osd));
  // Only OSDs that are in are missed; an empty one that never came up is not.
  const isNew = (osd: number) => (map.osdState[osd]! & OsdState.new) !== 0;
  const down = osds.filter((osd) => !osdUp(map, osd) && osdIn(map, osd) && !isNew(osd));
  if (down.length > 0) {
    warn(
      'OSD_DOWN',
      `${down.length} osds down`,
      down.length,
      down.map((osd) => `osd.${osd} (${where(map, osd)}) is down`),
    );
    checkSubtrees(map, osds, warn);
  }
  if (osds.length < input.defaultPoolSize) {
    const summary = `OSD count ${osds.length} < osd_pool_default_size ${input.defaultPoolSize}`;
    warn('TOO_FEW_OSDS', summary, input.defaultPoolSize - osds.length, []);
  }
  const flags = OPERATOR_FLAGS.filter(([, bit]) => (map.flags & bit) !== 0).map(([name]) => name);
  if (flags.length > 0) warn('OSDMAP_FLAGS', `${flags.join(',')} flag(s) set`, flags.length, []);
  const flagged = describeFlagged(map);
  if (flagged.length > 0) {
    const summary = `${flagged.length} OSDs or CRUSH {nodes, device-classes} have {NOUP,NODOWN,NOIN,NOOUT} flags set`;
    warn('OSD_FLAGS', summary, flagged.length, flagged);
  }
  const full = [...map.pools].filter(([, pool]) => (pool.flags & PoolFlag.full) !== 0n);
  if (full.length > 0) {
    const detail = full.map(([id, { flags }]) => {
      const why = (flags & PoolFlag.fullQuota) !== 0n ? 'running out of quota' : 'no space';
      return `pool '${map.poolNames.get(id)}' is full (${why})`;
    });
    warn('POOL_FULL', `${full.length} pool(s) full`, full.length, detail);
  }
  const single = [...map.pools].filter(([, pool]) => pool.size === 1);
  if (single.length > 0 && input.warnNoRedundancy) {
    const detail = single.map(([id]) => `pool '${map.poolNames.get(id)}' has no replicas configured`);
    warn('POOL_NO_REDUNDANCY', `${single.length} pool(s) have no replicas configured`, single.length, detail);
  }
}

function where(map: OsdMap, osd: number): string {
  return [...locationOf(map.crush, osd)]
    .reverse()
    .map(([type, name]) => `${type}=${name}`)
    .join(',');
}

/** Hosts, racks and roots of which every OSD is down (OSD_HOST_DOWN and its like). */
function checkSubtrees(
  map: OsdMap,
  osds: readonly number[],
  warn: (code: string, summary: string, count: number, detail: readonly string[]) => void,
): void {
  const members = new Map<string, { type: string; name: string; osds: number[] }>();
  for (const osd of osds) {
    for (const [type, name] of locationOf(map.crush, osd)) {
      const key = `${type}\0${name}`;
      const entry = members.get(key) ?? { type, name, osds: [] };
      entry.osds.push(osd);
      members.set(key, entry);
    }
  }
  const roots = new Set(rootsOf(map.crush).map((bucket) => map.crush.names.get(bucket.id)));
  const byType = new Map<string, { count: number; osds: number; detail: string[] }>();
  for (const { type, name, osds: below } of members.values()) {
    if (below.some((osd) => osdUp(map, osd)) || !below.some((osd) => osdIn(map, osd))) continue;
    const entry = byType.get(type) ?? { count: 0, osds: 0, detail: [] };
    entry.count += 1;
    entry.osds += below.length;
    entry.detail.push(
      `${type} ${name} (${roots.has(name) ? '' : where(map, below[0]!)}) (${below.length} osds) is down`,
    );
    byType.set(type, entry);
  }
  for (const [type, { count, osds: total, detail }] of byType) {
    warn(`OSD_${type.toUpperCase()}_DOWN`, `${count} ${type} (${total} osds) down`, count, detail);
  }
}

/** The JSON of a report, with `detail` for `health detail`. */
export function dumpHealth(report: HealthReport, detail: boolean): unknown {
  const checks = Object.fromEntries(
    [...report.checks].map(([code, check]) => [
      code,
      {
        severity: check.severity,
        summary: { message: check.summary, count: check.count },
        ...(detail ? { detail: check.detail.map((message) => ({ message })) } : {}),
        muted: false,
      },
    ]),
  );
  return { status: report.status, checks, mutes: [] };
}

/** The text of `ceph health` and `ceph health detail`. */
export function printHealth(report: HealthReport, detail: boolean): string {
  const summaries = [...report.checks.values()].map((check) => check.summary);
  const head = [report.status, summaries.join('; ')].filter((part) => part !== '').join(' ');
  if (!detail) return `${head}\n`;
  const lines = [...report.checks].flatMap(([code, check]) => [
    `[${check.severity === 'HEALTH_ERR' ? 'ERR' : 'WRN'}] ${code}: ${check.summary}`,
    ...check.detail.map((each) => `    ${each}`),
  ]);
  return `${[head, ...lines].join('\n')}\n`;
}
