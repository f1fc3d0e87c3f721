import { type AddrVec, sameAddrVec, type UTime } from '@spirula/encoding';
import type { MonInfo, MonMap } from './monmap.ts';

/** What another epoch of a map begins with (MonmapMonitor::create_pending): who was removed is told in one epoch only. */
export function nextMonMap(map: MonMap, now: UTime): MonMap {
  return { ...map, epoch: map.epoch + 1, lastChanged: now, removedRanks: [] };
}

/** With one monitor more, behind all others (MonMap::add). */
export function addMon(map: MonMap, mon: MonInfo): MonMap {
  return { ...map, mons: new Map(map.mons).set(mon.name, mon), ranks: [...map.ranks, mon.name] };
}

/** Without that monitor: those behind it move up (MonMap::remove). */
export function removeMon(map: MonMap, name: string): MonMap {
  const rank = map.ranks.indexOf(name);
  const mons = new Map(map.mons);
  mons.delete(name);
  const without = (names: readonly string[]) => names.filter((each) => each !== name);
  return {
    ...map,
    mons,
    ranks: without(map.ranks),
    removedRanks: [...map.removedRanks, rank],
    disallowedLeaders: without(map.disallowedLeaders),
    stretchMarkedDown: without(map.stretchMarkedDown),
  };
}

/** With that monitor at the place `rank`, or at the end when there is no such place (MonMap::set_rank). */
export function setMonRank(map: MonMap, name: string, rank: number): MonMap {
  const others = map.ranks.filter((each) => each !== name);
  return { ...map, ranks: [...others.slice(0, rank), name, ...others.slice(rank)] };
}

export function setMonWeight(map: MonMap, name: string, weight: number): MonMap {
  return { ...map, mons: new Map(map.mons).set(name, { ...map.mons.get(name)!, weight }) };
}

/** Name of the monitor at these addresses. */
export function monAt({ mons }: MonMap, addrs: AddrVec): string | undefined {
  return [...mons.values()].find((mon) => sameAddrVec(mon.addrs, addrs))?.name;
}
