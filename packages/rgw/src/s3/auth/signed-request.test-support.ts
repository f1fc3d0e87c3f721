/** Requests for tests: bodies in pieces, a gateway's clock, one user. */
import { type Bytes, concatBytes, type UTime } from '@spirula/encoding';
import type { Crypto } from '@spirula/world';
import type { HttpRequest } from '../../http.ts';
import { S3Error } from '../s3-error.ts';
import { parseS3Request, type S3Request } from '../s3-request.ts';
import type { AuthenticationContext } from './authenticate.ts';

/** The key pair of AWS's documentation. */
export const exampleKey = { accessKey: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };

export async function* inPieces(bytes: Bytes, size = bytes.length): AsyncGenerator<Bytes> {
  for (let at = 0; at < bytes.length; at += Math.max(size, 1)) yield bytes.subarray(at, at + Math.max(size, 1));
}

export function s3Request(
  method: string,
  target: string,
  headers: Record<string, string>,
  body: AsyncIterable<Bytes> = inPieces(new Uint8Array(0)),
): S3Request {
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const http: HttpRequest = { method, target, headers: lower, body, secure: false, remoteAddr: '127.0.0.1' };
  return parseS3Request(http, { dnsNames: ['s3.amazonaws.com'] });
}

/** A gateway that knows the example key, at a time in seconds. */
export function contextAt(crypto: Crypto, sec: number): AuthenticationContext {
  const now: UTime = { sec, nsec: 0 };
  return {
    crypto,
    wall: () => now,
    findSecret: async (accessKey) => (accessKey === exampleKey.accessKey ? { secret: exampleKey.secret } : undefined),
  };
}

export async function readAll(body: AsyncIterable<Bytes>): Promise<Bytes> {
  const pieces: Bytes[] = [];
  for await (const piece of body) pieces.push(piece);
  return concatBytes(pieces);
}

/** The code of the S3Error that `run` ends with; `accepted` when it ends well. Anything else that is thrown goes on. */
export async function outcomeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
  return 'accepted';
}
