/** What a monitor command is: its signature as clients are told, and what it does. */

import type { Bytes } from '@spirula/encoding';
import { Errno, type UTime, type Uuid, utf8 } from '@spirula/encoding';
import type { MonMap } from '@spirula/maps';
import { type CommandDescription, type ConnectedPeers, parseSignature } from '@spirula/messages';
import type { Config } from '@spirula/world';
import type { AuthMonitor } from '../auth-monitor.ts';
import type { ConfigMonitor } from '../config-monitor.ts';
import type { HealthMonitor } from '../health/health-monitor.ts';
import type { Health } from '../health/health-text.ts';
import type { KvMonitor } from '../kv-monitor.ts';
import type { LogMonitor } from '../log-monitor.ts';
import type { MgrMonitor } from '../mgr-monitor.ts';
import type { MgrStatMonitor } from '../mgr-stat-monitor.ts';
import type { MonMetadataService } from '../mon-metadata.ts';
import type { MonmapMonitor } from '../monmap-monitor.ts';
import type { OsdMonitor } from '../osd-monitor.ts';
import type { Requester } from '../requester.ts';
import type { Rights } from '../rights.ts';
import type { TimeCheckView } from '../time-check.ts';

/** The arguments of one command line, as the client's JSON has them. */
export type CommandArgs = Readonly<Record<string, unknown>>;

export interface QuorumView {
  readonly epoch: number;
  readonly ranks: readonly number[];
  readonly leader: number;
  readonly ageSeconds: number;
  readonly role: string;
}

/** What commands read and change. Changes go to a service's pending state. */
export interface CommandContext {
  readonly config: Config;
  readonly name: string;
  /** In force. */
  readonly monmap: MonMap;
  readonly monmaps: MonmapMonitor;
  readonly quorum: QuorumView;
  readonly timeCheck: TimeCheckView;
  readonly osd: OsdMonitor;
  readonly mgr: MgrMonitor;
  readonly monMetadata: MonMetadataService;
  readonly mgrStat: MgrStatMonitor;
  readonly log: LogMonitor;
  readonly configs: ConfigMonitor;
  readonly kv: KvMonitor;
  readonly auth: AuthMonitor;
  readonly healthMonitor: HealthMonitor;
  /** What came with the command (`-i FILE`). */
  readonly input: Bytes;
  /** Who asks. */
  readonly asker: Pick<Requester, 'entity' | 'addrs'>;
  /** What the asker may do. */
  readonly rights: Rights;
  /** Begins to compare the stores of the quorum; false when that is under way. */
  scrub(): boolean;
  /** Who is connected to the monitors of the quorum, but for monitors. */
  connected(): readonly ConnectedPeers[];
  health(): Health;
  wall(): UTime;
  /** Seconds since the epoch. */
  wallSeconds(): number;
  randomUuid(): Uuid;
  descriptions(): readonly CommandDescription[];
}

export interface CommandOutcome {
  readonly code: number;
  /** For standard error. */
  readonly status: string;
  readonly data: Bytes;
  /** The change must be committed before the answer leaves. */
  readonly commit: boolean;
}

export interface MonCommandEntry {
  readonly description: CommandDescription;
  /** Why the command is always refused (EOPNOTSUPP). */
  readonly unsupported?: string;
  run(args: CommandArgs, context: CommandContext): CommandOutcome;
}

type Signature = readonly (string | Readonly<Record<string, string>>)[];

/** A command under Ceph's words: `words` and argument objects in one list. */
export function command(
  signature: Signature,
  help: string,
  perm: 'r' | 'rw' | 'rx' | 'rwx',
  run: MonCommandEntry['run'],
  module = 'mon',
): MonCommandEntry {
  return { description: { sig: signature, help, module, perm, flags: 0 }, run };
}

/** One of Ceph that is refused here, with the reason. */
export function unsupported(
  signature: Signature,
  help: string,
  perm: 'r' | 'rw',
  reason: string,
  module = 'mon',
): MonCommandEntry {
  return { ...command(signature, help, perm, () => refuse(Errno.EOPNOTSUPP, reason), module), unsupported: reason };
}

/** Commands that are answered alike; each line is its permissions and its signature: `rw fs fail <fs_name>`. */
export function alike(
  lines: readonly string[],
  help: string,
  run: MonCommandEntry['run'],
  module = 'mon',
): readonly MonCommandEntry[] {
  return lines.map((line) => {
    const space = line.indexOf(' ');
    const sig = parseSignature(line.slice(space + 1));
    return { description: { sig, help, module, perm: line.slice(0, space), flags: 0 }, run };
  });
}

/** Commands of Ceph that are refused here with the reason, each line as for {@link alike}. */
export function allUnsupported(lines: readonly string[], reason: string, module = 'mon'): readonly MonCommandEntry[] {
  return alike(lines, `refused: ${reason}`, () => refuse(Errno.EOPNOTSUPP, reason), module).map((entry) => ({
    ...entry,
    unsupported: reason,
  }));
}

/** In descriptions: there is no such command any more (MonCommand::FLAG_OBSOLETE). */
const OBSOLETE = 2;
/** In descriptions: it is for one daemon, by `tell` (MonCommand::FLAG_TELL). */
const TELL = 33;

/** Commands that Ceph itself only remembers: 16.2 refuses them, too. */
export function obsolete(lines: readonly string[], module = 'mon'): readonly MonCommandEntry[] {
  const reason = 'command is obsolete; please check usage and/or man page';
  return flagged(allUnsupported(lines, reason, module), OBSOLETE);
}

/** Commands that Ceph's monitors take by `tell` alone. */
export function toldOnly(lines: readonly string[]): readonly MonCommandEntry[] {
  return flagged(
    alike(lines, 'by tell, to one monitor', () => invalid('unrecognized command')),
    TELL,
  );
}

export function flagged(entries: readonly MonCommandEntry[], flags: number): readonly MonCommandEntry[] {
  return entries.map((entry) => ({ ...entry, description: { ...entry.description, flags } }));
}

/** In descriptions: there is a newer word for it (MonCommand::FLAG_DEPRECATED). */
const DEPRECATED = 4;

export function deprecated(entry: MonCommandEntry): MonCommandEntry {
  return { ...entry, description: { ...entry.description, flags: DEPRECATED } };
}

/** The words of a signature: what the client sends as `prefix`. */
export function prefixOf(description: CommandDescription): string {
  return description.sig.filter((each): each is string => typeof each === 'string').join(' ');
}

function wantsJson(args: CommandArgs): boolean {
  return args['format'] === 'json' || args['format'] === 'json-pretty';
}

/** Output in the form asked for: JSON when so, `text` otherwise. Dense JSON ends in `end`: Ceph's commands differ there. */
export function output(args: CommandArgs, json: unknown, text: string, end: '' | '\n' = ''): CommandOutcome {
  if (args['format'] === 'json-pretty') return succeed(`${JSON.stringify(json, null, 4)}\n`);
  return succeed(wantsJson(args) ? `${JSON.stringify(json)}${end}` : text);
}

/** Output that is indented JSON even in plain text, as many of Ceph's commands have it. */
export function outputNames(args: CommandArgs, names: readonly string[]): CommandOutcome {
  return output(args, names, names.map((name) => `${name}\n`).join(''));
}

export function jsonAlways(args: CommandArgs, json: unknown, end: '' | '\n' = ''): CommandOutcome {
  return output(args, json, `${JSON.stringify(json, null, 4)}\n`, end);
}

/**
 * Indented JSON with an empty line behind it, unless there is nothing in it; dense JSON ends in a line feed. Some of Ceph's
 * commands show it so.
 */
export function indented(args: CommandArgs, json: object): CommandOutcome {
  if (args['format'] === 'json') return succeed(`${JSON.stringify(json)}\n`);
  const isEmpty = Object.keys(json).length === 0;
  return succeed(`${JSON.stringify(json, null, 4)}${isEmpty ? '\n' : '\n\n'}`);
}

export function succeed(text: string | Bytes, status = ''): CommandOutcome {
  return { code: 0, status, data: typeof text === 'string' ? utf8(text) : text, commit: false };
}

/** Done without a change: `status` says so. */
export function unchanged(status: string): CommandOutcome {
  return { code: 0, status, data: utf8(''), commit: false };
}

/** Done once the change is committed. */
export function changed(status: string, text = ''): CommandOutcome {
  return { code: 0, status, data: utf8(text), commit: true };
}

export function refuse(code: number, status: string): CommandOutcome {
  return { code, status, data: utf8(''), commit: false };
}

export function invalid(status: string): CommandOutcome {
  return refuse(Errno.EINVAL, status);
}

/** A text argument; undefined when it is absent. Lists of one are taken as their item. */
export function text(args: CommandArgs, name: string): string | undefined {
  const value = args[name];
  if (Array.isArray(value)) return value.length > 0 ? String(value[0]) : undefined;
  return value === undefined || value === null ? undefined : String(value);
}

/** The texts of an argument that may be repeated. */
export function texts(args: CommandArgs, name: string): string[] {
  const value = args[name];
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

/** A finite number; undefined when it is absent or none. */
export function number(args: CommandArgs, name: string): number | undefined {
  const value = text(args, name);
  if (value === undefined || value.trim() === '') return undefined;
  return Number.isFinite(Number(value)) ? Number(value) : undefined;
}

/** Whether a flag such as `--yes-i-really-mean-it` was given, in either of the ways clients send it. */
export function flag(args: CommandArgs, name: string): boolean {
  const value = args[name];
  return value === true || value === 'true' || value === `--${name.replaceAll('_', '-')}`;
}
