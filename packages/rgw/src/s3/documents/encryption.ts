/** How new objects of a bucket are encrypted: the document. */
import type { Bytes } from '@spirula/encoding';
import type { BucketEncryption } from '../../formats/bucket-encryption.ts';
import { childNamed, childrenNamed, childText, malformed, neededText, readXml } from '../xml-reader.ts';
import { element, s3Root, xmlDocument } from '../xml-writer.ts';

export function serverSideEncryptionConfiguration({ algorithm, keyId, bucketKey }: BucketEncryption): Bytes {
  return xmlDocument(
    s3Root('ServerSideEncryptionConfiguration', [
      element('Rule', [
        element('ApplyServerSideEncryptionByDefault', [
          element('SSEAlgorithm', algorithm),
          keyId === '' ? undefined : element('KMSMasterKeyID', keyId),
        ]),
        element('BucketKeyEnabled', String(bucketKey)),
      ]),
    ]),
  );
}

/** @throws S3Error MalformedXML */
export function readServerSideEncryptionConfiguration(document: Bytes): BucketEncryption {
  const rules = childrenNamed(readXml(document, 'ServerSideEncryptionConfiguration'), 'Rule');
  const [rule] = rules;
  if (rule === undefined || rules.length > 1) throw malformed('there must be one Rule');
  const apply = childNamed(rule, 'ApplyServerSideEncryptionByDefault');
  if (apply === undefined) throw malformed('a Rule needs ApplyServerSideEncryptionByDefault');
  const algorithm = neededText(apply, 'SSEAlgorithm');
  const keyId = childText(apply, 'KMSMasterKeyID') ?? '';
  if (algorithm !== 'AES256' && algorithm !== 'aws:kms') throw malformed('SSEAlgorithm is AES256 or aws:kms');
  if ((algorithm === 'aws:kms') !== (keyId !== '')) throw malformed('KMSMasterKeyID goes with aws:kms');
  return { algorithm, keyId, bucketKey: childText(rule, 'BucketKeyEnabled') === 'true' };
}
