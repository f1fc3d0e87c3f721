/** JSON as Python's `json.dumps` writes it: what Ceph's modules answer, and what they keep in objects. */

/** A number that is written with a point, `1.0`. */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

export type Json = null | boolean | number | string | Float | readonly Json[] | { readonly [name: string]: Json };

/** In one line, names in their order. */
export function dumps(value: Json): string {
  return write(value, { indent: undefined, isSorted: false }, '');
}

/** `indent=4, sort_keys=True` */
export function dumpsSorted(value: Json): string {
  return write(value, { indent: '    ', isSorted: true }, '');
}

interface Style {
  readonly indent: string | undefined;
  readonly isSorted: boolean;
}

function write(value: Json, style: Style, margin: string): string {
  if (value instanceof Float) return Number.isInteger(value.value) ? `${value.value}.0` : String(value.value);
  if (typeof value === 'string') return ascii(JSON.stringify(value));
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = margin + (style.indent ?? '');
  if (isList(value)) {
    return enclose(
      '[',
      value.map((each) => write(each, style, inner)),
      ']',
      style,
      margin,
    );
  }
  const names = Object.keys(value);
  if (style.isSorted) names.sort();
  const members = names.map((name) => `${ascii(JSON.stringify(name))}: ${write(value[name]!, style, inner)}`);
  return enclose('{', members, '}', style, margin);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function enclose(open: string, members: readonly string[], close: string, { indent }: Style, margin: string): string {
  if (members.length === 0) return open + close;
  if (indent === undefined) return `${open}${members.join(', ')}${close}`;
  const inner = `\n${margin}${indent}`;
  return `${open}${inner}${members.join(`,${inner}`)}\n${margin}${close}`;
}

/** Python escapes what is not ASCII. */
function ascii(text: string): string {
  return text.replaceAll(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
