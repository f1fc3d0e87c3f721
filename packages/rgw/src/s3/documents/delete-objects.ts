/** Deletion of many objects at once (rgw_multi_del.cc). */
import type { Bytes, RawString } from '@spirula/encoding';
import type { ExpectedState } from '../conditions.ts';
import { parseHttpDate, parseIsoDate } from '../http-date.ts';
import { childrenNamed, childText, malformed, neededText, readXml, type XmlElement } from '../xml-reader.ts';
import { element, s3Root, type XmlNode, xmlDocument } from '../xml-writer.ts';

/** rgw_delete_multi_obj_max_num. */
const MAX_OBJECTS = 1000;

interface ObjectToDelete {
  readonly key: RawString;
  /** Undefined: the current one. */
  readonly versionId: RawString | undefined;
  readonly expected: ExpectedState;
}

export interface DeleteRequest {
  /** Only failures are told. */
  readonly quiet: boolean;
  readonly objects: readonly ObjectToDelete[];
}

/** @throws S3Error MalformedXML, also when it lists no object, or more than 1000. */
export function readDelete(document: Bytes): DeleteRequest {
  const root = readXml(document, 'Delete');
  const objects = childrenNamed(root, 'Object').map((object) => {
    const key = neededText(object, 'Key');
    if (key === '') throw malformed('Key must not be empty');
    const versionId = childText(object, 'VersionId');
    return { key, versionId: versionId === '' ? undefined : versionId, expected: readExpected(object) };
  });
  if (objects.length === 0 || objects.length > MAX_OBJECTS) throw malformed(`it must list 1 to ${MAX_OBJECTS} objects`);
  return { quiet: childText(root, 'Quiet')?.trim().toLowerCase() === 'true', objects };
}

/** @throws S3Error MalformedXML */
function readExpected(object: XmlElement): ExpectedState {
  const time = childText(object, 'LastModifiedTime');
  const modified = time === undefined ? undefined : (parseIsoDate(time)?.sec ?? parseHttpDate(time));
  const size = childText(object, 'Size')?.trim();
  if (time !== undefined && modified === undefined) throw malformed('LastModifiedTime must be a time');
  if (size !== undefined && !/^\d{1,15}$/.test(size)) throw malformed('Size must be a number');
  return { etag: childText(object, 'ETag'), modified, size: size === undefined ? undefined : Number(size) };
}

export type DeleteOutcome =
  | {
      readonly kind: 'deleted';
      readonly key: RawString;
      /** As asked for. */
      readonly versionId: RawString | undefined;
      /** The version id of the delete marker that was made, or that was deleted. */
      readonly deleteMarkerVersionId: RawString | undefined;
    }
  | {
      readonly kind: 'failed';
      readonly key: RawString;
      readonly versionId: RawString | undefined;
      readonly code: string;
      readonly message: string;
    };

export function deleteResult(outcomes: readonly DeleteOutcome[], quiet: boolean): Bytes {
  const told = quiet ? outcomes.filter(({ kind }) => kind === 'failed') : outcomes;
  return xmlDocument(s3Root('DeleteResult', told.map(outcomeElement)));
}

function outcomeElement(outcome: DeleteOutcome): XmlNode {
  const { key, versionId } = outcome;
  if (outcome.kind === 'failed') {
    return element('Error', [
      element('Key', key),
      element('VersionId', versionId ?? ''),
      element('Code', outcome.code),
      element('Message', outcome.message),
    ]);
  }
  const marker = outcome.deleteMarkerVersionId;
  return element('Deleted', [
    element('Key', key),
    versionId === undefined ? undefined : element('VersionId', versionId),
    ...(marker === undefined ? [] : [element('DeleteMarker', true), element('DeleteMarkerVersionId', marker)]),
  ]);
}
