/** What actions of IAM are answered: XML without a declaration or namespace, as radosgw's. */
import type { HttpResponse } from '../http.ts';
import { type OperationContext, xmlResponse } from '../s3/operations/operation.ts';
import { element, plainDocument, type XmlNode } from '../s3/xml-writer.ts';

/** `XResponse` of `XResult` and `ResponseMetadata`; radosgw has the metadata first in some answers. */
export function actionResponse(
  { requestId }: OperationContext,
  name: string,
  result?: readonly XmlNode[],
  metadata: 'first' | 'last' = 'first',
): HttpResponse {
  const about = element('ResponseMetadata', [element('RequestId', requestId)]);
  const given = result && element(`${name}Result`, result);
  const parts = metadata === 'first' ? [about, given] : [given, about];
  return xmlResponse(plainDocument(element(`${name}Response`, parts)));
}
