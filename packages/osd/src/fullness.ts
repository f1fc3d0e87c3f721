import { type OsdMap, OsdState } from '@spirula/maps';
import type { OsdFull } from '@spirula/messages';

/**
 * How full an OSD is by the ratios of the map, when this part of its store (0 to 1) is used: a ratio that is lower than the
 * one below it counts as if it were the same (OSDService::recalc_full_state).
 */
export function fullnessOf(map: OsdMap, used: number): OsdFull['state'] {
  const nearfull = map.nearfullRatio;
  const backfillfull = Math.max(map.backfillfullRatio, nearfull);
  const full = Math.max(map.fullRatio, backfillfull);
  if (used > full) return 'full';
  if (used > backfillfull) return 'backfillfull';
  return used > nearfull ? 'nearfull' : 'none';
}

/** As what the map has an OSD marked. */
export function markedAs(map: OsdMap, osd: number): OsdFull['state'] {
  const state = map.osdState[osd]!;
  if ((state & OsdState.full) !== 0) return 'full';
  if ((state & OsdState.backfillfull) !== 0) return 'backfillfull';
  return (state & OsdState.nearfull) !== 0 ? 'nearfull' : 'none';
}
