import { S3Client } from '@aws-sdk/client-s3';

/** A client of a gateway that each request is sent to once, without what radosgw 16.2 does not know: checksums in trailers. */
export function s3Of(endpoint: string, key: { readonly accessKey: string; readonly secret: string }): S3Client {
  return new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    credentials: { accessKeyId: key.accessKey, secretAccessKey: key.secret },
  });
}
