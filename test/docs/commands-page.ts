/** docs/commands.md: every command of Ceph 16.2, and what becomes of it here. Made from the command tables themselves. */
import { readFileSync } from 'node:fs';
import type { CommandDescription } from '@spirula/messages';
import { commandEntries as mgrEntries } from '@spirula/mgr';
import { commandEntries as monEntries, prefixOf } from '@spirula/mon';
import { RbdSupport } from '@spirula/rbd-support';
import { FakeWorld } from '../client/fake-world.ts';

interface CephCommand {
  readonly command: string;
  readonly arguments: string;
  /** The manager serves it. */
  readonly mgr: boolean;
}

/** Names and arguments, as a 16.2.15 cluster with the manager modules of Debian describes its commands. */
const cephCommands = JSON.parse(
  readFileSync(new URL('ceph-16.2-commands.json', import.meta.url), 'utf8'),
) as readonly CephCommand[];

const { commands: ofImages } = new RbdSupport(new FakeWorld().world, { rados: { monAddrs: [] } });
const entries = [...monEntries, ...mgrEntries, ...ofImages];
const unsupported = new Map(
  entries.flatMap((entry) =>
    entry.unsupported === undefined ? [] : [[prefixOf(entry.description), entry.unsupported] as const],
  ),
);
const supported = entries.map(({ description }) => description);

/** Of commands of one prefix it is the first argument that tells which (`osd crush set`). */
function helpOf({ command, arguments: args }: CephCommand): string {
  const ours = supported.filter((each) => prefixOf(each) === command);
  const meant = ours.find(
    ({ sig }) => args.startsWith(`<${firstArgument(sig)}`) || args.startsWith(`[${firstArgument(sig)}`),
  );
  return (meant ?? ours[0])?.help ?? '';
}

function firstArgument(sig: CommandDescription['sig']): string {
  const first = sig.find((part) => typeof part !== 'string');
  return typeof first === 'object' ? (first['name'] ?? '') : '';
}

type State = 'yes' | 'refused' | 'no';

function stateOf(command: string): State {
  if (unsupported.has(command)) return 'refused';
  return supported.some((each) => prefixOf(each) === command) ? 'yes' : 'no';
}

function row(described: CephCommand): string {
  const { command, arguments: args } = described;
  const line = `\`${[command, args]
    .filter((part) => part !== '')
    .join(' ')
    .replaceAll('|', '\\|')}\``;
  const state = stateOf(command);
  if (state === 'no') return `| ${line} | no | |`;
  if (state === 'refused') return `| ${line} | refused | ${unsupported.get(command)} |`;
  return `| ${line} | yes | ${helpOf(described)} |`;
}

function table(title: string, commands: readonly CephCommand[]): string {
  const answered = commands.filter(({ command }) => stateOf(command) === 'yes').length;
  return [
    `## ${title}`,
    '',
    `${answered} of ${commands.length}.`,
    '',
    '| command | here | what it does, or why not |',
    '| --- | --- | --- |',
    ...commands.map(row),
    '',
  ].join('\n');
}

export function commandsPage(): string {
  const isMgr = ({ mgr }: CephCommand) => mgr;
  return [
    '# The commands of Ceph 16.2',
    '',
    'What `ceph` sends to monitors and managers, and what becomes of it here. `yes`: it does what it does in Ceph. `refused`: it is',
    'known, and answered by EOPNOTSUPP (-95) and the reason. `no`: it is not known, and answered by EINVAL. Single',
    'arguments and variables that are not supported are refused in the same way when they are given: see the notes below.',
    '',
    'This page is made from the command tables: `UPDATE_DOCS=1 npx vitest run test/docs` writes it anew.',
    '',
    '## Notes',
    '',
    '- `osd pool create`: `erasure`, `--bulk` and `--target_size_*` are refused: there are no erasure codes and no pg_autoscaler.',
    '- `osd pool set`: `pg_num` stays as it is, for PGs can be neither split nor merged; options of scrub, compression,',
    '  checksums, deduplication, recovery priorities and the pg_autoscaler are refused, unless they are unset. `pgp_num` changes in one step.',
    '- `osd new`: a device class is taken from `-i`, secrets are refused.',
    '',
    table(
      'Monitors',
      cephCommands.filter((each) => !isMgr(each)),
    ),
    table('Manager', cephCommands.filter(isMgr)),
  ].join('\n');
}
