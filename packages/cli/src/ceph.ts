/**
 * `spirula ceph …`: Ceph's command line (src/ceph.in). The words are matched against the signatures the monitors give,
 * so it can do whatever the cluster it speaks to can.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { EMPTY, Errno, formatPgId, fromUtf8, type PgId, parsePgId } from '@spirula/encoding';
import { formatStamp } from '@spirula/formatter';
import type { LogEntry } from '@spirula/messages';
import type { CommandResult, Rados } from '@spirula/rados';
import { type ClusterConnection, type Connect, connectByConf, PermissionDenied } from './ceph/connect.ts';
import { daemonCommand } from './ceph/daemon-command.ts';
import { environmentArguments, type ToolEnvironment } from './ceph/environment.ts';
import { errnoName } from './ceph/errno-text.ts';
import { type OptionTable, parseOptions } from './ceph/global-options.ts';
import {
  CommandFlag,
  conciseSignature,
  formatCommand,
  parseDescriptions,
  type Signature,
  validateCommand,
} from './ceph/signature.ts';
import { CLIENT_OPTIONS } from './ceph/tool.ts';
import { UserError } from './cluster/user-error.ts';
import { version } from './version.ts';

const OPTIONS: OptionTable = {
  ...CLIENT_OPTIONS,
  '-i': ['input', 'value'],
  '--in-file': ['input', 'value'],
  '-o': ['output', 'value'],
  '--out-file': ['output', 'value'],
  '--cluster': ['cluster', 'value'],
  '-s': ['status', 'flag'],
  '--status': ['status', 'flag'],
  '-w': ['watch', 'flag'],
  '--watch': ['watch', 'flag'],
  '--watch-debug': ['watch_debug', 'flag'],
  '--watch-info': ['watch_info', 'flag'],
  '--watch-sec': ['watch_sec', 'flag'],
  '--watch-warn': ['watch_warn', 'flag'],
  '--watch-error': ['watch_error', 'flag'],
  '-W': ['watch_channel', 'value'],
  '--watch-channel': ['watch_channel', 'value'],
  '--verbose': ['verbose', 'flag'],
  '--concise': ['concise', 'flag'],
  '-f': ['format', 'value'],
  '--format': ['format', 'value'],
  '--connect-timeout': ['timeout', 'value'],
};
const FORMATS = ['json', 'json-pretty', 'xml', 'xml-pretty', 'plain', 'yaml'];
const DEFAULT_TIMEOUT_SECONDS = 300;
/** Where help texts begin. */
const HELP_COLUMN = 40;

/** Runs one command line; resolves to the exit status. */
export async function ceph(
  argv: readonly string[],
  env: ToolEnvironment,
  connect: Connect = connectByConf,
): Promise<number> {
  const { options, words, incomplete } = parseOptions([...environmentArguments(), ...argv], OPTIONS);
  const format = options.get('format');
  if (incomplete !== undefined) return usage(env, `argument ${incomplete}: expected one argument`);
  if (format !== undefined && !FORMATS.includes(format)) {
    const choices = FORMATS.map((each) => `'${each}'`).join(', ');
    return usage(env, `argument -f/--format: invalid choice: '${format}' (choose from ${choices})`);
  }
  if (options.has('version')) {
    env.stdout(`spirula version ${version}\n`);
    return 0;
  }
  let connection: ClusterConnection | undefined;
  try {
    if (words[0] === 'daemon') return await daemonCommand(env, options, words.slice(1));
    const timeoutSeconds = Number(options.get('timeout') ?? DEFAULT_TIMEOUT_SECONDS);
    connection = await connect(env, options, timeoutSeconds);
    return await run({ env, options, words, rados: connection.rados });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    env.stderr(`${error.message}\n`);
    return error instanceof PermissionDenied ? -Errno.EACCES : 1;
  } finally {
    await connection?.close();
  }
}

function usage(env: ToolEnvironment, problem: string): number {
  env.stderr(`usage: ceph [options] <command>\nceph: error: ${problem}\n`);
  return 2;
}

interface Session {
  readonly env: ToolEnvironment;
  readonly options: ReadonlyMap<string, string>;
  readonly words: readonly string[];
  readonly rados: Rados;
}

async function run(session: Session): Promise<number> {
  const { env, options, rados } = session;
  const words = options.has('status') ? ['status', ...session.words] : session.words;
  const level = watchLevel(options);
  if (level) return watch(session, level);

  const descriptions = await rados.monCommand({ prefix: 'get_command_descriptions' });
  if (descriptions.code < 0) {
    return report(env, { ...descriptions, status: 'problem getting command descriptions from mon.' });
  }
  const signatures = parseDescriptions(fromUtf8(descriptions.data));
  if (options.has('help')) return help(env, signatures, words.join(' '));

  let input: Uint8Array = new Uint8Array(0);
  const inputPath = options.get('input');
  if (inputPath !== undefined) {
    try {
      input = readFileSync(inputPath === '-' ? 0 : inputPath);
    } catch (error) {
      env.stderr(`Can't open input file ${inputPath}: ${(error as Error).message}\n`);
      return 1;
    }
  }
  const result = await runWords(session, words, signatures, input);
  if (!writeOutput(session, result)) return 1;
  return report(env, result);
}

/** Sends a command where it belongs: `tell` to the daemon named, the manager's to the manager, the rest to the monitors. */
async function runWords(
  { env, options, rados }: Session,
  words: readonly string[],
  signatures: readonly Signature[],
  input: Uint8Array,
): Promise<CommandResult> {
  const told = words[0] === 'tell';
  // `pg 1.7 query` and `tell 1.7 query`, as other words after a PG's id, are for the OSD that leads it.
  const pgid = told || words[0] === 'pg' ? parsePgId(words[1] ?? '') : undefined;
  if (pgid !== undefined) return runOnPg(options, rados, pgid, words.slice(2));
  const target = told ? (words[1] ?? '') : 'mon';
  if (told && /^(osd|mon)\./.test(target)) return tellDaemons(env, options, rados, target, words.slice(2), input);
  if (told && /^mgr(\.|$)/.test(target)) return tellMgr(env, options, rados, target.slice(4), words.slice(2), input);
  if (told) return failed(Errno.EINVAL, `error handling command target: ${target}`);
  const validated = validateCommand(words, signatures);
  if (!validated.ok) {
    env.stderr(`${validated.complaints.join('\n')}\n`);
    return failed(Errno.EINVAL, 'invalid command');
  }
  const format = options.get('format');
  const command = formatCommand({
    ...validated.command,
    ...(validated.toMgr && { target: ['mon-mgr', ''] }),
    ...(format !== undefined && { format }),
  });
  return validated.toMgr ? rados.mgrCommand(command, input) : rados.monCommand(command, input);
}

/** Sends a command to the active manager, by its name or without. */
async function tellMgr(
  env: ToolEnvironment,
  options: Session['options'],
  rados: Rados,
  name: string,
  words: readonly string[],
  input: Uint8Array,
): Promise<CommandResult> {
  if (name !== '') {
    const { data } = await rados.monCommand({ prefix: 'mgr dump', format: 'json' });
    const { active_name: active } = JSON.parse(fromUtf8(data)) as { active_name: string };
    if (name !== active) return failed(Errno.ENOENT, `mgr.${name} is not active: mgr.${active} is`);
  }
  const line = await describedLine(env, options, 'mgr.', (description) => rados.tellMgr(description), words);
  return typeof line === 'string' ? rados.tellMgr(line, input) : line;
}

/** The words as the JSON of a command that the daemon itself describes; or why they are none. */
async function describedLine(
  env: ToolEnvironment,
  options: Session['options'],
  who: string,
  send: (line: { readonly prefix: string }) => Promise<CommandResult>,
  words: readonly string[],
): Promise<string | CommandResult> {
  const descriptions = await send({ prefix: 'get_command_descriptions' });
  if (descriptions.code < 0) return failed(descriptions.code, `problem getting command descriptions from ${who}`);
  const validated = validateCommand(words, parseDescriptions(fromUtf8(descriptions.data)));
  if (!validated.ok) {
    env.stderr(`${validated.complaints.join('\n')}\n`);
    return failed(Errno.EINVAL, 'invalid command');
  }
  const format = options.get('format');
  return formatCommand({ ...validated.command, ...(format !== undefined && { format }) });
}

/** Sends a command to one OSD or monitor, or with `osd.*` and `mon.*` to each, whose answers its name stands before. */
async function tellDaemons(
  env: ToolEnvironment,
  options: Session['options'],
  rados: Rados,
  target: string,
  words: readonly string[],
  input: Uint8Array,
): Promise<CommandResult> {
  const [type = '', id = ''] = [target.slice(0, 3), target.slice(4)];
  const send = (each: string, line: Parameters<Rados['monCommand']>[0], data?: Uint8Array): Promise<CommandResult> =>
    type === 'osd'
      ? rados.osdCommand(/^\d+$/.test(each) ? Number(each) : -1, line, data)
      : rados.monitorCommand(each, line, data);
  const all = type === 'osd' ? await osdIds(rados) : [...(rados.monMap?.ranks ?? [])];
  let last = failed(0, '');
  for (const each of id === '*' ? all : [id]) {
    const line = await describedLine(env, options, `${type}.${each}`, (description) => send(each, description), words);
    if (typeof line !== 'string') return line;
    last = await send(each, line, input);
    if (id !== '*') return last;
    env.stdout(`${type}.${each}: `);
    env.stdout(last.data);
    if (last.code < 0) return { ...last, data: EMPTY };
  }
  return { ...last, data: EMPTY };
}

async function osdIds(rados: Rados): Promise<string[]> {
  const { data } = await rados.monCommand({ prefix: 'osd ls', format: 'json' });
  return (JSON.parse(fromUtf8(data)) as number[]).map(String);
}

/** Sends a command to the OSD that leads a PG: what it serves, it says itself. */
async function runOnPg(
  options: Session['options'],
  rados: Rados,
  pgid: PgId,
  words: readonly string[],
): Promise<CommandResult> {
  const descriptions = await rados.pgCommand(pgid, { prefix: 'get_command_descriptions' });
  if (descriptions.code < 0) {
    return failed(descriptions.code, `problem getting command descriptions from pg.${formatPgId(pgid)}`);
  }
  const validated = validateCommand(words, parseDescriptions(fromUtf8(descriptions.data)));
  if (!validated.ok) return failed(Errno.EINVAL, 'invalid command');
  const format = options.get('format');
  const pgCommand = { ...validated.command, pgid: formatPgId(pgid), ...(format !== undefined && { format }) };
  return rados.pgCommand(pgid, formatCommand(pgCommand));
}

function failed(code: number, status: string): CommandResult {
  return { code, status, data: new Uint8Array(0) };
}

/** Returns false, having said why, when the output file cannot be written. */
function writeOutput({ env, options }: Session, { data }: CommandResult): boolean {
  const path = options.get('output');
  if (path !== undefined && path !== '-') {
    try {
      writeFileSync(path, data);
    } catch (error) {
      env.stderr(`Can't open output file ${path}: ${(error as Error).message}\n`);
      return false;
    }
    return true;
  }
  // Readers skip a first line that older releases printed.
  if (path === undefined && options.get('format')?.startsWith('json')) env.stdout('\n');
  if (data.length > 0) env.stdout(data);
  return true;
}

function report(env: ToolEnvironment, { code, status }: CommandResult): number {
  if (code < 0) {
    env.stderr(`Error ${errnoName(code)}: ${status}\n`);
    return -code;
  }
  if (status !== '') env.stderr(`${status}\n`);
  return 0;
}

function help(env: ToolEnvironment, signatures: readonly Signature[], start: string): number {
  const lines = signatures
    .filter(({ flags }) => (flags & (CommandFlag.obsolete | CommandFlag.deprecated | CommandFlag.hidden)) === 0)
    .map((signature) => [conciseSignature(signature), signature.help] as const)
    .filter(([usageLine]) => usageLine.startsWith(start))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  env.stdout('Usage: ceph [-c CONF] [-f json|json-pretty|plain] [-i FILE] [-o FILE] [-s] [-w] COMMAND\n\n');
  for (const [usageLine, text] of lines) {
    env.stdout(
      usageLine.length < HELP_COLUMN
        ? `${usageLine.padEnd(HELP_COLUMN)} ${text}\n`
        : `${usageLine}\n${' '.repeat(HELP_COLUMN)} ${text}\n`,
    );
  }
  return 0;
}

const LEVELS = ['debug', 'info', 'sec', 'warn', 'error'] as const;
type LogLevel = (typeof LEVELS)[number];

function watchLevel(options: ReadonlyMap<string, string>): LogLevel | undefined {
  const named = LEVELS.find((level) => options.has(`watch_${level}`));
  return named ?? (options.has('watch') || options.has('watch_channel') ? 'info' : undefined);
}

/** Prints the status, then the cluster log as it grows, until interrupted. */
async function watch({ env, options, rados }: Session, level: LogLevel): Promise<number> {
  const status = await rados.monCommand({ prefix: 'status' });
  if (status.code < 0) return report(env, status);
  env.stdout(status.data);
  env.stdout('\n');
  const channel = options.get('watch_channel') ?? 'cluster';
  rados.watchLog(level, (entry) => {
    if (channel === '*' || channel === entry.channel) env.stdout(`${formatLogEntry(entry)}\n`);
  });
  await new Promise<void>((resolve) => process.once('SIGINT', resolve));
  return 0;
}

const PRIORITIES = ['DBG', 'INF', 'SEC', 'WRN', 'ERR'];

function formatLogEntry({ stamp, name, priority, text }: LogEntry): string {
  return `${formatStamp(stamp)} ${name.type}.${name.id} [${PRIORITIES[priority] ?? '???'}] ${text}`;
}
