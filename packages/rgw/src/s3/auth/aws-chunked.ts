/**
 * Bodies in `aws-chunked` form (x-amz-content-sha256: STREAMING-...): chunks with their lengths, each signed or none, and trailers.
 *
 *   10000;chunk-signature=ad80c7...\r\n   <65536 bytes>\r\n        signed: each signature covers the one before
 *   0;chunk-signature=b6c6ea...\r\n
 *   x-amz-checksum-crc32c:sOO8/Q==\r\n                             only with trailers
 *   x-amz-trailer-signature:63bddb...\r\n                          only with trailers that are signed
 *   \r\n
 *
 * What comes is handed on as it comes, uncopied, except that the last piece of a signed chunk waits until the signature of the
 * chunk is known to be right. So nothing is ever complete that was changed on its way.
 *
 * Source: AWS, "Signature calculations for the Authorization header: transferring payload in multiple chunks", and the same "including
 * trailing headers".
 */
import { type Bytes, bytesFromRaw, EMPTY, toHex } from '@spirula/encoding';
import type { Crypto } from '@spirula/world';
import { s3Error } from '../s3-errors.ts';
import { BodyReader } from './body-reader.ts';

/** What the signatures of chunks start from: the signature of the request's head, and how it was made. */
export interface ChunkSeed {
  readonly signingKey: Bytes;
  /** `20130524T000000Z` */
  readonly date: string;
  /** `20130524/us-east-1/s3/aws4_request` */
  readonly scope: string;
  readonly signature: string;
}

export interface ChunkedForm {
  /** Undefined: chunks are not signed. */
  readonly seed: ChunkSeed | undefined;
  readonly hasTrailers: boolean;
  /** x-amz-decoded-content-length. */
  readonly decodedLength: number;
}

const MAX_LINE = 4096;
const MAX_TRAILERS = 16;

export class AwsChunkedBody {
  readonly #crypto: Crypto;
  readonly #reader: BodyReader;
  readonly #form: ChunkedForm;
  readonly #trailers = new Map<string, string>();
  /** The signature before the one that is checked next. */
  #previous: string;
  #decoded = 0;

  constructor(crypto: Crypto, body: AsyncIterable<Bytes>, form: ChunkedForm) {
    this.#crypto = crypto;
    this.#reader = new BodyReader(body);
    this.#form = form;
    this.#previous = form.seed?.signature ?? '';
  }

  /** Known when the data has ended; names in lower case. */
  get trailers(): ReadonlyMap<string, string> {
    return this.#trailers;
  }

  /**
   * The data, once.
   *
   * @throws S3Error InvalidRequest (framing), IncompleteBody (ends early, or is not of its decoded length), SignatureDoesNotMatch
   */
  async *data(): AsyncGenerator<Bytes> {
    try {
      for (;;) {
        const { length, signature } = parseHead(await this.#reader.line(MAX_LINE), this.#form.seed !== undefined);
        this.#decoded += length;
        if (this.#decoded > this.#form.decodedLength) throw s3Error('IncompleteBody', 'More came than was announced');
        yield* this.#chunk(length, signature);
        if (length === 0) break;
        if ((await this.#reader.line(2)) !== '') throw badFraming();
      }
      if (this.#decoded !== this.#form.decodedLength) throw s3Error('IncompleteBody', 'Less came than was announced');
      await this.#end();
    } finally {
      await this.#reader.close();
    }
  }

  /** One chunk's data; the last piece only once the signature is checked. */
  async *#chunk(length: number, signature: string): AsyncGenerator<Bytes> {
    const hasher = this.#form.seed && this.#crypto.hasher('sha256');
    let left = length;
    let last = EMPTY;
    while (left > 0) {
      const piece = await this.#reader.some(left);
      if (piece === undefined) throw s3Error('IncompleteBody');
      hasher?.update(piece);
      left -= piece.length;
      if (left > 0) yield piece;
      else last = piece;
    }
    if (hasher) this.#check('AWS4-HMAC-SHA256-PAYLOAD', [EMPTY_SHA256, toHex(hasher.digest())], signature);
    if (last.length > 0) yield last;
  }

  async #end(): Promise<void> {
    const signed = this.#form.seed !== undefined && this.#form.hasTrailers;
    let signature: string | undefined;
    for (let count = 0; ; count++) {
      if (count > MAX_TRAILERS) throw s3Error('InvalidRequest', 'There are too many trailers');
      const line = await this.#endLine();
      // AWS's examples have an empty line before the signature, too.
      if (line === '' && signed && signature === undefined) continue;
      if (line === undefined || line === '') break;
      const at = line.indexOf(':');
      if (!this.#form.hasTrailers || at <= 0 || signature !== undefined) throw badFraming();
      const name = line.slice(0, at).trim().toLowerCase();
      const value = line.slice(at + 1).trim();
      if (name === 'x-amz-trailer-signature') signature = value;
      else this.#trailers.set(name, value);
    }
    if (signed) this.#checkTrailers(signature ?? '');
    if ((await this.#reader.some(1)) !== undefined) throw badFraming();
  }

  /** Undefined at the end of the body: some clients leave out the empty line after the last chunk or trailer. */
  async #endLine(): Promise<string | undefined> {
    const first = await this.#reader.some(1);
    if (first === undefined) return undefined;
    this.#reader.unread(first);
    return this.#reader.line(MAX_LINE);
  }

  #checkTrailers(signature: string): void {
    let canonical = '';
    for (const [name, value] of this.#trailers) canonical += `${name}:${value}\n`;
    const digest = toHex(this.#crypto.hash('sha256', bytesFromRaw(canonical)));
    this.#check('AWS4-HMAC-SHA256-TRAILER', [digest], signature);
  }

  #check(algorithm: string, digests: readonly string[], signature: string): void {
    const { signingKey, date, scope } = this.#form.seed!;
    const toSign = [algorithm, date, scope, this.#previous, ...digests].join('\n');
    const own = toHex(this.#crypto.hmac('sha256', signingKey, bytesFromRaw(toSign)));
    if (!this.#crypto.timingSafeEqual(bytesFromRaw(own), bytesFromRaw(signature)))
      throw s3Error('SignatureDoesNotMatch');
    this.#previous = own;
  }
}

const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function badFraming(): Error {
  return s3Error('InvalidRequest', 'The chunks of the body are malformed');
}

/** `hexadecimal length[;chunk-signature=64 digits]` */
function parseHead(line: string, signed: boolean): { length: number; signature: string } {
  const match = /^([0-9A-Fa-f]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
  if (!match || (match[2] !== undefined) !== signed) throw badFraming();
  return { length: Number.parseInt(match[1]!, 16), signature: match[2] ?? '' };
}
