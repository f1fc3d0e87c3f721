/** What clients upload: no more than may be, no less than they said. */
import { s3Error } from '../s3-errors.ts';
import type { OperationContext } from './operation.ts';

/** rgw_max_put_size */
const MAX_PUT_BYTES = 5 * 1024 ** 3;

/** @throws S3Error EntityTooLarge */
export function requireSize(bytes: number): void {
  if (bytes > MAX_PUT_BYTES) throw s3Error('EntityTooLarge');
}

/**
 * What is uploaded: as long as it was said, or, when it comes in chunks (RFC 7230, 4.1), of a length that nobody said.
 *
 * @throws S3Error MissingContentLength, EntityTooLarge
 */
export function uploadBody({ request, auth }: OperationContext): AsyncIterable<Uint8Array> {
  const { decodedLength } = auth;
  const inChunks = request.http.headers.get('transfer-encoding')?.trim().toLowerCase() === 'chunked';
  if (decodedLength === undefined && !inChunks) throw s3Error('MissingContentLength');
  requireSize(decodedLength ?? 0);
  return counted(auth.body, decodedLength);
}

/** A body that must be as long as was said, if it was. @throws S3Error IncompleteBody, EntityTooLarge */
export async function* counted(
  body: AsyncIterable<Uint8Array>,
  announced?: number | undefined,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (announced !== undefined && size > announced) break;
    requireSize(size);
    yield chunk;
  }
  if (announced !== undefined && size !== announced) throw s3Error('IncompleteBody');
}
