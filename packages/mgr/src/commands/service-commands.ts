/** The service map (mgr/ServiceMap): what else than daemons of the cluster has reported here. Nothing can. */
import { formatUTime } from '@spirula/encoding';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  describe,
  formatJson,
  type MgrCommandEntry,
  succeed,
} from './command.ts';

const FIRST_EPOCH = 1;

export const serviceCommands: readonly MgrCommandEntry[] = [
  describe(['service', 'dump'], 'show the service map, which stays as it began', serviceDump),
  describe(['service', 'status'], 'show the state of services: none report here', () => succeed('{}\n')),
];

function serviceDump(_args: CommandArgs, { map }: CommandContext): CommandOutcome {
  const json = { epoch: FIRST_EPOCH, modified: formatUTime(map.created), services: {} };
  return succeed(formatJson({ format: 'json-pretty' }, json));
}
