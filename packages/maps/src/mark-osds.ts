/** OSDs marked without an incremental, as `osdmaptool` does (OSDMap::set_state, set_weight, osd/OSDMap.h). */
import { adjustItemWeight, CrushDraft, deviceWeights, encodeCrushMap } from '@spirula/crush';
import type { OsdId } from '@spirula/encoding';
import { type OsdMap, OsdState } from './osdmap.ts';

const IN = 0x10000;

export function markUp(map: OsdMap, osd: OsdId): OsdMap {
  return { ...map, osdState: map.osdState.with(osd, map.osdState[osd]! | OsdState.up) };
}

/** One that is in exists. */
export function markIn(map: OsdMap, osd: OsdId): OsdMap {
  const osdState = map.osdState.with(osd, map.osdState[osd]! | OsdState.exists);
  return { ...map, osdState, osdWeight: map.osdWeight.with(osd, IN) };
}

export function markOut(map: OsdMap, osd: OsdId): OsdMap {
  return { ...map, osdWeight: map.osdWeight.with(osd, 0) };
}

/** All up and in, and those that weigh nothing of weight 1. */
export function markAllUpAndIn(map: OsdMap): OsdMap {
  const osds = Array.from({ length: map.maxOsd }, (_, osd) => osd);
  const weights = deviceWeights(map.crush);
  const weightless = osds.filter((osd) => (weights.get(osd) ?? 0) === 0);
  const marked: OsdMap = {
    ...map,
    osdState: map.osdState.map((state) => state | OsdState.up | OsdState.exists),
    osdWeight: map.osdWeight.map(() => IN),
  };
  return weightless.length === 0 ? marked : reweightOsds(marked, new Map(weightless.map((osd) => [osd, IN])));
}

/** Other weights (16.16) in the CRUSH map, wherever these OSDs stand there. */
export function reweightOsds(map: OsdMap, weights: ReadonlyMap<OsdId, number>): OsdMap {
  const draft = new CrushDraft(map.crush);
  for (const [osd, weight] of weights) adjustItemWeight(draft, osd, weight, true);
  const crush = draft.toMap();
  return { ...map, crush, crushBytes: encodeCrushMap(crush) };
}
