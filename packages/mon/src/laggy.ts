/**
 * How long an OSD may be silent before it counts as failed, or as gone for good (OSDMonitor::get_grace_time, prepare_boot,
 * tick): an OSD that was often reported although its process lived is given more time, which fades as it behaves.
 */

import type { OsdId, UTime } from '@spirula/encoding';
import { type OsdMap, type OsdXInfo, osdExists } from '@spirula/maps';
import type { Config } from '@spirula/world';

/** mon_osd_laggy_max_interval, seconds: a longer absence says nothing about being slow. */
const MAX_INTERVAL = 300;

/** Of a fraction of a half-life, so many binary digits count: less than a millionth of a second of grace is left out. */
const FRACTION_BITS = 40;

/**
 * 1 after no half-life, a half after one, and so on. Only of operations that IEEE 754 rounds alike on all machines, square
 * root among them and powers not: monitors must not come to different verdicts.
 *
 * @param halfLives below 0 counts as 0: a wall clock that was set back makes nobody more patient than it was
 */
export function remaining(halfLives: number): number {
  if (halfLives <= 0) return 1;
  const whole = Math.floor(halfLives);
  let left = 1;
  for (let i = 0; i < whole && left > 0; i++) left /= 2;
  let fraction = halfLives - whole;
  let root = 0.5;
  for (let i = 0; i < FRACTION_BITS && fraction > 0; i++) {
    root = Math.sqrt(root);
    fraction *= 2;
    if (fraction < 1) continue;
    left *= root;
    fraction -= 1;
  }
  return left;
}

/** Seconds to add for what is known of an OSD, `age` seconds after it was learnt. */
function allowance({ laggyInterval, laggyProbability }: OsdXInfo, age: number, config: Config): number {
  return laggyInterval * laggyProbability * remaining(age / config.mon_osd_laggy_halflife);
}

/** Seconds of silence before `target`, silent for `failedFor`, is taken for failed on the word of `reporters`. */
export function heartbeatGrace(
  map: OsdMap,
  target: OsdId,
  failedFor: number,
  reporters: readonly OsdId[],
  now: UTime,
  config: Config,
): number {
  if (!config.mon_osd_adjust_heartbeat_grace) return config.osd_heartbeat_grace;
  // The reporters stand for a part of the cluster that may be slow as a whole.
  const known = reporters.filter((osd) => osdExists(map, osd)).map((osd) => map.osdXInfo[osd]!);
  const theirs = known.reduce((sum, xinfo) => sum + allowance(xinfo, now.sec - xinfo.downStamp.sec, config), 0);
  const own = allowance(map.osdXInfo[target]!, failedFor, config);
  return config.osd_heartbeat_grace + own + theirs / Math.max(1, reporters.length);
}

/** Seconds that an OSD, down for `downFor`, may stay down before it is put out. */
export function downOutGrace(xinfo: OsdXInfo, downFor: number, config: Config): number {
  return config.mon_osd_down_out_interval + allowance(xinfo, downFor, config);
}

/** What a boot says of an OSD: `sameProcess`, it was down only in the monitors' eyes. */
export function learnFromBoot(xinfo: OsdXInfo, sameProcess: boolean, now: UTime, config: Config): OsdXInfo {
  const { mon_osd_laggy_weight: weight } = config;
  const laggyProbability = xinfo.laggyProbability * (1 - weight) + (sameProcess ? weight : 0);
  const before = xinfo.laggyInterval * (1 - weight);
  if (!sameProcess) return { ...xinfo, laggyProbability, laggyInterval: Math.floor(before) };
  if (xinfo.downStamp.sec === 0) return { ...xinfo, laggyProbability };
  const interval = Math.min(MAX_INTERVAL, Math.max(0, now.sec - xinfo.downStamp.sec));
  return { ...xinfo, laggyProbability, laggyInterval: Math.floor(interval * weight + before) };
}
