/** Small documents about a bucket: where it is, whether it keeps versions, and who pays. */
import type { Bytes, RawString } from '@spirula/encoding';
import { childText, malformed, readXml } from '../xml-reader.ts';
import { element, s3Root, xmlDocument } from '../xml-writer.ts';

/** Of `GET ?location`; '' where the zonegroup has no name for the API. */
export function locationConstraint(location: RawString): Bytes {
  return xmlDocument(s3Root('LocationConstraint', location));
}

/** Of the creation of a bucket: the location that is asked for, undefined: none. @throws S3Error MalformedXML */
export function readCreateBucketConfiguration(document: Bytes): RawString | undefined {
  if (document.length === 0) return undefined;
  const location = childText(readXml(document, 'CreateBucketConfiguration'), 'LocationConstraint')?.trim();
  return location === '' ? undefined : location;
}

export interface VersioningConfiguration {
  /** Undefined: it was never set. */
  readonly status: 'Enabled' | 'Suspended' | undefined;
  readonly mfaDelete: 'Enabled' | 'Disabled' | undefined;
}

/** radosgw tells MfaDelete whenever it tells a status. */
export function versioningConfiguration({ status, mfaDelete }: VersioningConfiguration): Bytes {
  const told = status === undefined ? [] : [element('Status', status), element('MfaDelete', mfaDelete ?? 'Disabled')];
  return xmlDocument(s3Root('VersioningConfiguration', told));
}

/** @throws S3Error MalformedXML */
export function readVersioningConfiguration(
  document: Bytes,
): VersioningConfiguration & { readonly status: 'Enabled' | 'Suspended' } {
  const root = readXml(document, 'VersioningConfiguration');
  const status = childText(root, 'Status');
  const mfaDelete = childText(root, 'MfaDelete');
  if (status !== 'Enabled' && status !== 'Suspended') throw malformed('Status must be Enabled or Suspended');
  if (mfaDelete !== undefined && mfaDelete !== 'Enabled' && mfaDelete !== 'Disabled') {
    throw malformed('MfaDelete must be Enabled or Disabled');
  }
  return { status, mfaDelete };
}

export function requestPaymentConfiguration(payer: 'BucketOwner' | 'Requester'): Bytes {
  return xmlDocument(s3Root('RequestPaymentConfiguration', [element('Payer', payer)]));
}

/** @throws S3Error MalformedXML */
export function readRequestPaymentConfiguration(document: Bytes): 'BucketOwner' | 'Requester' {
  const payer = childText(readXml(document, 'RequestPaymentConfiguration'), 'Payer');
  if (payer !== 'BucketOwner' && payer !== 'Requester') throw malformed('Payer must be BucketOwner or Requester');
  return payer;
}
