/** Documents in every format that Ceph's tools print (common/Formatter.cc, common/HTMLFormatter.cc). */
import { formatFloat } from '@spirula/encoding';

/** What stands in a document under a name: text, a number, or a section of more. In JSON, what stands in lists is nameless. */
export interface Entry {
  readonly name: string;
  readonly value: string | number | bigint | Section;
}

export interface Section {
  readonly isList: boolean;
  readonly entries: readonly Entry[];
}

/**
 * `doc`, of objects, maps and lists, as sections; `nameIn` names what stands in the list of that name. Fields that are
 * undefined are left out.
 */
export function sectionOf(doc: object, nameIn: (list: string) => string, name = ''): Section {
  const isList = Array.isArray(doc);
  const members: [string, unknown][] = doc instanceof Map ? [...doc] : Object.entries(doc);
  const fields = isList ? doc.map((each): [string, unknown] => [nameIn(name), each]) : members;
  const entries = fields.flatMap(([key, value]): Entry[] => {
    if (value === undefined) return [];
    if (typeof value === 'object' && value !== null) return [{ name: key, value: sectionOf(value, nameIn, key) }];
    return [{ name: key, value: value as string | number | bigint }];
  });
  return { isList, entries };
}

/** A document named `root` as a formatter flushes it; formats that there are not give `json-pretty`. */
export function formatSection(root: string, section: Section, format: string): string {
  const document = { name: root, value: section };
  switch (format) {
    case 'json':
      return json(section);
    case 'xml':
      return xml(document, xmlField);
    case 'xml-pretty':
      return `${xml(document, xmlField, 0)}\n`;
    case 'html':
      return xml(document, htmlField);
    case 'html-pretty':
      return `${xml(document, htmlField, 0)}\n`;
    case 'table':
      return table(cellsOf(document));
    case 'table-kv':
      return `${cellsOf(document)
        .map(([key, value]) => `key::${key}="${value}" `)
        .join('')}\n`;
    default:
      return `${json(section, 0)}\n`;
  }
}

function isSection(value: Entry['value']): value is Section {
  return typeof value === 'object';
}

/** Numbers have all the digits that a double has. */
function plain(value: string | number | bigint): string {
  return typeof value !== 'number' || Number.isInteger(value) ? String(value) : formatFloat(value, 17);
}

function json(value: Entry['value'], depth?: number): string {
  if (!isSection(value)) return typeof value === 'string' ? JSON.stringify(value) : plain(value);
  const { isList, entries } = value;
  const [open, close] = isList ? '[]' : '{}';
  if (entries.length === 0) return `${open}${close}`;
  const below = depth === undefined ? undefined : depth + 1;
  const lineStart = (level: number | undefined) => (level === undefined ? '' : `\n${'    '.repeat(level)}`);
  const parts = entries.map((entry) => {
    const name = isList ? '' : `${JSON.stringify(entry.name)}:${depth === undefined ? '' : ' '}`;
    return `${lineStart(below)}${name}${json(entry.value, below)}`;
  });
  return `${open}${parts.join(',')}${lineStart(depth)}${close}`;
}

type Field = (name: string, value: string | number | bigint) => string;
const xmlField: Field = (name, value) => `<${name}>${escapeXml(plain(value))}</${name}>`;
/** Numbers have but six digits there. */
const htmlField: Field = (name, value) =>
  `<li>${name}: ${escapeXml(typeof value !== 'number' || Number.isInteger(value) ? plain(value) : formatFloat(value))}</li>`;

function xml({ name, value }: Entry, field: Field, depth?: number): string {
  const indent = depth === undefined ? '' : ' '.repeat(depth);
  const end = depth === undefined ? '' : '\n';
  if (!isSection(value)) return `${indent}${field(name, value)}${end}`;
  const below = depth === undefined ? undefined : depth + 1;
  const inner = value.entries.map((entry) => xml(entry, field, below)).join('');
  return `${indent}<${name}>${end}${inner}${indent}</${name}>${end}`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => ENTITIES[char]!);
}

/** All values in one row: each under the names of its sections, innermost first, its own, and how often that came before. */
function cellsOf(document: Entry): [key: string, value: string][] {
  const counts = new Map<string, number>();
  const cells: [string, string][] = [];
  const visit = ({ name, value }: Entry, path: string) => {
    if (!isSection(value)) {
      const key = `${path}${name}`;
      const count = counts.get(key) ?? 0;
      counts.set(key, count + 1);
      cells.push([`${key}[${count}]`, plain(value)]);
      return;
    }
    for (const entry of value.entries) visit(entry, `${name}:${path}`);
    // A section that ends is counted from the beginning, should a value have its bare name.
    counts.set(name, 0);
  };
  visit(document, '');
  return cells;
}

function table(cells: readonly (readonly [string, string])[]): string {
  if (cells.length === 0) return '';
  const widths = cells.map(([key, value]) => Math.max(key.length, value.length) + 2);
  const rule = `+${widths.map((width) => `${'-'.repeat(width + 1)}+`).join('')}\n`;
  const row = (texts: readonly string[]) => `|${texts.map((text, i) => ` ${text.padEnd(widths[i]!)}|`).join('')}\n`;
  return `${rule}${row(cells.map(([key]) => key))}${rule}${row(cells.map(([, value]) => value))}${rule}`;
}
