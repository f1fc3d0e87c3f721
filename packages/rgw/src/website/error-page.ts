/** A page that says what is wrong, as radosgw's (HTMLFormatter). */
import { type Bytes, bytesFromRaw, rawFromText } from '@spirula/encoding';
import type { S3Error } from '../s3/s3-error.ts';
import type { ErrorContext } from '../s3/s3-errors.ts';
import { element } from '../s3/xml-writer.ts';

const phrases = new Map([
  [400, 'Bad Request'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [412, 'Precondition Failed'],
  [416, 'Requested Range Not Satisfiable'],
  [500, 'Internal Server Error'],
  [503, 'Service Unavailable'],
]);

export function errorPage({ status, code, message }: S3Error, { bucket, requestId, hostId }: ErrorContext): Bytes {
  const title = `${status} ${phrases.get(status) ?? ''}`.trim();
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Code', code],
    ['Message', rawFromText(message)],
    ['BucketName', bucket],
    ['RequestId', requestId],
    ['HostId', hostId],
  ];
  const items = facts
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `   ${element('li', `${name}: ${value}`).xml}\n`);
  return bytesFromRaw(
    `<html>\n <head>${element('title', title).xml}</head>\n <body>\n  ${element('h1', title).xml}\n` +
      `  <ul>\n${items.join('')}  </ul>\n </body>\n</html>\n`,
  );
}
