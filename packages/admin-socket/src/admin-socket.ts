/** The commands of one daemon, over its socket and by `tell`: request in, response out (common/admin_socket.cc). */
import type { DaemonConfig } from '@spirula/config';
import { type Bytes, Errno, fromUtf8, utf8 } from '@spirula/encoding';
import {
  type AdminAnswer,
  type AdminArgs,
  type AdminCommand,
  type AdminResult,
  adminCommand,
  prefixOf,
  refuse,
  say,
  sayDocuments,
  toAnswer,
} from './admin-command.ts';
import { configCommands, errnoText } from './config-commands.ts';
import { type PerfCounters, perfCommands } from './perf-counters.ts';

/** Stands for the release whose behaviour is reproduced. */
const VERSION = { version: '16.2.15', release: 'pacific', release_type: 'stable' } as const;
/** Ceph's commit of that release. */
const GIT_VERSION = '618f440892089921c3e944a991122ddc44e60516';

export interface AdminSocketOptions {
  readonly config: DaemonConfig;
  readonly perf: PerfCounters;
  /** The daemon's own commands. */
  readonly commands: readonly AdminCommand[];
  /** An option was set or unset here. */
  readonly onOptionsChanged?: () => void;
}

type Found =
  | { readonly args: AdminArgs; readonly command: AdminCommand; readonly refusal?: undefined }
  | { readonly args: AdminArgs; readonly command?: undefined; readonly refusal: AdminResult };

export class AdminSocket {
  readonly #commands: readonly AdminCommand[];
  readonly #byPrefix: ReadonlyMap<string, AdminCommand>;

  constructor({ config, perf, commands, onOptionsChanged }: AdminSocketOptions) {
    const all = [
      ...commands,
      ...configCommands(config, onOptionsChanged ?? (() => {})),
      ...perfCommands(perf),
      ...logCommands,
      adminCommand(['version'], 'show the release', () => say(VERSION)),
      adminCommand(['git_version'], 'show the commit of the release', () =>
        sayDocuments({ json: { git_version: GIT_VERSION }, root: 'version' }),
      ),
      adminCommand(['help'], 'list the commands', () => say(this.#help())),
      adminCommand(['get_command_descriptions'], 'list the commands, for programs', () =>
        sayDocuments({ json: this.#descriptions(), root: 'command_descriptions', items: { sig: 'arg' } }),
      ),
    ];
    this.#commands = all.sort((a, b) => (prefixOf(a.description) < prefixOf(b.description) ? -1 : 1));
    this.#byPrefix = new Map(this.#commands.map((each) => [prefixOf(each.description), each]));
  }

  /** The words of the command that a line is for; undefined when there is none. */
  prefixOf(line: string): string | undefined {
    const prefix = String(parse(line)?.['prefix']);
    return this.#byPrefix.has(prefix) ? prefix : undefined;
  }

  /** Runs one command line, JSON as clients send it. Whatever it holds, there is an answer. */
  run(line: string): AdminAnswer {
    const { args, command, refusal } = this.#find(line);
    return toAnswer(args, refusal ?? command.run(args));
  }

  /** As `run`, but for what takes a while: that is answered later. */
  begin(line: string, done: (answer: AdminAnswer) => void): void {
    const { args, command, refusal } = this.#find(line);
    if (!refusal && command.begin) command.begin(args, (result) => done(toAnswer(args, result)));
    else done(toAnswer(args, refusal ?? command.run(args)));
  }

  #find(line: string): Found {
    const args = parse(line);
    if (!args) return { args: {}, refusal: refuse(Errno.EINVAL, 'invalid json') };
    const prefix = String(args['prefix']);
    const command = this.#byPrefix.get(prefix);
    if (!command) return { args, refusal: refuse(Errno.EINVAL, `unknown command prefix ${prefix}`) };
    const missing = command.description.sig.some(
      (part) => typeof part !== 'string' && part['req'] !== 'false' && args[part['name']!] === undefined,
    );
    return missing ? { args, refusal: refuse(Errno.EINVAL, 'invalid command json') } : { args, command };
  }

  /** Runs what came over the socket; the answer as it goes back, without its length (AdminSocket::do_accept). */
  serve(request: Bytes): Bytes {
    const { code, status, data } = this.run(fromUtf8(request));
    if (code >= 0) return data;
    const error = utf8(`ERROR: ${errnoText(code)}\n${status}\n`);
    const whole = new Uint8Array(error.length + data.length);
    whole.set(error);
    whole.set(data, error.length);
    return whole;
  }

  #help(): Record<string, string> {
    return Object.fromEntries(this.#commands.map(({ description }) => [prefixOf(description), description.help]));
  }

  #descriptions(): Record<string, unknown> {
    return Object.fromEntries(
      this.#commands.map(({ description }, i) => [`cmd${String(i).padStart(3, '0')}`, description]),
    );
  }
}

/** The log is written as it comes: there is nothing to flush. */
const logCommands: readonly AdminCommand[] = ['flush', 'dump', 'reopen'].map((verb) =>
  adminCommand(['log', verb], `${verb} the log`, () => say({})),
);

function parse(line: string): AdminArgs | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null && 'prefix' in parsed ? (parsed as AdminArgs) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
