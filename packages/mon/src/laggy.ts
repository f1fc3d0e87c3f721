/**
 * How long an OSD may be silent before it counts as failed, or as gone for good (OSDMonitor::get_grace_time, prepare_boot,
 * tick): an OSD that was often reported although its process lived is given more time, which fades as it behaves.
 */

import type { OsdId, UTime } from '@spirula/encoding';
import { type OsdMap, type OsdXInfo, osdExists } from '@spirula/maps';
import type { Config } from '@spirula/world';

/** mon_osd_laggy_max_interval, seconds: a longer absence says nothing about being slow. */
const MAX_INTERVAL = 300;

/** Seconds to add for what is known of an OSD, `age` seconds after it was learnt. */
function allowance({ laggyInterval, laggyProbability }: OsdXInfo, age: number, config: Config): number {
  return laggyInterval * laggyProbability * 2 ** (-age / config.mon_osd_laggy_halflife);
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
