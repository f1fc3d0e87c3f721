/** Where the log of a bucket's requests is to go: the document. */
import type { Bytes } from '@spirula/encoding';
import type { LoggingTarget } from '../../formats/logging.ts';
import { s3Error } from '../s3-errors.ts';
import { childNamed, neededText, readXml } from '../xml-reader.ts';
import { element, s3Root, xmlDocument } from '../xml-writer.ts';

/** Undefined: nowhere. */
export function bucketLoggingStatus(target: LoggingTarget | undefined): Bytes {
  const fields = target && [element('TargetBucket', target.bucket), element('TargetPrefix', target.prefix)];
  return xmlDocument(s3Root('BucketLoggingStatus', fields ? [element('LoggingEnabled', fields)] : []));
}

const UNDERSTOOD = ['TargetBucket', 'TargetPrefix'];

/** Undefined: nowhere, from now on. @throws S3Error MalformedXML; NotImplemented for who may read logs, and how they are named */
export function readBucketLoggingStatus(document: Bytes): LoggingTarget | undefined {
  const enabled = childNamed(readXml(document, 'BucketLoggingStatus'), 'LoggingEnabled');
  if (!enabled) return undefined;
  const other = enabled.children.find(({ name }) => !UNDERSTOOD.includes(name));
  if (other) throw s3Error('NotImplemented', `${other.name} is not supported`);
  return { bucket: neededText(enabled, 'TargetBucket'), prefix: neededText(enabled, 'TargetPrefix') };
}
