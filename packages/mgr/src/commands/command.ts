import { type Bytes, Errno, type UTime } from '@spirula/encoding';
import type { OsdMap } from '@spirula/maps';
import { type CommandDescription, parseSignature } from '@spirula/messages';
import type { Config } from '@spirula/world';
import type { IoHistory } from '../io-rates.ts';
import type { PgMap } from '../pg-map.ts';

/** What some modules of Ceph return: they leave the minus out. */
export const POSITIVE_EINVAL = 22;

/** What commands look at. They change nothing themselves. */
export interface CommandContext {
  readonly map: OsdMap;
  readonly pgMap: PgMap;
  readonly io: IoHistory;
  readonly now: UTime;
  readonly config: Config;
}

export interface CommandOutcome {
  /** 0 or a negative errno. */
  readonly code: number;
  /** For standard error. */
  readonly status: string;
  readonly output: string;
}

/** A command that the monitors are to carry out; their answer is the answer. */
export interface Delegated {
  readonly delegate: Readonly<Record<string, unknown>>;
  /** Comes before what the monitors say. */
  readonly output?: string;
}

/** A question to a daemon, such as `osd.3`: its admin command, and what is made of its answer; undefined: it is not there. */
export interface Asked {
  readonly ask: string;
  readonly command: Readonly<Record<string, unknown>>;
  answer(answer: { readonly code: number; readonly data: Bytes } | undefined): CommandOutcome;
}

/** The arguments of one command line, as JSON gives them. */
export type CommandArgs = Readonly<Record<string, unknown>>;

export interface MgrCommandEntry {
  readonly description: CommandDescription;
  /** Why the command is always refused (EOPNOTSUPP). */
  readonly unsupported?: string;
  run(args: CommandArgs, context: CommandContext): CommandOutcome | Delegated | Asked;
}

/** The flag that makes clients send a command to the manager. */
export const MGR_FLAG = 8;

/** A read-only command: words and arguments as they stand in a signature. */
export function describe(sig: CommandDescription['sig'], help: string, run: MgrCommandEntry['run']): MgrCommandEntry {
  const module = typeof sig[0] === 'string' ? sig[0] : 'mgr';
  return { description: { sig, help, module, perm: 'r', flags: MGR_FLAG }, run };
}

/** A command that changes something. */
export function describeChange(
  sig: CommandDescription['sig'],
  help: string,
  run: MgrCommandEntry['run'],
): MgrCommandEntry {
  const entry = describe(sig, help, run);
  return { ...entry, description: { ...entry.description, perm: 'rw' } };
}

/** Commands that are answered alike; each line is its permissions and its signature: `rw balancer rm <plan>`. */
export function alike(
  lines: readonly string[],
  help: string,
  run: MgrCommandEntry['run'],
  module = 'mgr',
): readonly MgrCommandEntry[] {
  return lines.map((line) => {
    const space = line.indexOf(' ');
    const sig = parseSignature(line.slice(space + 1));
    return { description: { sig, help, module, perm: line.slice(0, space), flags: MGR_FLAG }, run };
  });
}

/** Commands of Ceph that are refused here, each line as for {@link alike}. */
export function unsupported(lines: readonly string[], reason: string, module = 'mgr'): readonly MgrCommandEntry[] {
  return alike(lines, `refused: ${reason}`, () => refuse(Errno.EOPNOTSUPP, reason), module).map((entry) => ({
    ...entry,
    unsupported: reason,
  }));
}

/** The prefix a client sends for a description: its words. */
export function prefixOf(description: CommandDescription): string {
  return description.sig.filter((part) => typeof part === 'string').join(' ');
}

export function succeed(output: string, status = ''): CommandOutcome {
  return { code: 0, status, output };
}

export function refuse(code: number, status: string, output = ''): CommandOutcome {
  return { code, status, output };
}

export function invalid(status: string): CommandOutcome {
  return refuse(Errno.EINVAL, status);
}

/** `json` and `json-pretty` ask for JSON; anything else is text for people. */
export function wantsJson(args: CommandArgs): boolean {
  return args['format'] === 'json' || args['format'] === 'json-pretty';
}

/** JSON as Ceph's formatters lay it out. */
export function formatJson(args: CommandArgs, value: unknown): string {
  return args['format'] === 'json-pretty' ? `${JSON.stringify(value, null, 4)}\n` : JSON.stringify(value);
}

/** Values of an argument that may be repeated. */
export function listArgument(args: CommandArgs, name: string): readonly string[] {
  const value = args[name];
  if (Array.isArray(value)) return value.map(String);
  return value === undefined ? [] : [String(value)];
}

/** An OSD given as `3` or `osd.3`; undefined when it is neither. */
export function parseOsd(text: unknown): number | undefined {
  const match = /^(?:osd\.)?(\d{1,9})$/.exec(String(text));
  return match ? Number(match[1]) : undefined;
}
