/** What the OSD map shows to be wrong, but for room (OSDMap::check_health, osd/OSDMap.cc). */
import { locationOf, rootsOf } from '@spirula/crush';
import { type OsdMap, OsdMapFlag, OsdState, osdExists, osdIn, osdUp } from '@spirula/maps';
import type { Config } from '@spirula/world';
import { describeFlagged } from '../osd-flags.ts';
import type { Raise } from './raise.ts';

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

export function checkOsds(map: OsdMap, config: Config, raise: Raise): void {
  const osds = Array.from({ length: map.maxOsd }, (_, osd) => osd).filter((osd) => osdExists(map, osd));
  checkDown(map, osds, raise);
  checkOrphans(map, raise);
  checkFlags(map, raise);
  const single = [...map.pools].filter(([, pool]) => pool.size === 1);
  if (single.length > 0 && config.mon_warn_on_pool_no_redundancy) {
    const detail = single.map(([id]) => `pool '${map.poolNames.get(id)}' has no replicas configured`);
    const summary = `${single.length} pool(s) have no replicas configured`;
    raise('POOL_NO_REDUNDANCY', 'HEALTH_WARN', summary, single.length, detail);
  }
}

function checkDown(map: OsdMap, osds: readonly number[], raise: Raise): void {
  // Only OSDs that are in are missed; an empty one that never came up is not.
  const isNew = (osd: number) => (map.osdState[osd]! & OsdState.new) !== 0;
  const down = osds.filter((osd) => !osdUp(map, osd) && osdIn(map, osd) && !isNew(osd));
  if (down.length === 0) return;
  const detail = down.map((osd) => `osd.${osd} (${where(map, osd)}) is down`);
  raise('OSD_DOWN', 'HEALTH_WARN', `${down.length} osds down`, down.length, detail);
  checkSubtrees(map, osds, raise);
}

/** In the CRUSH map, and nowhere else. */
function checkOrphans(map: OsdMap, raise: Raise): void {
  const placed = map.crush.buckets.flatMap((bucket) => (bucket ? [...bucket.items] : []));
  const orphans = [...new Set(placed)].filter((item) => item >= 0 && !osdExists(map, item)).sort((a, b) => a - b);
  if (orphans.length === 0) return;
  const detail = orphans.map((osd) => `osd.${osd} exists in crush map but not in osdmap`);
  const summary = `${orphans.length} osds exist in the crush map but not in the osdmap`;
  raise('OSD_ORPHAN', 'HEALTH_WARN', summary, orphans.length, detail);
}

function checkFlags(map: OsdMap, raise: Raise): void {
  const names = OPERATOR_FLAGS.filter(([, bit]) => (map.flags & bit) !== 0).map(([name]) => name);
  const flags = names.join(',');
  // 16.2 counts the letters.
  if (names.length > 0) raise('OSDMAP_FLAGS', 'HEALTH_WARN', `${flags} flag(s) set`, flags.length);
  const flagged = describeFlagged(map);
  if (flagged.length > 0) {
    const summary = `${flagged.length} OSDs or CRUSH {nodes, device-classes} have {NOUP,NODOWN,NOIN,NOOUT} flags set`;
    raise('OSD_FLAGS', 'HEALTH_WARN', summary, flagged.length, flagged);
  }
}

function where(map: OsdMap, osd: number): string {
  return [...locationOf(map.crush, osd)]
    .reverse()
    .map(([type, name]) => `${type}=${name}`)
    .join(',');
}

interface Subtree {
  readonly type: string;
  readonly name: string;
  readonly osds: number[];
}

/** Hosts, racks and roots of which every OSD is down (OSD_HOST_DOWN and its like). */
function checkSubtrees(map: OsdMap, osds: readonly number[], raise: Raise): void {
  const roots = new Set(rootsOf(map.crush).map((bucket) => map.crush.names.get(bucket.id)));
  const byType = new Map<string, { osds: number; readonly detail: string[] }>();
  for (const { type, name, osds: below } of subtreesOf(map, osds)) {
    if (below.some((osd) => osdUp(map, osd)) || !below.some((osd) => osdIn(map, osd))) continue;
    const entry = byType.get(type) ?? { osds: 0, detail: [] };
    entry.osds += below.length;
    const place = roots.has(name) ? '' : where(map, below[0]!);
    entry.detail.push(`${type} ${name} (${place}) (${below.length} osds) is down`);
    byType.set(type, entry);
  }
  for (const [type, { osds: total, detail }] of byType) {
    const summary = `${detail.length} ${type} (${total} osds) down`;
    raise(`OSD_${type.toUpperCase()}_DOWN`, 'HEALTH_WARN', summary, detail.length, detail);
  }
}

function subtreesOf(map: OsdMap, osds: readonly number[]): Iterable<Subtree> {
  const subtrees = new Map<string, Subtree>();
  for (const osd of osds) {
    for (const [type, name] of locationOf(map.crush, osd)) {
      const key = `${type}\0${name}`;
      const subtree = subtrees.get(key) ?? { type, name, osds: [] };
      subtree.osds.push(osd);
      subtrees.set(key, subtree);
    }
  }
  return subtrees.values();
}
