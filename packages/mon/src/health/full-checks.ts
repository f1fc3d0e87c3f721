/** Whether there is room: full ratios, OSDs and pools (OSDMap::check_health). What is full is marked so in the map. */
import { type OsdMap, PoolFlag } from '@spirula/maps';
import type { Config } from '@spirula/world';
import { markedOsds } from '../osd-full.ts';
import type { Raise } from './raise.ts';

export function checkFullness(map: OsdMap, config: Config, raise: Raise): void {
  checkRatios(map, config, raise);
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
function checkRatios(map: OsdMap, { osd_failsafe_full_ratio: failsafe }: Config, raise: Raise): void {
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
      detail.push(`${name} (${shortest(ratio)}) < ${belowName} (${shortest(below)}), increased`);
    }
    below = Math.max(ratio, below);
    belowName = name;
  }
  if (detail.length > 0) raise('OSD_OUT_OF_ORDER_FULL', 'HEALTH_ERR', 'full ratio(s) out of order', 0, detail);
}

/** As C++ prints a float. */
function shortest(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function checkPools(map: OsdMap, raise: Raise): void {
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
