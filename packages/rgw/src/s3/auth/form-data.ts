/**
 * `multipart/form-data` (RFC 7578) as browsers post it to S3: short fields, and one file, which is handed on while it comes.
 *
 *   --boundary\r\n   Content-Disposition: form-data; name="key"\r\n   \r\n   value   \r\n
 *   --boundary\r\n   Content-Disposition: form-data; name="file"; filename="x"\r\n   \r\n   data ...   \r\n
 *   --boundary--\r\n
 *
 * Fields behind the file are not looked at, as in S3; in Swift other files may follow.
 */
import { type Bytes, bytesFromRaw, concatBytes, EMPTY, type RawString, rawFromBytes } from '@spirula/encoding';
import { s3Error } from '../s3-errors.ts';
import { BodyReader } from './body-reader.ts';

export interface FormFile {
  /** As the client calls it; '' when it does not. */
  readonly fileName: RawString;
  /** Of the file's own header. */
  readonly fileType: RawString | undefined;
  /** The file, once. @throws S3Error IncompleteBody when the form ends inside it. */
  readonly file: AsyncIterable<Bytes>;
}

export interface FormData extends FormFile {
  /** Those before the file. Names in lower case. */
  readonly fields: ReadonlyMap<string, RawString>;
  /** For who will not read the file: whoever sends may stop. */
  close(): Promise<void>;
}

export interface FormWithFiles {
  /** Those before the first file. Names in lower case. */
  readonly fields: ReadonlyMap<string, RawString>;
  /** Each is to be read to its end before the next. @throws S3Error */
  readonly files: AsyncIterable<FormFile>;
  close(): Promise<void>;
}

/** All that comes before the file, together. */
const MAX_FIELDS_BYTES = 1 << 20;
const MAX_LINE = 8192;
const MAX_BOUNDARY = 200;

/**
 * A form with one file, which is called so.
 *
 * @throws S3Error InvalidArgument, MalformedPOSTRequest, MaxPostPreDataLengthExceededError, IncompleteBody
 */
export async function readFormData(contentType: string, body: AsyncIterable<Bytes>): Promise<FormData> {
  const { reader, delimiter, fields, first } = await openForm(contentType, body, ({ name }) => name === 'file');
  return { fields, ...fileOf(first, dataUntil(reader, delimiter)), close: () => reader.close() };
}

/** A form with any number of files: parts that have the name of a file. @throws S3Error as `readFormData` */
export async function readFormWithFiles(contentType: string, body: AsyncIterable<Bytes>): Promise<FormWithFiles> {
  const isFile = ({ fileName }: PartHead) => fileName !== undefined;
  const { reader, delimiter, fields, first } = await openForm(contentType, body, isFile);
  async function* files(): AsyncGenerator<FormFile> {
    for (let part = first; isFile(part); part = await readPartHead(reader)) {
      yield fileOf(part, untilDelimiter(reader, delimiter));
      if ((await reader.lastLine(MAX_LINE))?.trim() !== '') return;
    }
  }
  return { fields, files: files(), close: () => reader.close() };
}

/** Whether a form is sent. */
export function isFormData(contentType: string): boolean {
  const { value, params } = parseParameters(contentType);
  return value.toLowerCase() === 'multipart/form-data' && (params.get('boundary') ?? '') !== '';
}

function fileOf({ fileName = '', type }: PartHead, file: AsyncIterable<Bytes>): FormFile {
  return { fileName, fileType: type, file };
}

interface OpenForm {
  readonly reader: BodyReader;
  readonly delimiter: Bytes;
  readonly fields: ReadonlyMap<string, RawString>;
  /** The first part that is a file: its data come next. */
  readonly first: PartHead;
}

async function openForm(
  contentType: string,
  body: AsyncIterable<Bytes>,
  isFile: (part: PartHead) => boolean,
): Promise<OpenForm> {
  const { value, params } = parseParameters(contentType);
  if (value.toLowerCase() !== 'multipart/form-data') {
    throw s3Error('InvalidArgument', 'The Content-Type must be multipart/form-data');
  }
  const boundary = params.get('boundary') ?? '';
  if (boundary === '' || boundary.length > MAX_BOUNDARY) {
    throw s3Error('InvalidArgument', 'The Content-Type must give a boundary');
  }
  const reader = new BodyReader(body);
  try {
    return await readFields(reader, boundary, isFile);
  } catch (error) {
    await reader.close();
    throw error;
  }
}

async function readFields(
  reader: BodyReader,
  boundary: string,
  isFile: (part: PartHead) => boolean,
): Promise<OpenForm> {
  const delimiter = bytesFromRaw(`\r\n--${boundary}`).slice();
  const fields = new Map<string, RawString>();
  let room = MAX_FIELDS_BYTES;
  if ((await reader.line(MAX_LINE)).trimEnd() !== `--${boundary}`) throw malformedForm();
  for (;;) {
    const part = await readPartHead(reader);
    room -= part.headBytes;
    if (isFile(part)) return { reader, delimiter, fields, first: part };
    const pieces: Bytes[] = [];
    for await (const piece of untilDelimiter(reader, delimiter)) {
      room -= piece.length;
      if (room < 0) throw s3Error('MaxPostPreDataLengthExceededError');
      pieces.push(piece);
    }
    if (room < 0) throw s3Error('MaxPostPreDataLengthExceededError');
    fields.set(part.name, rawFromBytes(concatBytes(pieces)));
    // Behind the delimiter: nothing, and another part follows; or `--`, and there is no file.
    if ((await reader.line(MAX_LINE)).trim() !== '') throw malformedForm();
  }
}

interface PartHead {
  /** In lower case. */
  readonly name: string;
  /** Undefined: it is no file. */
  readonly fileName: RawString | undefined;
  readonly type: RawString | undefined;
  readonly headBytes: number;
}

async function readPartHead(reader: BodyReader): Promise<PartHead> {
  const headers = new Map<string, string>();
  let headBytes = 0;
  for (let line = await reader.line(MAX_LINE); line !== ''; line = await reader.line(MAX_LINE)) {
    headBytes += line.length;
    const at = line.indexOf(':');
    if (at <= 0 || headBytes > 4 * MAX_LINE) throw malformedForm();
    headers.set(line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim());
  }
  const { params } = parseParameters(headers.get('content-disposition') ?? '');
  const name = params.get('name');
  if (name === undefined) throw malformedForm();
  return {
    name: name.toLowerCase(),
    fileName: params.get('filename'),
    type: headers.get('content-type'),
    headBytes,
  };
}

function malformedForm(): Error {
  return s3Error('MalformedPOSTRequest');
}

/** `form-data; name="a;b"; filename=x` */
function parseParameters(text: string): { readonly value: string; readonly params: ReadonlyMap<string, string> } {
  const [, value, rest] = /^([^;]*)(.*)$/s.exec(text) as unknown as [string, string, string];
  const params = new Map<string, string>();
  for (const [, name, quoted, plain] of rest.matchAll(/;\s*([^=;"\s]+)\s*=\s*(?:"([^"]*)"|([^;"]*))/g)) {
    params.set(name!.toLowerCase(), quoted ?? plain!.trim());
  }
  return { value: value.trim(), params };
}

/** The file; whoever stops reading it early ends the body, too. */
async function* dataUntil(reader: BodyReader, delimiter: Bytes): AsyncGenerator<Bytes> {
  try {
    yield* untilDelimiter(reader, delimiter);
  } finally {
    await reader.close();
  }
}

const READ_BYTES = 1 << 20;

/** What comes before the next delimiter, which is taken, too. Copies only what lies on the seam of two pieces. */
async function* untilDelimiter(reader: BodyReader, delimiter: Bytes): AsyncGenerator<Bytes> {
  let held = EMPTY;
  for (;;) {
    const piece = await reader.some(READ_BYTES);
    if (piece === undefined) throw s3Error('IncompleteBody');
    const joined = held.length === 0 ? piece : concatBytes([held, piece]);
    const at = findDelimiter(joined, delimiter);
    if (at >= 0) {
      reader.unread(joined.subarray(at + delimiter.length));
      if (at > 0) yield joined.subarray(0, at);
      return;
    }
    const keep = prefixAtEnd(joined, delimiter);
    held = joined.subarray(joined.length - keep);
    if (joined.length > keep) yield joined.subarray(0, joined.length - keep);
  }
}

function findDelimiter(bytes: Bytes, delimiter: Bytes): number {
  for (let at = bytes.indexOf(delimiter[0]!); at >= 0; at = bytes.indexOf(delimiter[0]!, at + 1)) {
    if (at + delimiter.length > bytes.length) return -1;
    let same = 1;
    while (same < delimiter.length && bytes[at + same] === delimiter[same]) same++;
    if (same === delimiter.length) return at;
  }
  return -1;
}

/** How many bytes at the end may be the beginning of a delimiter. */
function prefixAtEnd(bytes: Bytes, delimiter: Bytes): number {
  for (let length = Math.min(delimiter.length - 1, bytes.length); length > 0; length--) {
    let same = 0;
    while (same < length && bytes[bytes.length - length + same] === delimiter[same]) same++;
    if (same === length) return length;
  }
  return 0;
}
