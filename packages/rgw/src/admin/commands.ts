/** The command line of radosgw-admin (rgw_admin.cc), as far as its commands are supported. */
import { type AdminParts, adminOf, type CommandTable } from './admin.ts';
import { AdminError } from './admin-error.ts';
import { bucketCommands } from './bucket-commands.ts';
import type { AdminOptions } from './command-options.ts';
import { maintenanceCommands } from './maintenance-commands.ts';
import { placementCommands } from './placement-commands.ts';
import { reshardCommands } from './reshard-commands.ts';
import { Said } from './role-admin.ts';
import { roleCommands } from './role-commands.ts';
import { topicCommands } from './topic-commands.ts';
import { usageCommands } from './usage-commands.ts';
import { userCommands } from './user-commands.ts';

const INDENT = 4;

const commands: CommandTable = {
  ...userCommands,
  ...bucketCommands,
  ...maintenanceCommands,
  ...placementCommands,
  ...reshardCommands,
  ...roleCommands,
  ...topicCommands,
  ...usageCommands,
};

/** Documents of users are followed by an empty line. */
const ENDS_WITH_EMPTY_LINE = /^(user (create|info|modify|suspend|enable)|key|subuser|caps) ?/;

/** Names of the commands, for the usage text. */
export const ADMIN_COMMANDS: readonly string[] = Object.keys(commands);

/**
 * Runs a command and gives what it prints on stdout.
 *
 * @throws AdminError, RadosError
 */
export async function runAdminCommand(
  parts: AdminParts,
  words: readonly string[],
  options: AdminOptions,
): Promise<string> {
  const name = words.join(' ');
  const command = commands[name];
  if (!command) throw new AdminError(1, `ERROR: Unrecognized argument: '${words.at(-1) ?? ''}'`);
  const document = await command(adminOf(parts), options);
  if (document === undefined) return '';
  if (document instanceof Said) return `${document.text}\n`;
  return `${JSON.stringify(document, null, INDENT)}\n${ENDS_WITH_EMPTY_LINE.test(name) ? '\n' : ''}`;
}
