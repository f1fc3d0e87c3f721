import type { Bytes } from '@spirula/encoding';
import { UploadChecks } from '../checksums.ts';
import { readShortBody } from '../xml-reader.ts';
import type { OperationContext } from './operation.ts';

/**
 * The document that a request brings, if it is what its digests say (`Content-MD5`, `x-amz-checksum-...`).
 *
 * @throws S3Error EntityTooLarge, InvalidDigest, BadDigest, InvalidRequest
 */
export async function readDocument({ request, auth, crypto }: OperationContext, limit?: number): Promise<Bytes> {
  const checks = new UploadChecks(crypto, request.http.headers, { trailers: auth.trailers });
  const document = await readShortBody(checks.passing(auth.body), limit);
  const md5 = crypto.hasher('md5');
  md5.update(document);
  checks.finish(md5.digest());
  return document;
}
