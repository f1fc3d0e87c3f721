/** Commands of radosgw-admin 16.2 that are known and not carried out: each says why, and exits with EOPNOTSUPP. */
import type { CommandTable } from './admin.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { type AdminOptions, requireSure } from './command-options.ts';

export interface Refusal {
  readonly commands: readonly string[];
  /** For people; also in docs/radosgw-admin.md. */
  readonly why: string;
}

const ONE_ZONE = 'there is one zone, default, of one zonegroup and no realm';
const NOTHING_SYNCED = 'there is one zone: nothing is synced';

/** Deprecated in 16.2, and only done by who insists. */
const ORPHANS = ['orphans find', 'orphans finish', 'orphans list jobs', 'orphans list-jobs'] as const;

export const REFUSALS: readonly Refusal[] = [
  {
    why: ONE_ZONE,
    commands: [
      ...['realm create', 'realm delete', 'realm rename', 'realm set', 'realm default', 'realm pull'],
      ...['period delete', 'period pull', 'period push', 'period commit'],
      ...['zonegroup add', 'zonegroup create', 'zonegroup default', 'zonegroup delete', 'zonegroup modify'],
      ...['zonegroup set', 'zonegroup remove', 'zonegroup remove zone', 'zonegroup rename'],
      ...['zone create', 'zone delete', 'zone modify', 'zone set', 'zone rename', 'zone default'],
    ],
  },
  {
    why: NOTHING_SYNCED,
    commands: [
      ...['bucket sync disable', 'bucket sync enable', 'metadata sync init', 'metadata sync run', 'sync error trim'],
      ...['sync group create', 'sync group modify', 'sync group remove', 'sync group flow create'],
      ...['sync group flow remove', 'sync group pipe create', 'sync group pipe modify', 'sync group pipe remove'],
      ...['mdlog trim', 'mdlog autotrim', 'datalog trim', 'datalog autotrim', 'datalog type', 'datalog prune'],
    ],
  },
  {
    why: 'quotas are of users and buckets: those of a period are not read',
    commands: ['global quota get', 'global quota set', 'global quota enable', 'global quota disable'],
  },
  {
    why: 'pools are those of the placement targets: there is no placement set beside',
    commands: ['pool add', 'pool rm'],
  },
  {
    why: 'one-time passwords are not supported',
    commands: ['mfa create', 'mfa remove', 'mfa get', 'mfa list', 'mfa check', 'mfa resync'],
  },
  {
    why: 'scripts in Lua are not supported',
    commands: [
      ...['script put', 'script get', 'script rm'],
      ...['script-package add', 'script-package rm', 'script-package list'],
    ],
  },
  {
    why: 'gateways finish changes of versions that were begun when they next read them',
    commands: ['bucket check olh', 'bucket check unlinked', 'olh get'],
  },
  { why: 'objects are written by S3 and Swift', commands: ['object put'] },
  { why: 'deprecated: `bucket radoslist` tells which RADOS objects are needed', commands: ORPHANS },
];

export const refusedCommands: CommandTable = Object.fromEntries(
  REFUSALS.flatMap(({ commands, why }) => commands.map((command) => [command, refuse(command, why)] as const)),
);

function refuse(command: string, why: string): CommandTable[string] {
  return async (_, options) => {
    if ((ORPHANS as readonly string[]).includes(command)) requireOrphansSure(command, options);
    throw new AdminError(AdminCode.EOPNOTSUPP, `ERROR: ${command} is not supported: ${why}`);
  };
}

function requireOrphansSure(command: string, options: AdminOptions): void {
  const tool = 'this command is now deprecated; please consider using the rgw-orphan-list tool';
  const danger = command.includes('list') ? '' : '; accidental removal of active objects cannot be reversed';
  requireSure(options, `${tool}${danger};`, AdminCode.EINVAL, ' ');
}
