import { Errno } from '@spirula/encoding';
import { type CommandDescription, parseCommandLine } from '@spirula/messages';
import type { ClientRights } from '../client-rights.ts';
import type { MgrModule } from '../mgr-module.ts';
import {
  type Asked,
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  type Delegated,
  invalid,
  type MgrCommandEntry,
  prefixOf,
  refuse,
  succeed,
} from './command.ts';
import { configCommands } from './config-commands.ts';
import { crashCommands } from './crash-commands.ts';
import { destroyCommands } from './destroy-commands.ts';
import { deviceCommands } from './device-commands.ts';
import { orchCommands } from './orch-commands.ts';
import { osdCommands } from './osd-commands.ts';
import { pgCommands } from './pg-commands.ts';
import { reweightCommands } from './reweight-commands.ts';
import { serviceCommands } from './service-commands.ts';
import { unsupportedCommands } from './unsupported-commands.ts';
import { volumeCommands } from './volume-commands.ts';

/** As Ceph has it. */
const DENIED =
  'access denied: does your client key have mgr caps? ' +
  'See http://docs.ceph.com/en/latest/mgr/administrator/#client-authentication';
/** All commands of the manager. */
export const commandEntries: readonly MgrCommandEntry[] = [
  ...pgCommands,
  ...osdCommands,
  ...destroyCommands,
  ...reweightCommands,
  ...configCommands,
  ...serviceCommands,
  ...crashCommands,
  ...deviceCommands,
  ...volumeCommands,
  ...orchCommands,
  ...unsupportedCommands,
];
const byPrefix = new Map(commandEntries.map((entry) => [prefixOf(entry.description), entry]));

/** What the manager serves: goes out with its beacon, so that clients are told. */
export function describeCommands(modules: readonly MgrModule[]): readonly CommandDescription[] {
  return [...commandEntries, ...modules.flatMap(({ commands }) => commands)].map(({ description }) => description);
}

/**
 * Runs one command line, JSON as clients send it. Without a context (no OSDMap yet) the answer is EAGAIN. Whatever the
 * line holds, there is an answer. `onAsked` hears of a command there is, before it runs.
 */
export function runCommand(
  line: string,
  context: CommandContext | undefined,
  rights: ClientRights,
  onAsked: (isAllowed: boolean) => void = () => {},
  modules: readonly MgrModule[] = [],
): CommandOutcome | Delegated | Asked | Promise<CommandOutcome> {
  const args = parseCommandLine(line) as CommandArgs | undefined;
  if (!args) return invalid('bad command');
  const prefix = String(args['prefix']);
  if (prefix === 'get_command_descriptions') return succeed(JSON.stringify(numbered(describeCommands(modules))));
  const found = findCommand(prefix, modules);
  if (!found) return invalid(`No handler found for '${prefix}'`);
  const isAllowed = rights.mayRun(found.description, prefix, args, found.module);
  onAsked(isAllowed);
  if (!isAllowed) return refuse(Errno.EACCES, DENIED);
  if (!context) return refuse(Errno.EAGAIN, 'the manager has no OSDMap yet');
  return found.run(args, context, rights);
}

interface FoundCommand {
  readonly description: CommandDescription;
  /** '': the manager itself. */
  readonly module: string;
  readonly run: (
    args: CommandArgs,
    context: CommandContext,
    rights: ClientRights,
  ) => CommandOutcome | Delegated | Asked | Promise<CommandOutcome>;
}

function findCommand(prefix: string, modules: readonly MgrModule[]): FoundCommand | undefined {
  const own = byPrefix.get(prefix);
  if (own) return { description: own.description, module: '', run: own.run };
  for (const { name, commands } of modules) {
    const command = commands.find(({ description }) => prefixOf(description) === prefix);
    if (!command) continue;
    const { description } = command;
    const run: FoundCommand['run'] = async (args, _context, rights) => {
      const outcome = await command.run(args, { may: (asked) => rights.mayReach(description, name, asked) });
      return outcome.code === Errno.EACCES ? { ...outcome, status: outcome.status + DENIED } : outcome;
    };
    return { description, module: name, run };
  }
  return undefined;
}

function numbered(descriptions: readonly CommandDescription[]): Record<string, CommandDescription> {
  return Object.fromEntries(descriptions.map((description, i) => [`cmd${String(i).padStart(3, '0')}`, description]));
}
