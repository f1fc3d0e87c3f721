/** How many OSDs there are, and how many of them are up and in: what several commands show. */
import { osdExists, osdIn, osdUp } from '@spirula/maps';
import type { CommandContext } from './command.ts';

interface OsdCounts {
  readonly exist: number;
  readonly up: number;
  readonly in: number;
}

export function countOsds({ osd: { map } }: CommandContext): OsdCounts {
  const osds = Array.from({ length: map.maxOsd }, (_, osd) => osd).filter((osd) => osdExists(map, osd));
  return {
    exist: osds.length,
    up: osds.filter((osd) => osdUp(map, osd)).length,
    in: osds.filter((osd) => osdIn(map, osd)).length,
  };
}

/** The fields that `status`, `osd stat` and their text share. */
export function osdSummary(context: CommandContext) {
  const { map } = context.osd;
  const counts = countOsds(context);
  return {
    epoch: map.epoch,
    num_osds: counts.exist,
    num_up_osds: counts.up,
    osd_up_since: map.lastUpChange.sec,
    num_in_osds: counts.in,
    osd_in_since: map.lastInChange.sec,
    num_remapped_pgs: map.pgTemp.size,
  };
}
