/** Whose the objects of a bucket are: the document. */
import type { Bytes } from '@spirula/encoding';
import { OWNERSHIPS, type Ownership } from '../../formats/ownership.ts';
import { childrenNamed, malformed, neededText, readXml } from '../xml-reader.ts';
import { element, s3Root, xmlDocument } from '../xml-writer.ts';

export function ownershipControls(ownership: Ownership): Bytes {
  return xmlDocument(s3Root('OwnershipControls', [element('Rule', [element('ObjectOwnership', ownership)])]));
}

/** @throws S3Error MalformedXML */
export function readOwnershipControls(document: Bytes): Ownership {
  const [rule, ...others] = childrenNamed(readXml(document, 'OwnershipControls'), 'Rule');
  if (rule === undefined || others.length > 0) throw malformed('there must be one Rule');
  const text = neededText(rule, 'ObjectOwnership');
  const ownership = OWNERSHIPS.find((each) => each === text);
  if (ownership === undefined) throw malformed(`ObjectOwnership is one of ${OWNERSHIPS.join(', ')}`);
  return ownership;
}
