/** Lists of containers and objects: as text, JSON or XML. */
import { type Bytes, bytesFromRaw, type RawString, textFromRaw, utf8 } from '@spirula/encoding';
import type { HttpResponse } from '../http.ts';
import { element, type XmlNode, xmlDocument } from '../s3/xml-writer.ts';
import type { SwiftContext, SwiftHeaders } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';

const MAX_LIMIT = 10_000;
const TYPES = {
  plain: 'text/plain; charset=utf-8',
  json: 'application/json; charset=utf-8',
  xml: 'application/xml; charset=utf-8',
} as const;
type Format = keyof typeof TYPES;

export interface ListParameters {
  readonly limit: number;
  readonly marker: RawString;
  /** '': none. */
  readonly endMarker: RawString;
  readonly prefix: RawString;
  readonly delimiter: RawString;
  readonly format: Format;
}

/** @throws SwiftError PreconditionFailed, NotImplemented */
export function readListParameters({ request }: SwiftContext): ListParameters {
  const { params, http } = request;
  const text = (name: string) => params.get(name) ?? '';
  const limit = params.has('limit') ? Number(text('limit')) : MAX_LIMIT;
  if (!Number.isInteger(limit) || limit < 0 || limit > MAX_LIMIT) {
    throw new SwiftError('PreconditionFailed', `limit is a number up to ${MAX_LIMIT}`);
  }
  if (/^(true|1|yes|on)$/i.test(text('reverse'))) throw new SwiftError('NotImplemented', 'Lists are not reversed');
  const path = params.get('path');
  const prefix = path === undefined ? text('prefix') : path === '' ? '' : `${path.replace(/\/$/, '')}/`;
  const delimiter = path === undefined ? text('delimiter') : '/';
  return {
    limit,
    marker: text('marker'),
    endMarker: text('end_marker'),
    prefix,
    delimiter,
    format: readFormat(text('format'), http.headers.get('accept') ?? ''),
  };
}

function readFormat(asked: string, accept: string): Format {
  if (asked === 'json' || asked === 'xml' || asked === 'plain') return asked;
  if (/application\/json/.test(accept)) return 'json';
  return /(application|text)\/xml/.test(accept) ? 'xml' : 'plain';
}

/** Fields of an entry in the order in which they are written; names and texts are raw. */
export interface ListEntry {
  readonly element: string;
  readonly fields: readonly (readonly [name: string, value: RawString | number])[];
  /** In XML: a prefix is an element with a name of its own. */
  readonly subdir?: RawString;
}

export function listResponse(
  format: Format,
  root: { readonly element: string; readonly name: RawString },
  entries: readonly ListEntry[],
  headers: SwiftHeaders,
): HttpResponse {
  const body = bodyOf(format, root, entries);
  const status = format === 'plain' && entries.length === 0 ? 204 : 200;
  return { status, headers: [...headers, ['Content-Type', TYPES[format]]], body };
}

function bodyOf(
  format: Format,
  root: { readonly element: string; readonly name: RawString },
  entries: readonly ListEntry[],
): Bytes {
  switch (format) {
    case 'json':
      return utf8(JSON.stringify(entries.map(jsonOf)));
    case 'xml':
      return xmlDocument(element(root.element, entries.map(xmlOf), [['name', root.name]]));
    default:
      return bytesFromRaw(entries.map(({ fields }) => `${fields[0]![1]}\n`).join(''));
  }
}

function jsonOf({ fields }: ListEntry): Record<string, string | number> {
  return Object.fromEntries(
    fields.map(([name, value]) => [name, typeof value === 'string' ? textFromRaw(value) : value]),
  );
}

function xmlOf({ element: name, fields, subdir }: ListEntry): XmlNode {
  if (subdir !== undefined) return element('subdir', [element('name', subdir)], [['name', subdir]]);
  return element(
    name,
    fields.map(([field, value]) => element(field, value)),
  );
}
