/** What OSDs have and get, together where they stand together. */
import { locationOf } from '@spirula/crush';
import type { OsdId } from '@spirula/encoding';
import { type OsdMap, osdIn, osdUp } from '@spirula/maps';
import type { Movement, OsdLoad } from '@spirula/placement';

export interface PlaceTraffic {
  readonly name: string;
  inCopies: number;
  inBytes: number;
  outBytes: number;
}

/** By host, as CRUSH has it; of OSDs that stand in none, by root. */
export function trafficByHost(
  { before, after }: { before: OsdMap; after: OsdMap },
  movement: Movement,
): PlaceTraffic[] {
  const hosts = new Map<string, PlaceTraffic>();
  const placeOf = (osd: OsdId) => {
    const location = locationOf(after.crush, osd);
    const known = location.size > 0 ? location : locationOf(before.crush, osd);
    const name = known.get('host') ?? known.get('root') ?? `osd.${osd}`;
    let place = hosts.get(name);
    if (!place) {
      place = { name, inCopies: 0, inBytes: 0, outBytes: 0 };
      hosts.set(name, place);
    }
    return place;
  };
  for (const [osd, { inCopies, inBytes }] of movement.after) {
    const place = placeOf(osd);
    place.inCopies += inCopies;
    place.inBytes += inBytes;
  }
  for (const [osd, { outBytes }] of movement.before) placeOf(osd).outBytes += outBytes;
  return [...hosts.values()].sort(
    (a, b) => b.inBytes - a.inBytes || b.inCopies - a.inCopies || (a.name < b.name ? -1 : 1),
  );
}

/** Copies on each OSD that is in and up. */
export function copiesPerOsd(map: OsdMap, loads: ReadonlyMap<OsdId, OsdLoad>): number[] {
  return Array.from({ length: map.maxOsd }, (_, osd) => osd)
    .filter((osd) => osdIn(map, osd) && osdUp(map, osd))
    .map((osd) => loads.get(osd)?.copies ?? 0);
}
