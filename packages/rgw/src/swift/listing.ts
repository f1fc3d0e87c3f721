/** Lists of containers and objects: as text, JSON or XML. */
import { type Bytes, bytesFromRaw, type RawString, textFromRaw, utf8 } from '@spirula/encoding';
import type { HttpResponse } from '../http.ts';
import { element, type XmlNode, xmlDocument } from '../s3/xml-writer.ts';
import type { SwiftContext, SwiftHeaders } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';
import type { SwiftRequest } from './swift-request.ts';

export const MAX_LIMIT = 10_000;
export const TYPES = {
  plain: 'text/plain; charset=utf-8',
  json: 'application/json; charset=utf-8',
  xml: 'application/xml; charset=utf-8',
} as const;
export type Format = keyof typeof TYPES;

export interface ListParameters {
  readonly limit: number;
  readonly marker: RawString;
  /** '': none. */
  readonly endMarker: RawString;
  readonly prefix: RawString;
  readonly delimiter: RawString;
  /** '': none was given. What it names is in front of the list, and not in it. */
  readonly path: RawString;
  readonly format: Format;
}

/** Of containers. @throws SwiftError BadRequest, PreconditionFailed */
export function readAccountParameters({ request }: SwiftContext): ListParameters & { readonly isReversed: boolean } {
  const { params } = request;
  const text = (name: string) => params.get(name) ?? '';
  const limit = readLimit(text('limit'));
  if (limit < 0 || limit > MAX_LIMIT)
    throw new SwiftError('PreconditionFailed', `limit is a number up to ${MAX_LIMIT}`);
  const isReversed = params.has('reverse');
  const [marker, endMarker] = isReversed ? [text('end_marker'), text('marker')] : [text('marker'), text('end_marker')];
  const format = readFormat(request);
  return { limit, marker, endMarker, prefix: text('prefix'), delimiter: '', path: '', format, isReversed };
}

/** Of objects. `reverse` says nothing here, as in radosgw. @throws SwiftError BadRequest */
export function readListParameters({ request }: SwiftContext): ListParameters {
  const { params } = request;
  const text = (name: string) => params.get(name) ?? '';
  const limit = Math.min(MAX_LIMIT, Math.max(0, readLimit(text('limit'))));
  const given = params.get('path');
  if (given !== undefined && (text('prefix') !== '' || text('delimiter') !== '')) {
    throw new SwiftError('BadRequest', 'path says prefix and delimiter already');
  }
  const path = given === undefined || given === '' ? '' : `${given.replace(/\/$/, '')}/`;
  return {
    limit,
    marker: text('marker'),
    endMarker: text('end_marker'),
    prefix: given === undefined ? text('prefix') : path,
    delimiter: given === undefined ? text('delimiter') : '/',
    path,
    format: readFormat(request),
  };
}

/** As many as there may be, when none is given. @throws SwiftError BadRequest */
function readLimit(text: string): number {
  if (text === '') return MAX_LIMIT;
  if (!/^[+-]?\d{1,15}$/.test(text)) throw new SwiftError('BadRequest', 'limit is a number');
  return Number(text);
}

/** What an answer is to be written in. */
export function readFormat({ params, http }: SwiftRequest): Format {
  const asked = params.get('format');
  if (asked === 'json' || asked === 'xml' || asked === 'plain') return asked;
  const accept = http.headers.get('accept') ?? '';
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
  isEmpty = entries.length === 0,
): HttpResponse {
  const body = bodyOf(format, root, entries);
  const status = format === 'plain' && isEmpty ? 204 : 200;
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
      return bytesFromRaw(entries.map(({ fields }) => fields[0]![1]).join('\n'));
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
