/** Lines of the cluster log on every new map, for debugging (the on_active of each service). */
import { formatAddrVec } from '@spirula/encoding';
import { formatSpan } from '@spirula/formatter';
import { type MgrMap, type MonMap, type OsdMap, OsdMapFlag, osdExists, osdIn, osdUp } from '@spirula/maps';

/** `monmap e1: 1 mons at {a=v2:10.0.0.1:3300/0} removed_ranks: {}` */
export function describeMonMap(map: MonMap): string {
  return `monmap ${summariseMonMap(map)}`;
}

/** `e1: 1 mons at {a=v2:10.0.0.1:3300/0} removed_ranks: {}` (MonMap::print_summary) */
export function summariseMonMap({ epoch, mons, ranks, removedRanks }: MonMap): string {
  const places = [...ranks].sort().map((name) => `${name}=${formatAddrVec(mons.get(name)!.addrs)}`);
  return `e${epoch}: ${ranks.length} mons at {${places.join(',')}} removed_ranks: {${removedRanks.join(',')}}`;
}

/** `osdmap e7: 3 total, 3 up, 3 in` */
export function describeOsdMap(map: OsdMap): string {
  const osds = Array.from({ length: map.maxOsd }, (_, osd) => osd).filter((osd) => osdExists(map, osd));
  const count = (is: typeof osdUp) => osds.filter((osd) => is(map, osd)).length;
  const full =
    (map.flags & OsdMapFlag.full) !== 0 ? ' full' : (map.flags & OsdMapFlag.nearfull) !== 0 ? ' nearfull' : '';
  return `osdmap e${map.epoch}: ${osds.length} total, ${count(osdUp)} up, ${count(osdIn)} in${full}`;
}

/** `mgrmap e3: x(active, since 17s), standbys: y`; the time is the leader's own, not that of the stamp in the map. */
export function describeMgrMap(map: MgrMap, activeForSeconds: number): string {
  if (map.activeGid === 0n) return `mgrmap e${map.epoch}: no daemons active`;
  const since = activeForSeconds < 2 ? `${Number(activeForSeconds.toPrecision(6))}s` : formatSpan(activeForSeconds);
  const active = `${map.activeName}(active${map.available ? '' : ', starting'}, since ${since})`;
  const standbys = [...map.standbys.values()].map(({ name }) => name);
  return `mgrmap e${map.epoch}: ${[active, ...(standbys.length > 0 ? [`standbys: ${standbys.join(', ')}`] : [])].join(', ')}`;
}
