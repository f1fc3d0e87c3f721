/** Commands of radosgw-admin about placement targets and storage classes. */
import type { CommandTable } from './admin.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { zoneJson } from './zone-json.ts';

export const placementCommands: CommandTable = {
  'zonegroup placement list': ({ placements }) => placements.listTargets(),
  'zonegroup placement add': ({ placements }, options) => placements.putTarget(options),
  'zonegroup placement modify': ({ placements }, options) => placements.putTarget(options),
  'zonegroup placement rm': ({ placements }, options) => placements.removeTarget(options),
  'zonegroup placement default': ({ placements }, options) => placements.setDefault(options),
  'zone placement list': ({ placements }) => placements.listPlacements(),
  'zone placement add': async ({ placements }, options) => zoneJson(await placements.putPlacement(options)),
  'zone placement modify': async ({ placements }, options) => zoneJson(await placements.putPlacement(options)),
  'zone placement rm': async ({ placements }, options) => zoneJson(await placements.removePlacement(options)),
  // The zone is of no realm: gateways learn of changes when they start.
  'period update': async () => {
    throw new AdminError(AdminCode.ENOENT, 'Error initializing realm (2) No such file or directory');
  },
};
