/** Whether there is room: full ratios, OSDs and pools (OSDMap::check_health). What is full is marked so in the map. */
import { formatFloat, type OsdId } from '@spirula/encoding';
import type { RaiseCheck } from './osd-health.ts';
import { type OsdMap, OsdState, osdExists, osdIn, osdUp } from './osdmap.ts';
import { PoolFlag } from './pool.ts';

/** Ceph's options of that name. */
export interface FullnessOptions {
  readonly osd_failsafe_full_ratio: number;
}

/** OSDs up and in that are marked, each by the worst of its marks (OSDMap::get_full_osd_counts). */
export function markedOsds(map: OsdMap): ReadonlyMap<OsdId, 'nearfull' | 'backfillfull' | 'full'> {
  const marked = new Map<OsdId, 'nearfull' | 'backfillfull' | 'full'>();
  for (let osd = 0; osd < map.maxOsd; osd++) {
    if (!osdExists(map, osd) || !osdUp(map, osd) || !osdIn(map, osd)) continue;
    const state = map.osdState[osd]!;
    if ((state & OsdState.full) !== 0) marked.set(osd, 'full');
    else if ((state & OsdState.backfillfull) !== 0) marked.set(osd, 'backfillfull');
    else if ((state & OsdState.nearfull) !== 0) marked.set(osd, 'nearfull');
  }
  return marked;
}

export function checkFullness(map: OsdMap, options: FullnessOptions, raise: RaiseCheck): void {
  checkRatios(map, options, raise);
  const marked = markedOsds(map);
  const osdsThatAre = (state: string) => [...marked].filter(([, each]) => each === state).map(([osd]) => osd);
  const say = (which: readonly number[], what: string) => which.map((osd) => `osd.${osd} is ${what}`);
  const [full, backfillfull, nearfull] = [osdsThatAre('full'), osdsThatAre('backfillfull'), osdsThatAre('nearfull')];
  if (full.length > 0) raise('OSD_FULL', 'HEALTH_ERR', `${full.length} full osd(s)`, full.length, say(full, 'full'));
  if (backfillfull.length > 0) {
    const summary = `${backfillfull.length} backfillfull osd(s)`;
    raise('OSD_BACKFILLFULL', 'HEALTH_WARN', summary, backfillfull.length, say(backfillfull, 'backfill full'));
  }
  if (nearfull.length > 0) {
    const summary = `${nearfull.length} nearfull osd(s)`;
    raise('OSD_NEARFULL', 'HEALTH_WARN', summary, nearfull.length, say(nearfull, 'near full'));
  }
  checkPools(map, raise);
}

/** OSDs read a ratio that is lower than the one below it as if it were the same. */
function checkRatios(map: OsdMap, { osd_failsafe_full_ratio: failsafe }: FullnessOptions, raise: RaiseCheck): void {
  const ratios: readonly (readonly [name: string, ratio: number])[] = [
    ['nearfull_ratio', map.nearfullRatio],
    ['backfillfull_ratio', map.backfillfullRatio],
    ['full_ratio', map.fullRatio],
    ['osd_failsafe_full_ratio', Math.fround(failsafe)],
  ];
  const detail: string[] = [];
  let [[belowName, below]] = ratios as [(typeof ratios)[number]];
  for (const [name, ratio] of ratios.slice(1)) {
    if (ratio < below) {
      detail.push(`${name} (${formatFloat(ratio)}) < ${belowName} (${formatFloat(below)}), increased`);
    }
    below = Math.max(ratio, below);
    belowName = name;
  }
  if (detail.length > 0) raise('OSD_OUT_OF_ORDER_FULL', 'HEALTH_ERR', 'full ratio(s) out of order', 0, detail);
}

function checkPools(map: OsdMap, raise: RaiseCheck): void {
  const full: string[] = [];
  const backfillfull: string[] = [];
  const nearfull: string[] = [];
  for (const [id, { flags }] of map.pools) {
    const name = `pool '${map.poolNames.get(id)}'`;
    if ((flags & PoolFlag.full) !== 0n) {
      full.push(`${name} is full (${(flags & PoolFlag.fullQuota) !== 0n ? 'running out of quota' : 'no space'})`);
    } else if ((flags & PoolFlag.backfillfull) !== 0n) backfillfull.push(`${name} is backfillfull`);
    else if ((flags & PoolFlag.nearfull) !== 0n) nearfull.push(`${name} is nearfull`);
  }
  const warn = (code: string, what: string, detail: readonly string[]) => {
    if (detail.length > 0) raise(code, 'HEALTH_WARN', `${detail.length} pool(s) ${what}`, detail.length, detail);
  };
  warn('POOL_FULL', 'full', full);
  warn('POOL_BACKFILLFULL', 'backfillfull', backfillfull);
  warn('POOL_NEARFULL', 'nearfull', nearfull);
}
