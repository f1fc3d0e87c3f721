/** What of a bucket may be public: the documents of public access blocks and of a policy's status. */
import type { Bytes } from '@spirula/encoding';
import type { PublicAccessBlock } from '../../formats/public-access.ts';
import { childText, malformed, readXml, type XmlElement } from '../xml-reader.ts';
import { element, s3Root, xmlDocument } from '../xml-writer.ts';

export function publicAccessBlockConfiguration(block: PublicAccessBlock): Bytes {
  return xmlDocument(
    s3Root('PublicAccessBlockConfiguration', [
      element('BlockPublicAcls', String(block.blockPublicAcls)),
      element('IgnorePublicAcls', String(block.ignorePublicAcls)),
      element('BlockPublicPolicy', String(block.blockPublicPolicy)),
      element('RestrictPublicBuckets', String(block.restrictPublicBuckets)),
    ]),
  );
}

/** What it does not say is false. @throws S3Error MalformedXML */
export function readPublicAccessBlockConfiguration(document: Bytes): PublicAccessBlock {
  const root = readXml(document, 'PublicAccessBlockConfiguration');
  return {
    blockPublicAcls: readTruth(root, 'BlockPublicAcls'),
    ignorePublicAcls: readTruth(root, 'IgnorePublicAcls'),
    blockPublicPolicy: readTruth(root, 'BlockPublicPolicy'),
    restrictPublicBuckets: readTruth(root, 'RestrictPublicBuckets'),
  };
}

export function policyStatus(isPublic: boolean): Bytes {
  return xmlDocument(s3Root('PolicyStatus', [element('IsPublic', String(isPublic))]));
}

function readTruth(root: XmlElement, name: string): boolean {
  const text = childText(root, name)?.trim().toLowerCase() ?? 'false';
  if (text !== 'true' && text !== 'false') throw malformed(`${name} is true or false`);
  return text === 'true';
}
