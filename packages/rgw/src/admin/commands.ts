/** The command line of radosgw-admin (rgw_admin.cc). */
import { type Bytes, bytesFromRaw, rawFromText } from '@spirula/encoding';
import { type AdminParts, adminOf, type CommandTable } from './admin.ts';
import { AdminError } from './admin-error.ts';
import { bucketCommands } from './bucket-commands.ts';
import type { AdminOptions } from './command-options.ts';
import { CommandTree, type FoundCommand } from './command-tree.ts';
import { indexCommands } from './index-commands.ts';
import { jsonText, RawLines } from './json-text.ts';
import { logCommands } from './log-commands.ts';
import { maintenanceCommands } from './maintenance-commands.ts';
import { metadataCommands } from './metadata-commands.ts';
import { objectCommands } from './object-commands.ts';
import { placementCommands } from './placement-commands.ts';
import { REFUSALS, type Refusal, refusedCommands } from './refused-commands.ts';
import { reshardCommands } from './reshard-commands.ts';
import { Said } from './role-admin.ts';
import { roleCommands } from './role-commands.ts';
import { topicCommands } from './topic-commands.ts';
import { usageCommands } from './usage-commands.ts';
import { userCommands } from './user-commands.ts';
import { zoneCommands } from './zone-commands.ts';

const supported: CommandTable = {
  ...userCommands,
  ...bucketCommands,
  ...objectCommands,
  ...indexCommands,
  ...logCommands,
  ...maintenanceCommands,
  ...placementCommands,
  ...metadataCommands,
  ...reshardCommands,
  ...roleCommands,
  ...topicCommands,
  ...usageCommands,
  ...zoneCommands,
};
const commands: CommandTable = { ...supported, ...refusedCommands };
const tree = new CommandTree(Object.keys(commands));

/** Documents of users are followed by an empty line. */
const ENDS_WITH_EMPTY_LINE = /^(user (create|info|modify|rename|suspend|enable)|key|subuser|caps|log (list|show)) ?/;

/** Names of the commands that are carried out, for the usage text and the docs. */
export const ADMIN_COMMANDS: readonly string[] = Object.keys(supported).map((name) => name.replace(' [*]', ''));
export const REFUSED_ADMIN_COMMANDS: readonly Refusal[] = REFUSALS;

/** @throws AdminError 1: there is no such command */
export function findAdminCommand(words: readonly string[]): FoundCommand {
  return tree.find(words);
}

/**
 * Runs a command and gives what it prints on stdout.
 *
 * @throws AdminError, RadosError
 */
export async function runAdminCommand(
  parts: AdminParts,
  words: readonly string[],
  options: AdminOptions,
): Promise<Bytes> {
  const { name, argument } = findAdminCommand(words);
  const given = argument === undefined ? options : new Map([...options, ['metadata-key', argument]]);
  const format = options.get('format') ?? 'json';
  if (format !== 'json') throw new AdminError(FORMAT_REFUSED, `unrecognized format: ${format}: only json is there`);
  const document = await commands[name]!(adminOf(parts), given);
  return bytesFromRaw(printed(name, document));
}

/** EINVAL */
const FORMAT_REFUSED = 22;

function printed(name: string, document: unknown): string {
  if (document === undefined) return '';
  if (document instanceof Said) return `${rawFromText(document.text)}\n`;
  if (document instanceof RawLines) return document.lines.map((line) => `${line}\n`).join('');
  return `${jsonText(document)}\n${ENDS_WITH_EMPTY_LINE.test(name) ? '\n' : ''}`;
}
