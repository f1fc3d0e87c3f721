import { s3Error } from '../s3-errors.ts';
import type { S3Request } from '../s3-request.ts';

/** What changes the meaning of a request, and is not understood here: it is refused, never passed over. */
const UNSUPPORTED = ['x-amz-mfa', 'x-amz-write-offset-bytes'];

/** @throws S3Error NotImplemented */
export function refuseUnsupported({ http }: S3Request): void {
  for (const name of http.headers.keys()) {
    if (UNSUPPORTED.some((each) => name.startsWith(each))) throw s3Error('NotImplemented', name);
  }
}
