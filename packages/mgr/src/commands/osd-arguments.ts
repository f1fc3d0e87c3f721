/** OSDs, as commands name them. */
import type { OsdId } from '@spirula/encoding';
import { osdExists } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  invalid,
  listArgument,
  parseOsd,
} from './command.ts';

/** The OSDs named: numbers, `osd.N`, or all there are. A refusal when one cannot be read. */
export function findOsds(args: CommandArgs, { map }: CommandContext): readonly OsdId[] | CommandOutcome {
  const osds = new Set<OsdId>();
  for (const text of listArgument(args, 'ids')) {
    if (text === 'all' || text === 'any' || text === '*') {
      for (let osd = 0; osd < map.maxOsd; osd++) if (osdExists(map, osd)) osds.add(osd);
      continue;
    }
    const osd = parseOsd(text);
    if (osd === undefined) {
      return invalid(`Expected option value to be integer, got '${text}'invalid osd id '${text}'`);
    }
    osds.add(osd);
  }
  if (osds.size === 0) return invalid('must specify one or more OSDs');
  return [...osds].sort((a, b) => a - b);
}
