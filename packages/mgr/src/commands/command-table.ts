import { Errno } from '@spirula/encoding';
import type { CommandDescription } from '@spirula/messages';
import type { ClientRights } from '../client-rights.ts';
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
import { rbdCommands } from './rbd-commands.ts';
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
  ...rbdCommands,
  ...volumeCommands,
  ...orchCommands,
  ...unsupportedCommands,
];
const byPrefix = new Map(commandEntries.map((entry) => [prefixOf(entry.description), entry]));

/** What the manager serves: goes out with its beacon, so that clients are told. */
export const commandDescriptions: readonly CommandDescription[] = commandEntries.map(({ description }) => description);

/**
 * Runs one command line, JSON as clients send it. Without a context (no OSDMap yet) the answer is EAGAIN. Whatever the
 * line holds, there is an answer. `onAsked` hears of a command there is, before it runs.
 */
export function runCommand(
  line: string,
  context: CommandContext | undefined,
  rights: ClientRights,
  onAsked: (isAllowed: boolean) => void = () => {},
): CommandOutcome | Delegated | Asked {
  const args = parseLine(line);
  if (!args) return invalid('bad command');
  const prefix = String(args['prefix']);
  if (prefix === 'get_command_descriptions') return succeed(JSON.stringify(numbered()));
  const entry = byPrefix.get(prefix);
  if (!entry) return invalid(`No handler found for '${prefix}'`);
  const isAllowed = rights.mayRun(entry.description, prefix, args);
  onAsked(isAllowed);
  if (!isAllowed) return refuse(Errno.EACCES, DENIED);
  if (!context) return refuse(Errno.EAGAIN, 'the manager has no OSDMap yet');
  return entry.run(args, context);
}

function parseLine(line: string): CommandArgs | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null && 'prefix' in parsed ? (parsed as CommandArgs) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function numbered(): Record<string, CommandDescription> {
  return Object.fromEntries(
    commandDescriptions.map((description, i) => [`cmd${String(i).padStart(3, '0')}`, description]),
  );
}
