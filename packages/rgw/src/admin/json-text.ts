/** Documents as radosgw-admin prints them (JSONFormatter, common/Formatter.cc): bytes that are no text stay as they are. */
import { type RawString, rawFromText } from '@spirula/encoding';

/** A name that need not be text: what an omap key may be. */
export class RawName {
  readonly raw: RawString;

  constructor(raw: RawString) {
    this.raw = raw;
  }
}

/** An object whose members may have one name several times. */
export class Members {
  readonly entries: readonly (readonly [name: string, value: unknown])[];

  constructor(entries: readonly (readonly [name: string, value: unknown])[]) {
    this.entries = entries;
  }
}

/** Lines of bytes, and no JSON. */
export class RawLines {
  readonly lines: readonly RawString[];

  constructor(lines: readonly RawString[]) {
    this.lines = lines;
  }
}

const INDENT = '    ';

/** Bytes of JSON, without a line's end. Members that are undefined are left out. */
export function jsonText(value: unknown, indent = ''): RawString {
  if (value instanceof RawName) return quoted(value.raw);
  if (typeof value === 'string') return quoted(rawFromText(value));
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = indent + INDENT;
  const lines = linesOf(value, inner);
  const [open, close] = Array.isArray(value) || isList(value) ? '[]' : '{}';
  if (lines.length === 0) return `${open}${close}`;
  return `${open}\n${lines.map((line) => inner + line).join(',\n')}\n${indent}${close}`;
}

function isList(value: object): value is { toJSON(): readonly unknown[] } {
  return 'toJSON' in value;
}

function linesOf(value: object, indent: string): RawString[] {
  if (Array.isArray(value)) return value.map((item) => jsonText(item, indent));
  if (isList(value)) return value.toJSON().map((item) => jsonText(item, indent));
  const entries = value instanceof Members ? value.entries : Object.entries(value);
  return entries
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => `${quoted(rawFromText(name))}: ${jsonText(member, indent)}`);
}

const NAMED_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\t', '\\t'],
]);

/** As json_stream_escaper (common/escape.cc): most control characters by number. */
function quoted(raw: RawString): RawString {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is escaped
  const escaped = raw.replace(/["\\\x00-\x1f\x7f]/g, (char) => {
    return NAMED_ESCAPES.get(char) ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}
