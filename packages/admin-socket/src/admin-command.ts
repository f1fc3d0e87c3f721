/** What a command of the admin socket is, which `tell` runs as well (common/admin_socket.cc). */
import { type Bytes, EMPTY, Errno, utf8 } from '@spirula/encoding';
import type { CommandDescription } from '@spirula/messages';
import { type Document, format } from './format.ts';

/** The arguments of one command line, as JSON gives them. */
export type AdminArgs = Readonly<Record<string, unknown>>;

export interface AdminAnswer {
  /** 0 or a negative errno. */
  readonly code: number;
  /** For standard error; over the socket only of a command that failed. */
  readonly status: string;
  readonly data: Bytes;
}

/** What a command says, in JSON or XML as it is asked; or a refusal. */
export interface AdminResult {
  readonly code: number;
  readonly status: string;
  /** Mostly one. */
  readonly documents?: readonly SaidDocument[];
  /** Said as it is, whatever format is asked for. */
  readonly text?: string;
}

/** Its section is called like the command unless it says otherwise. */
type SaidDocument = Omit<Document, 'root'> & Partial<Pick<Document, 'root'>>;

export interface AdminCommand {
  readonly description: CommandDescription;
  run(args: AdminArgs): AdminResult;
  /** Of a command that takes a while: asked by `tell`, it is answered when it is done. */
  begin?(args: AdminArgs, done: (result: AdminResult) => void): void;
}

type Signature = readonly (string | Readonly<Record<string, string>>)[];

/** A command under Ceph's words: words and argument objects in one list. */
export function adminCommand(
  signature: Signature,
  help: string,
  run: (args: AdminArgs) => AdminResult,
  perm: 'r' | 'rw' = 'r',
): AdminCommand {
  return { description: { sig: signature, help, module: '', perm, flags: 0 }, run };
}

/** One that takes a while. Over the socket, where answers come at once, it is refused. */
export function lastingCommand(
  signature: Signature,
  help: string,
  begin: (args: AdminArgs, done: (result: AdminResult) => void) => void,
): AdminCommand {
  const refused = () => refuse(Errno.EOPNOTSUPP, 'this takes a while: ask by `ceph tell`');
  return { ...adminCommand(signature, help, refused, 'rw'), begin };
}

export function say(json: unknown, status = ''): AdminResult {
  return { code: 0, status, documents: [{ json }] };
}

/** Sections that have other names than the command, or several. */
export function sayDocuments(...documents: readonly SaidDocument[]): AdminResult {
  return { code: 0, status: '', documents };
}

/** Of a command that Ceph answers in plain words. */
export function sayText(text: string): AdminResult {
  return { code: 0, status: '', text };
}

export function refuse(code: number, status: string): AdminResult {
  return { code, status };
}

/** The words of a signature: what the client sends as `prefix`. */
export function prefixOf({ sig }: CommandDescription): string {
  return sig.filter((part) => typeof part === 'string').join(' ');
}

/** A text argument; undefined when it is absent. Of a list its first item. */
export function textOf(args: AdminArgs, name: string): string | undefined {
  return listOf(args, name)[0];
}

export function listOf(args: AdminArgs, name: string): readonly string[] {
  const value = args[name];
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

export function toAnswer(args: AdminArgs, { code, status, documents, text }: AdminResult): AdminAnswer {
  if (text !== undefined) return { code, status, data: utf8(text) };
  if (documents === undefined) return { code, status, data: EMPTY };
  const root = String(args['prefix']).replaceAll(/[ -]/g, '_');
  const data = utf8(
    format(
      documents.map((each) => ({ root, ...each })),
      args['format'],
    ),
  );
  return { code, status, data };
}
