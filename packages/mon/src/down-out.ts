import { bucketOf, type CrushMap, parentOf, typeByName } from '@spirula/crush';
import type { OsdId } from '@spirula/encoding';
import { isFlagged, type OsdMap, osdExists, osdIn, osdUp } from '@spirula/maps';
import { type Config, type Instant, SECOND } from '@spirula/world';
import { downOutGrace } from './laggy.ts';

/** Which OSDs have been down for so long that their data must be kept elsewhere (OSDMonitor::tick, can_mark_out). */
export class DownOut {
  readonly #config: Config;
  /** When this leader first saw it down. */
  readonly #since = new Map<OsdId, Instant>();

  constructor(config: Config) {
    this.#config = config;
  }

  clear(): void {
    this.#since.clear();
  }

  /** The OSD boots: the next map has it up. */
  forget(osd: OsdId): void {
    this.#since.delete(osd);
  }

  /** 0 for one that this leader has not seen down. */
  downForSeconds(osd: OsdId, now: Instant): number {
    return Math.floor((now - (this.#since.get(osd) ?? now)) / SECOND);
  }

  /** OSDs to put out now, with the seconds they have been down. */
  due(map: OsdMap, now: Instant): (readonly [osd: OsdId, downForSeconds: number])[] {
    this.#watch(map, now);
    const { mon_osd_down_out_interval, mon_osd_down_out_subtree_limit, mon_osd_min_in_ratio } = this.#config;
    if (mon_osd_down_out_interval === 0) return [];
    let exist = 0;
    let stillIn = 0;
    for (let osd = 0; osd < map.maxOsd; osd++) {
      if (!osdExists(map, osd)) continue;
      exist += 1;
      if (osdIn(map, osd)) stillIn += 1;
    }
    const due: (readonly [OsdId, number])[] = [];
    for (const [osd, since] of this.#since) {
      // With too few in already, the rest could not take the data.
      if (stillIn / exist < mon_osd_min_in_ratio) break;
      if (isFlagged(map, osd, 'noout')) continue;
      if (containingSubtreeIsDown(map, osd, mon_osd_down_out_subtree_limit)) {
        this.#since.set(osd, now);
        continue;
      }
      const downFor = (now - since) / SECOND;
      if (downFor < downOutGrace(map.osdXInfo[osd]!, downFor, this.#config)) continue;
      due.push([osd, Math.floor(downFor)]);
      stillIn -= 1;
    }
    return due;
  }

  #watch(map: OsdMap, now: Instant): void {
    for (let osd = 0; osd < map.maxOsd; osd++) {
      const counts = osdExists(map, osd) && osdIn(map, osd) && !osdUp(map, osd);
      if (!counts) this.#since.delete(osd);
      else if (!this.#since.has(osd)) this.#since.set(osd, now);
    }
    for (const osd of [...this.#since.keys()]) if (osd >= map.maxOsd) this.#since.delete(osd);
  }
}

/**
 * Whether all OSDs below the smallest subtree of at least type `limit` around an OSD are down: an outage of a rack, say,
 * not disks that died (OSDMap::containing_subtree_is_down).
 */
function containingSubtreeIsDown(map: OsdMap, osd: OsdId, limit: string): boolean {
  const limitType = typeByName(map.crush, limit);
  if (limitType === undefined || limitType === 0) return false;
  let at: number | undefined = osd;
  for (let level = 0; at !== undefined && level <= map.crush.buckets.length; level++) {
    if (!subtreeIsDown(map, at)) return false;
    if ((bucketOf(map.crush, at)?.type ?? 0) >= limitType) return true;
    at = parentOf(map.crush, at)?.id;
  }
  return false;
}

function subtreeIsDown(map: OsdMap, item: number): boolean {
  const below = osdsBelow(map.crush, item);
  return below.every((osd) => !osdUp(map, osd));
}

function osdsBelow(crush: CrushMap, item: number): OsdId[] {
  if (item >= 0) return [item];
  return Array.from(bucketOf(crush, item)?.items ?? []).flatMap((child) => osdsBelow(crush, child));
}
