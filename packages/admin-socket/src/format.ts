/** What a command says, in the format that is asked for (common/Formatter.cc: JSONFormatter, XMLFormatter). */

/** One section: JSON has no name for it and for what stands in its lists, XML has. */
export interface Document {
  readonly json: unknown;
  /** Name of the section. */
  readonly root: string;
  /** Names of what stands in lists, by the list's own name; '' is the section itself. */
  readonly items?: Readonly<Record<string, string>>;
}

/** What stands in a list that was given no name. */
const ITEM = 'entry';

/** `json-pretty` is also what unknown formats give. */
export function format(documents: readonly Document[], asked: unknown): string {
  switch (asked) {
    case 'json':
      return documents.map(({ json }) => stringify(json)).join('');
    case 'xml':
      return documents.map((each) => toXml(each, false)).join('');
    case 'xml-pretty':
      return documents.map((each) => toXml(each, true)).join('');
    default:
      return documents.map(({ json }) => `${stringify(json, 4)}\n`).join('');
  }
}

/** JSON with 64-bit numbers, which bigints stand for. */
function stringify(json: unknown, indent?: number): string {
  const mark = (_: string, value: unknown) => (typeof value === 'bigint' ? `\u0001${value}\u0001` : value);
  return JSON.stringify(json, mark, indent).replaceAll(/"\\u0001(-?\d+)\\u0001"/g, '$1');
}

function toXml({ json, root, items = {} }: Document, pretty: boolean): string {
  const end = pretty ? '\n' : '';
  const element = (name: string, list: string, value: unknown, depth: number): string => {
    const indent = pretty ? ' '.repeat(depth) : '';
    const tag = name.replaceAll(' ', '_');
    if (typeof value !== 'object' || value === null)
      return `${indent}<${tag}>${escapeXml(String(value))}</${tag}>${end}`;
    const inner = Array.isArray(value)
      ? value.map((each) => element(items[list] ?? ITEM, list, each, depth + 1))
      : Object.entries(value)
          .filter(([, each]) => each !== undefined)
          .map(([key, each]) => element(key, key, each, depth + 1));
    return `${indent}<${tag}>${end}${inner.join('')}${indent}</${tag}>${end}`;
  };
  return element(root, '', json, 0);
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
