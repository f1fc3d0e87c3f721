/**
 * Keyrings: entities in a text file of sections, as `ceph auth export` and ceph-authtool write them (auth/KeyRing.cc) in
 * Ceph's flavour of ini (common/ConfUtils.cc).
 *
 *   [client.rbd]
 *           key = AQBApwxrTSoDCBAA432mm1NtyjJnNj0hienv5w==
 *           caps mon = "profile rbd"
 */
import { MalformedInput } from '@spirula/encoding';
import { type CryptoKey, formatCryptoKey, parseCryptoKey } from './crypto-key.ts';
import type { CapsService, EntityAuth } from './entity-auth.ts';
import { compareEntityNames, parseEntityName } from './entity-order.ts';

/** A text that is no keyring, or a keyring with a setting that means nothing. */
export class MalformedKeyring extends MalformedInput {
  /** From 1. */
  readonly line: number;
  /** What Ceph says of it. */
  readonly reason: string;

  constructor(line: number, problem: string, reason = problem) {
    super('keyring', line, problem);
    this.message = `keyring line ${line}: ${problem}`;
    this.line = line;
    this.reason = reason;
  }
}

/** A text that Ceph does not take for sections of settings. */
function unreadable(line: number, problem: string): MalformedKeyring {
  return new MalformedKeyring(line, problem, 'cannot parse buffer');
}

/** Entity name -> key and caps. */
export type Keyring = ReadonlyMap<string, EntityAuth>;

/** Sections that are options, not entities. */
const NOT_ENTITIES = 'global';

/** The text of a keyring: entities in Ceph's order, caps by type. */
export function formatKeyring(keyring: Keyring): string {
  return sortedEntities(keyring)
    .map(([name, { key, caps }]) => {
      const lines = sortedCaps(caps).map(([type, text]) => `\tcaps ${type} = "${text.replaceAll('"', '\\"')}"\n`);
      return `[${name}]\n\tkey = ${formatCryptoKey(key)}\n${lines.join('')}`;
    })
    .join('');
}

export function sortedEntities(keyring: Keyring): (readonly [name: string, entity: EntityAuth])[] {
  return [...keyring].sort(([a], [b]) => compareEntityNames(a, b));
}

export function sortedCaps(caps: ReadonlyMap<CapsService, string>): (readonly [service: CapsService, text: string])[] {
  return [...caps].sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * Reads a keyring. Of a setting that comes twice the last counts. Every entity needs a key. More lenient than Ceph where
 * that changes no meaning: lines may be indented, the last need not end.
 *
 * @throws MalformedKeyring
 */
export function parseKeyring(text: string): Keyring {
  const settings = new Map<string, { readonly line: number; readonly values: Map<string, Setting> }>();
  let current: string | undefined;
  for (const { line, content } of logicalLines(text)) {
    const heading = /^\[([^\]]*)\]\s*(?:[#;].*)?$/.exec(content);
    if (heading !== null) {
      current = heading[1]!;
      if (!settings.has(current)) settings.set(current, { line, values: new Map() });
      continue;
    }
    const equals = content.indexOf('=');
    // A setting before the first section is an option, and none of a keyring's.
    const values = current === undefined ? undefined : settings.get(current)!.values;
    const name = content
      .slice(0, equals)
      .trim()
      .replaceAll(/[\s_]+/g, ' ');
    if (equals < 0 || name === '') throw unreadable(line, 'has neither [entity] nor name = value');
    values?.set(name, { line, text: readValue(content.slice(equals + 1).trim(), line) });
  }
  const keyring = new Map<string, EntityAuth>();
  for (const [name, { line, values }] of settings) {
    if (name === NOT_ENTITIES || values.size === 0) continue;
    if (parseEntityName(name) === undefined) {
      throw new MalformedKeyring(line, `bad entity name in keyring: ${name}`);
    }
    keyring.set(name, readEntity(name, line, values));
  }
  return keyring;
}

interface Setting {
  readonly line: number;
  readonly text: string;
}

function readEntity(entity: string, line: number, settings: ReadonlyMap<string, Setting>): EntityAuth {
  let key: CryptoKey | undefined;
  const caps = new Map<CapsService, string>();
  for (const [name, value] of settings) {
    if (name === 'key') key = readKey(entity, value);
    else if (isCapsSetting(name)) caps.set(name.slice('caps '.length) as CapsService, value.text);
    // Old keyrings have it; it means nothing any more.
    else if (name !== 'auid') throw badSetting(entity, name, value);
  }
  if (key === undefined) throw new MalformedKeyring(line, `[${entity}] has no key`);
  return { key, caps };
}

/** Ceph also takes caps of services that do not exist, to no effect. */
function isCapsSetting(name: string): boolean {
  return /^caps (mon|osd|mgr|mds)$/.test(name);
}

function readKey(entity: string, value: Setting): CryptoKey {
  try {
    return parseCryptoKey(value.text);
  } catch (error) {
    if (error instanceof MalformedInput) throw badSetting(entity, 'key', value);
    throw error;
  }
}

function badSetting(entity: string, name: string, { line, text }: Setting): MalformedKeyring {
  return new MalformedKeyring(line, `error setting modifier for [${entity}] type=${name} val=${text}`);
}

/** Lines that say something, trimmed; one that ends in a backslash goes on in the next. */
function* logicalLines(text: string): Generator<{ readonly line: number; readonly content: string }> {
  let begun = '';
  let line = 0;
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    if (begun === '') line = i + 1;
    if (/(?:^|[^\\])(?:\\\\)*\\$/.test(raw)) {
      begun += raw.slice(0, -1);
      continue;
    }
    const content = (begun + raw).trim();
    begun = '';
    if (content !== '' && !/^[#;]/.test(content)) yield { line, content };
  }
  if (begun.trim() !== '') throw unreadable(line, 'goes on after its end');
}

/** A value in quotes, or up to a comment; a backslash keeps the character after it as it is. */
function readValue(text: string, line: number): string {
  const quoted = /^(["'])((?:\\.|(?!\1)[^\\])*)\1\s*(?:[#;].*)?$/.exec(text);
  if (quoted !== null) return resolveEscapes(quoted[2]!);
  if (/^["']/.test(text)) throw unreadable(line, 'has a quote that does not end, or text behind it');
  const plain = /^(?:\\.|[^\\#;])*/.exec(text)![0];
  return resolveEscapes(plain.trimEnd());
}

function resolveEscapes(text: string): string {
  return text.replaceAll(/\\(.)/g, '$1');
}
