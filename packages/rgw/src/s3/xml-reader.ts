/**
 * XML of requests: well-formed, UTF-8, bounded in size and depth, without a document type (so nothing to expand). Whatever else
 * comes is answered with MalformedXML; nothing else is thrown.
 *
 * The library splits a document into elements and texts; what the texts mean is read here, to the byte: its own decoding of
 * entities leaves unknown ones as they are.
 */
import { type Bytes, concatBytes, type RawString, rawFromText } from '@spirula/encoding';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { s3Error } from './s3-errors.ts';

/** An element. Names are as written, prefix included; texts have no entities left in them. */
export interface XmlElement {
  readonly name: RawString;
  readonly attributes: ReadonlyMap<RawString, RawString>;
  readonly children: readonly XmlElement[];
  /** The element's own text, without that of its children. */
  readonly text: RawString;
}

/** How large a document may be: radosgw's rgw_max_put_param_size. */
export const MAX_DOCUMENT_BYTES = 1 << 20;
const MAX_DEPTH = 16;

/**
 * All of a body that must be short.
 *
 * @throws S3Error EntityTooLarge as soon as it is longer than `limit` bytes.
 */
export async function readShortBody(body: AsyncIterable<Bytes>, limit = MAX_DOCUMENT_BYTES): Promise<Bytes> {
  const pieces: Bytes[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > limit) throw s3Error('EntityTooLarge');
    pieces.push(piece);
  }
  return concatBytes(pieces);
}

/**
 * The root element of a document, which must be named `root`.
 *
 * @throws S3Error MalformedXML; its message says what is wrong.
 */
export function readXml(document: Bytes, root: string): XmlElement {
  if (document.length > MAX_DOCUMENT_BYTES) throw malformed('it is too large');
  const text = decodeUtf8(document);
  checkCharacters(text);
  const problem = validate(text);
  if (problem !== undefined) throw malformed(problem);
  const roots = parse(text)
    .filter((node) => !isText(node))
    .map((node) => toElement(node));
  if (roots.length !== 1) throw malformed('it must have one root element');
  const found = roots[0]!;
  if (found.name !== root) throw malformed(`its root element must be ${root}`);
  return found;
}

/** The first child of a name. */
export function childNamed(parent: XmlElement, name: string): XmlElement | undefined {
  return parent.children.find((child) => child.name === name);
}

export function childrenNamed(parent: XmlElement, name: string): XmlElement[] {
  return parent.children.filter((child) => child.name === name);
}

/** The text of the first child of a name. */
export function childText(parent: XmlElement, name: string): RawString | undefined {
  return childNamed(parent, name)?.text;
}

/** @throws S3Error MalformedXML when there is no such child. */
export function neededText(parent: XmlElement, name: string): RawString {
  const text = childText(parent, name);
  if (text === undefined) throw malformed(`${parent.name} needs ${name}`);
  return text;
}

export function malformed(why: string): Error {
  return s3Error('MalformedXML', `The XML document is malformed: ${why}`);
}

const utf8Strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

function decodeUtf8(document: Bytes): string {
  try {
    return utf8Strict.decode(document);
  } catch {
    throw malformed('it is not UTF-8');
  }
}

function checkCharacters(text: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0, section 2.2: what is no character of a document
  if (/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(text))
    throw malformed('it has a character that XML does not allow');
  if (hasDeclaration(text)) throw malformed('document types are not allowed');
}

/** Whether there is a `<!` that begins neither a comment nor CDATA. What is not closed the validation refuses. */
function hasDeclaration(text: string): boolean {
  for (let at = text.indexOf('<!'); at >= 0; at = text.indexOf('<!', at)) {
    const end = text.startsWith('<!--', at) ? '-->' : text.startsWith('<![CDATA[', at) ? ']]>' : undefined;
    if (end === undefined) return true;
    at = text.indexOf(end, at);
    if (at < 0) return false;
  }
  return false;
}

/** The library's tree: an object with one key, the name, and maybe its attributes under `:@`. */
type ParsedNode = Record<string, unknown>;

function validate(text: string): string | undefined {
  const verdict = guarded(() => XMLValidator.validate(text));
  return verdict === true ? undefined : verdict.err.msg;
}

function parse(text: string): ParsedNode[] {
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: false,
    processEntities: false,
    cdataPropName: CDATA,
    ignoreDeclaration: true,
    ignorePiTags: true,
    maxNestedTags: MAX_DEPTH,
  });
  return guarded(() => parser.parse(text));
}

/** What the library throws (unclosed, too deep, names that JavaScript reserves) is always about the document. */
function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error));
  }
}

const ATTRIBUTES = ':@';
const TEXT = '#text';
const CDATA = '#cdata';

function isText(node: ParsedNode): boolean {
  return TEXT in node || CDATA in node;
}

function toElement(node: ParsedNode): XmlElement {
  const name = Object.keys(node).find((key) => key !== ATTRIBUTES)!;
  const children: XmlElement[] = [];
  let text = '';
  for (const child of node[name] as ParsedNode[]) {
    if (TEXT in child) text += decodeReferences(String(child[TEXT]));
    else if (CDATA in child) for (const part of child[CDATA] as ParsedNode[]) text += String(part[TEXT]);
    else children.push(toElement(child));
  }
  const attributes = Object.entries((node[ATTRIBUTES] ?? {}) as Record<string, string>).map(
    ([key, value]) => [rawFromText(key), rawFromText(decodeReferences(value))] as const,
  );
  return { name: rawFromText(name), attributes: new Map(attributes), children, text: rawFromText(text) };
}

const named = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** Control characters by number are let in, unlike by expat: a key may have them, and must be told somehow. */
function decodeReferences(text: string): string {
  return text.replace(/&([^;]*);?/g, (reference, body: string) => {
    const plain = named.get(body);
    if (plain !== undefined && reference.endsWith(';')) return plain;
    const digits = /^#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))$/.exec(body);
    const code = digits?.[1] !== undefined ? Number.parseInt(digits[1], 16) : Number(digits?.[2]);
    const valid = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
    if (!valid || !reference.endsWith(';')) throw malformed('it refers to an entity that does not exist');
    return String.fromCodePoint(code);
  });
}
