/**
 * XML as radosgw's XMLFormatter writes it: in one line, elements only, escaped to the byte as Ceph does (common/escape.cc), so
 * that a client sees no difference. Texts are raw strings: what is stored as bytes leaves as the same bytes.
 */
import { type Bytes, bytesFromRaw, type RawString } from '@spirula/encoding';

/** An element, written out; made by `element`. */
export interface XmlNode {
  readonly xml: RawString;
}

const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** An element with a text, a number, a truth value, or other elements inside; undefined among those leaves nothing. */
export function element(
  name: string,
  content: RawString | number | boolean | readonly (XmlNode | undefined)[],
  attributes: readonly (readonly [name: string, value: string])[] = [],
): XmlNode {
  let opening = name;
  for (const [attribute, value] of attributes) opening += ` ${attribute}="${escapeXml(value)}"`;
  return { xml: `<${opening}>${inner(content)}</${name}>` };
}

function inner(content: RawString | number | boolean | readonly (XmlNode | undefined)[]): RawString {
  if (typeof content === 'string') return escapeXml(content);
  if (typeof content !== 'object') return String(content);
  let xml = '';
  for (const node of content) if (node !== undefined) xml += node.xml;
  return xml;
}

/** The outermost element of an answer: it carries S3's namespace. */
export function s3Root(name: string, content: RawString | readonly (XmlNode | undefined)[]): XmlNode {
  return element(name, content, [['xmlns', S3_NAMESPACE]]);
}

/** The whole document. */
export function xmlDocument(root: XmlNode): Bytes {
  return bytesFromRaw(`<?xml version="1.0" encoding="UTF-8"?>${root.xml}`);
}

/** The whole document, without a declaration. */
export function plainDocument(root: XmlNode): Bytes {
  return bytesFromRaw(root.xml);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is escaped
const special = /[<&>'"\x00-\x08\x0b-\x1f\x7f]/;
const everySpecial = new RegExp(special, 'g');
const named = new Map([
  ['<', '&lt;'],
  ['&', '&amp;'],
  ['>', '&gt;'],
  ["'", '&apos;'],
  ['"', '&quot;'],
]);

/** Markup by its names, control characters but tab and line feed by their numbers (`&#x0d;`), all else as it is. */
function escapeXml(text: RawString): RawString {
  // Nearly no text has any.
  if (!special.test(text)) return text;
  return text.replace(
    everySpecial,
    (char) => named.get(char) ?? `&#x${char.charCodeAt(0).toString(16).padStart(2, '0')};`,
  );
}
