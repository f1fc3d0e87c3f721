/** What commands that change the CRUSH map have in common. */
import type { CrushMap } from '@spirula/crush';
import { minCompatClient, releaseName } from '@spirula/maps';
import type { OsdMonitor } from '../osd-monitor.ts';
import { type CommandOutcome, invalid } from './command.ts';

/** The refusal of a map that the oldest clients to be served could not compute with (validate_crush_against_features). */
export function tooNewForClients({ map }: OsdMonitor, crush: CrushMap): CommandOutcome | undefined {
  const { requireMinCompatClient: promised } = map;
  const needed = minCompatClient({ ...map, crush });
  if (promised === 0 || needed <= promised) return undefined;
  return invalid(
    `new crush map requires client version ${releaseName(needed)} but require_min_compat_client is ${releaseName(promised)}`,
  );
}
