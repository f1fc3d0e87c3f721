/** What an OSDMap shows to be wrong with OSDs, but for room (OSDMap::check_health, osd/OSDMap.cc). */
import { bucketOf, type CrushMap, locationOf, parentOf } from '@spirula/crush';
import type { OsdId } from '@spirula/encoding';
import { formatMapFlags } from './flag-names.ts';
import { describeFlagged } from './osd-flags.ts';
import { type OsdMap, OsdMapFlag, OsdState, osdExists, osdIn, osdUp } from './osdmap.ts';

/** Notes one health check: its code, how bad it is, what is said of it, how often it holds, and of what. */
export type RaiseCheck = (
  code: string,
  severity: 'HEALTH_WARN' | 'HEALTH_ERR',
  summary: string,
  count: number,
  detail?: readonly string[],
) => void;

/** Ceph's options of that name. */
export interface OsdHealthOptions {
  readonly mon_warn_on_pool_no_redundancy: boolean;
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
const WARN_FLAGS = OPERATOR_FLAGS.reduce<number>((all, [, flag]) => all | flag, OsdMapFlag.pauserec);

export function checkOsds(map: OsdMap, options: OsdHealthOptions, raise: RaiseCheck): void {
  checkDown(map, raise);
  checkOrphans(map, raise);
  checkFlags(map, raise);
  const single = [...map.pools].filter(([, pool]) => pool.size === 1);
  if (single.length > 0 && options.mon_warn_on_pool_no_redundancy) {
    const detail = single.map(([id]) => `pool '${map.poolNames.get(id)}' has no replicas configured`);
    const summary = `${single.length} pool(s) have no replicas configured`;
    raise('POOL_NO_REDUNDANCY', 'HEALTH_WARN', summary, single.length, detail);
  }
}

function checkDown(map: OsdMap, raise: RaiseCheck): void {
  const subtrees = new DownSubtrees(map);
  for (let osd = 0; osd < map.maxOsd; osd++) {
    // Only OSDs that are in are missed; an empty one that never came up is not.
    if (osdIn(map, osd) && !osdUp(map, osd) && (map.osdState[osd]! & OsdState.new) === 0) subtrees.add(osd);
  }
  const down = [...subtrees.osds].sort((a, b) => a - b);
  if (down.length === 0) return;
  const detail = down.map((osd) => `osd.${osd} (${where(map, osd)}) is down`);
  raise('OSD_DOWN', 'HEALTH_WARN', `${down.length} osds down`, down.length, detail);
  checkSubtrees(map, subtrees, raise);
}

/** Hosts, racks and roots of which every OSD is down (OSD_HOST_DOWN and its like). */
function checkSubtrees(map: OsdMap, subtrees: DownSubtrees, raise: RaiseCheck): void {
  const { typeNames, names } = map.crush;
  const counts = subtrees.countOsds();
  const top = Math.max(...typeNames.keys());
  for (const [type, typeName] of [...typeNames].sort(([a], [b]) => b - a)) {
    const down = [...(subtrees.byType.get(type) ?? [])].sort((a, b) => b - a);
    if (type === 0 || down.length === 0) continue;
    const detail = down.map((id) => {
      const place = type === top ? '' : ` (${where(map, id)})`;
      return `${typeName} ${names.get(id) ?? ''}${place} (${counts.get(id) ?? 0} osds) is down`;
    });
    const osds = down.reduce((sum, id) => sum + (counts.get(id) ?? 0), 0);
    const summary = `${down.length} ${typeName}${down.length > 1 ? 's' : ''} (${osds} osds) down`;
    raise(`OSD_${typeName.toUpperCase()}_DOWN`, 'HEALTH_WARN', summary, down.length, detail);
  }
}

/** Buckets below which no OSD is up, found upwards from OSDs that are down (OSDMap::subtree_type_is_down). */
class DownSubtrees {
  readonly #map: OsdMap;
  /** OSDs in and down: those added, and those met on the way. */
  readonly osds = new Set<OsdId>();
  readonly byType = new Map<number, Set<number>>();
  readonly #up = new Set<number>();

  constructor(map: OsdMap) {
    this.#map = map;
  }

  add(osd: OsdId): void {
    if (this.osds.has(osd)) return;
    this.osds.add(osd);
    let parent = parentOf(this.#map.crush, osd);
    // A damaged map may run in circles.
    for (let steps = 0; parent !== undefined && steps <= this.#map.crush.buckets.length; steps++) {
      if (this.#up.has(parent.id) || !this.#isDown(parent.id, 0)) return;
      parent = parentOf(this.#map.crush, parent.id);
    }
  }

  #isDown(id: number, depth: number): boolean {
    if (id >= 0) {
      const isDown = !osdUp(this.#map, id);
      if (isDown && osdIn(this.#map, id)) this.osds.add(id);
      return isDown;
    }
    const { buckets } = this.#map.crush;
    const bucket = bucketOf(this.#map.crush, id);
    const type = bucket?.type ?? 0;
    if (this.byType.get(type)?.has(id)) return true;
    if (depth > buckets.length) return false;
    for (const child of bucket?.items ?? []) {
      if (this.#isDown(child, depth + 1)) continue;
      this.#up.add(id);
      return false;
    }
    this.byType.set(type, (this.byType.get(type) ?? new Set()).add(id));
    return true;
  }

  /** How many OSDs each of them holds, from the lowest type. */
  countOsds(): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    for (const [type, ids] of [...this.byType].sort(([a], [b]) => a - b)) {
      if (type === 0) continue;
      for (const id of [...ids].sort((a, b) => a - b)) {
        const children = [...(bucketOf(this.#map.crush, id)?.items ?? [])];
        const count = children.reduce((sum, child) => sum + (child >= 0 ? 1 : (counts.get(child) ?? 0)), 0);
        if (children.length > 0) counts.set(id, count);
      }
    }
    return counts;
  }
}

/** In the CRUSH map, and nowhere else. */
function checkOrphans(map: OsdMap, raise: RaiseCheck): void {
  const orphans = Array.from({ length: map.maxOsd }, (_, osd) => osd).filter(
    (osd) => !osdExists(map, osd) && map.crush.names.has(osd),
  );
  if (orphans.length === 0) return;
  const detail = orphans.map((osd) => `osd.${osd} exists in crush map but not in osdmap`);
  const summary = `${orphans.length} osds exist in the crush map but not in the osdmap`;
  raise('OSD_ORPHAN', 'HEALTH_WARN', summary, orphans.length, detail);
}

function checkFlags(map: OsdMap, raise: RaiseCheck): void {
  const flags = formatMapFlags(map.flags & WARN_FLAGS);
  // 16.2 counts the letters.
  if (flags !== '') raise('OSDMAP_FLAGS', 'HEALTH_WARN', `${flags} flag(s) set`, flags.length);
  const flagged = describeFlagged(map);
  if (flagged.length > 0) {
    const summary = `${flagged.length} OSDs or CRUSH {nodes, device-classes} have {NOUP,NODOWN,NOIN,NOOUT} flags set`;
    raise('OSD_FLAGS', 'HEALTH_WARN', summary, flagged.length, flagged);
  }
}

function where({ crush }: { readonly crush: CrushMap }, item: number): string {
  return [...locationOf(crush, item)]
    .reverse()
    .map(([type, name]) => `${type}=${name}`)
    .join(',');
}
