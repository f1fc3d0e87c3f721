/**
 * Signatures of commands as people write them, for the tables of monitors and managers:
 *
 *   osd status [bucket]    fs volume info <vol_name> [human_readable:bool]    orch osd rm <osd_id...>
 *
 * `<name>` must be given, `[name]` may be; `...` may be repeated. Behind a colon stands the type, `string` without it, or the
 * choices there are (`<mode:none|upmap>`).
 */
import type { CommandDescription } from './private/mgr.ts';

type Argument = Readonly<Record<string, string>>;

const TYPES: ReadonlyMap<string, Argument> = new Map<string, Argument>([
  ['string', { type: 'CephString' }],
  ['word', { type: 'CephString', goodchars: '[A-Za-z0-9-_.]' }],
  ['int', { type: 'CephInt' }],
  ['count', { type: 'CephInt', range: '0' }],
  ['float', { type: 'CephFloat' }],
  ['bool', { type: 'CephBool' }],
  ['pgid', { type: 'CephPgid' }],
  ['pool', { type: 'CephPoolname' }],
  ['addr', { type: 'CephIPAddr' }],
  ['target', { type: 'CephName' }],
]);

/** A single choice has an equals sign before it (`[force:=--force]`). */
function choices(type: string): Argument {
  return { type: 'CephChoices', strings: type.replace(/^=/, '') };
}

/** @throws Error for what is no signature: the tables are part of the program. */
export function parseSignature(signature: string): CommandDescription['sig'] {
  return signature.split(' ').map((part) => (/^[<[]/.test(part) ? parseArgument(part) : part));
}

function parseArgument(part: string): Argument {
  const match = /^(?:<([^<>[\]]+)>|\[([^<>[\]]+)\])$/.exec(part);
  if (!match) throw new Error(`'${part}' is no argument of a signature`);
  const isRequired = match[1] !== undefined;
  const inner = match[1] ?? match[2]!;
  const isList = inner.endsWith('...');
  const [name = '', type = 'string'] = (isList ? inner.slice(0, -3) : inner).split(':');
  const known = type.startsWith('=') || type.includes('|') ? choices(type) : TYPES.get(type);
  if (known === undefined) throw new Error(`'${type}' is no type of an argument`);
  return { name, ...known, ...(isList && { n: 'N' }), ...(!isRequired && { req: 'false' }) };
}
