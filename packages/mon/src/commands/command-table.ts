/** The monitor's command table: what clients are told of, and what runs. */
import { Errno } from '@spirula/encoding';
import { type CommandDescription, parseCommandLine } from '@spirula/messages';
import { authCommands } from './auth-commands.ts';
import { blocklistCommands } from './blocklist-commands.ts';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  invalid,
  type MonCommandEntry,
  prefixOf,
  refuse,
  succeed,
} from './command.ts';
import { configCommands } from './config-commands.ts';
import { configKeyCommands } from './config-key-commands.ts';
import { crushClassCommands } from './crush-class-commands.ts';
import { crushCommands } from './crush-commands.ts';
import { crushLinkCommands } from './crush-link-commands.ts';
import { crushRuleCommands } from './crush-rule-commands.ts';
import { crushTopologyCommands } from './crush-topology-commands.ts';
import { crushTunablesCommands } from './crush-tunables-commands.ts';
import { crushWeightSetCommands } from './crush-weight-set-commands.ts';
import { daemonCommands } from './daemon-commands.ts';
import { dfCommands } from './df-commands.ts';
import { fsCommands } from './fs-commands.ts';
import { healthCommands } from './health-commands.ts';
import { logCommands } from './log-commands.ts';
import { mdsCommands } from './mds-commands.ts';
import { mgrCommands } from './mgr-commands.ts';
import { mgrModuleCommands } from './mgr-module-commands.ts';
import { monCommands } from './mon-commands.ts';
import { monMembershipCommands } from './mon-membership-commands.ts';
import { monmapCommands } from './monmap-commands.ts';
import { osdCommands } from './osd-commands.ts';
import { osdFlagCommands } from './osd-flag-commands.ts';
import { osdInfoCommands } from './osd-info-commands.ts';
import { osdPlacementCommands } from './osd-placement-commands.ts';
import { osdRemovalCommands } from './osd-removal-commands.ts';
import { osdSettingsCommands } from './osd-settings-commands.ts';
import { poolApplicationCommands } from './pool-application-commands.ts';
import { poolCommands } from './pool-commands.ts';
import { poolQuotaCommands } from './pool-quota-commands.ts';
import { poolSnapCommands } from './pool-snap-commands.ts';
import { statusCommands } from './status-commands.ts';
import { tierCommands } from './tier-commands.ts';
import { toldCommands } from './told-commands.ts';
import { unsupportedCommands } from './unsupported-commands.ts';

/** All commands of the monitors. */
export const commandEntries: readonly MonCommandEntry[] = [
  ...statusCommands,
  ...healthCommands,
  ...monCommands,
  ...monmapCommands,
  ...monMembershipCommands,
  ...daemonCommands,
  ...mgrCommands,
  ...mgrModuleCommands,
  ...logCommands,
  ...configCommands,
  ...configKeyCommands,
  ...authCommands,
  ...dfCommands,
  ...osdCommands,
  ...blocklistCommands,
  ...crushCommands,
  ...crushRuleCommands,
  ...crushTopologyCommands,
  ...crushLinkCommands,
  ...crushClassCommands,
  ...crushTunablesCommands,
  ...crushWeightSetCommands,
  ...osdRemovalCommands,
  ...osdInfoCommands,
  ...osdFlagCommands,
  ...osdPlacementCommands,
  ...osdSettingsCommands,
  ...fsCommands,
  ...mdsCommands,
  ...tierCommands,
  ...toldCommands,
  ...unsupportedCommands,
  ...poolCommands,
  ...poolSnapCommands,
  ...poolApplicationCommands,
  ...poolQuotaCommands,
];
const byPrefix = new Map(commandEntries.map((entry) => [prefixOf(entry.description), entry]));
/** In descriptions: the manager serves it. */
const MGR_FLAG = 8;

/** Everything a client may ask for: the monitors' commands, and those of managers. */
export function descriptionsOf(mgrCommands: readonly CommandDescription[]): readonly CommandDescription[] {
  const ofMgr = mgrCommands.map((description) => ({ ...description, flags: description.flags | MGR_FLAG }));
  return [...commandEntries.map((entry) => entry.description), ...ofMgr];
}

/** A command line that names a command. */
export interface NamedCommand {
  readonly prefix: string;
  readonly description: CommandDescription;
  readonly args: CommandArgs;
}

/** The command that a line, JSON as clients send it, names; undefined when it names none. */
export function findCommand(line: string): NamedCommand | undefined {
  const args = parseCommandLine(line) as CommandArgs | undefined;
  if (args === undefined) return undefined;
  const prefix = String(args['prefix']);
  const entry = byPrefix.get(prefix);
  return entry && { prefix, description: entry.description, args };
}

/** The same of a manager's commands; undefined for one of the monitors, too. */
export function findMgrCommand(line: string, mgrCommands: readonly CommandDescription[]): NamedCommand | undefined {
  const args = parseCommandLine(line) as CommandArgs | undefined;
  if (args === undefined) return undefined;
  const prefix = String(args['prefix']);
  if (byPrefix.has(prefix)) return undefined;
  const description = mgrCommands.find((each) => prefixOf(each) === prefix);
  return description && { prefix, description, args };
}

/** Runs one command line, JSON as clients send it. Whatever it holds, there is an answer. */
export function runCommand(line: string, context: CommandContext): CommandOutcome {
  const args = parseCommandLine(line) as CommandArgs | undefined;
  if (args === undefined) return invalid('command not understood');
  const prefix = String(args['prefix']);
  if (prefix === 'get_command_descriptions') return succeed(JSON.stringify(numbered(context.descriptions())));
  const entry = byPrefix.get(prefix);
  if (entry === undefined) return invalid('command not known');
  if (!context.rights.mayRun(entry.description, prefix, args)) return refuse(Errno.EACCES, 'access denied');
  return entry.run(args, context);
}

function numbered(descriptions: readonly CommandDescription[]): Record<string, CommandDescription> {
  return Object.fromEntries(descriptions.map((description, i) => [`cmd${String(i).padStart(3, '0')}`, description]));
}
