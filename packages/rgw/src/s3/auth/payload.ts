/** Bodies as `x-amz-content-sha256` announces them: plain, with a digest, or in signed or unsigned chunks. */
import { type Bytes, toHex } from '@spirula/encoding';
import type { Crypto } from '@spirula/world';
import type { HttpRequest } from '../../http.ts';
import { s3Error } from '../s3-errors.ts';
import { AwsChunkedBody, type ChunkSeed } from './aws-chunked.ts';

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

export interface DecodedBody {
  readonly body: AsyncIterable<Bytes>;
  readonly decodedLength: number | undefined;
  trailers(): ReadonlyMap<string, string>;
}

const noTrailers: ReadonlyMap<string, string> = new Map();

/**
 * `seed`: of a request that is signed with version 4. Others cannot have signed chunks, and a digest that they give is not looked
 * at, as in radosgw.
 *
 * @throws S3Error
 */
export function decodeBody(
  crypto: Crypto,
  http: HttpRequest,
  seed: ChunkSeed | undefined,
  isSignedV4 = seed !== undefined,
): DecodedBody {
  const declared = http.headers.get('x-amz-content-sha256') ?? UNSIGNED_PAYLOAD;
  const contentLength = lengthOf(http.headers, 'content-length');
  if (declared.startsWith('STREAMING-')) return chunked(crypto, http, declared, seed, isSignedV4);
  const plain = { decodedLength: contentLength, trailers: () => noTrailers };
  if (declared === UNSIGNED_PAYLOAD || !isSignedV4) return { body: http.body, ...plain };
  if (!/^[0-9a-f]{64}$/.test(declared)) {
    throw s3Error('InvalidArgument', 'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING- value, or a digest');
  }
  // Without a body its digest is not looked at: some clients give one of something else (is_v4_payload_empty).
  const mayBeEmpty = (contentLength ?? 0) === 0 && !http.headers.has('transfer-encoding');
  return { body: withDigest(crypto, http.body, declared, mayBeEmpty), ...plain };
}

function chunked(
  crypto: Crypto,
  http: HttpRequest,
  declared: string,
  seed: ChunkSeed | undefined,
  isSignedV4: boolean,
): DecodedBody {
  const decodedLength = lengthOf(http.headers, 'x-amz-decoded-content-length');
  if (decodedLength === undefined) throw s3Error('MissingContentLength');
  const form = chunkedForms.get(declared);
  if (form === undefined) throw s3Error('NotImplemented', `${declared} is not supported`);
  if (form.signed && !isSignedV4) throw s3Error('AccessDenied', 'Signed chunks need a signed request');
  if (form.signed && seed === undefined) {
    throw s3Error('NotImplemented', 'Signed chunks need a secret, which Keystone does not tell');
  }
  const { hasTrailers } = form;
  const body = new AwsChunkedBody(crypto, http.body, {
    seed: form.signed ? seed : undefined,
    hasTrailers,
    decodedLength,
  });
  return { body: body.data(), decodedLength, trailers: () => body.trailers };
}

const chunkedForms: ReadonlyMap<string, { readonly signed: boolean; readonly hasTrailers: boolean }> = new Map([
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', { signed: true, hasTrailers: false }],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', { signed: true, hasTrailers: true }],
  ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', { signed: false, hasTrailers: true }],
]);

function lengthOf(headers: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = headers.get(name);
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text.trim())) throw s3Error('InvalidArgument', `${name} must be a number`);
  return Number(text);
}

async function* withDigest(
  crypto: Crypto,
  body: AsyncIterable<Bytes>,
  declared: string,
  mayBeEmpty: boolean,
): AsyncGenerator<Bytes> {
  const hasher = crypto.hasher('sha256');
  let length = 0;
  for await (const piece of body) {
    hasher.update(piece);
    length += piece.length;
    yield piece;
  }
  if (length === 0 && mayBeEmpty) return;
  if (toHex(hasher.digest()) !== declared) throw s3Error('XAmzContentSHA256Mismatch');
}
