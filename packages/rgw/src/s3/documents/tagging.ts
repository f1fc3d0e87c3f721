/** Tags of objects and buckets. */
import { type Bytes, type RawString, textFromRaw } from '@spirula/encoding';
import { s3Error } from '../s3-errors.ts';
import { parseQuery } from '../s3-request.ts';
import { childNamed, childrenNamed, malformed, neededText, readXml } from '../xml-reader.ts';
import { element, s3Root, xmlDocument } from '../xml-writer.ts';

/** Keys and values, in the order given; no key twice. */
export type Tags = ReadonlyMap<RawString, RawString>;

export const MAX_OBJECT_TAGS = 10;
export const MAX_BUCKET_TAGS = 50;
const MAX_KEY_LENGTH = 128;
const MAX_VALUE_LENGTH = 256;

export function tagging(tags: Tags): Bytes {
  const listed = [...tags].map(([key, value]) => element('Tag', [element('Key', key), element('Value', value)]));
  return xmlDocument(s3Root('Tagging', [element('TagSet', listed)]));
}

/** @throws S3Error MalformedXML, InvalidTag */
export function readTagging(document: Bytes, most: number): Tags {
  const set = childNamed(readXml(document, 'Tagging'), 'TagSet');
  if (set === undefined) throw malformed('Tagging needs TagSet');
  const tags = childrenNamed(set, 'Tag').map((tag) => [neededText(tag, 'Key'), neededText(tag, 'Value')] as const);
  return checked(tags, most);
}

/** `x-amz-tagging: key=value&...`, percent-encoded. @throws S3Error InvalidTag, InvalidArgument */
export function readTaggingHeader(header: string, most: number): Tags {
  const parts = header.split('&').filter((part) => part !== '');
  try {
    return checked(
      parts.flatMap((part) => [...parseQuery(part)]),
      most,
    );
  } catch (error) {
    throw s3Error('InvalidTag', error instanceof Error ? error.message : undefined);
  }
}

function checked(tags: readonly (readonly [RawString, RawString])[], most: number): Tags {
  if (tags.length > most) throw s3Error('InvalidTag', `There may be at most ${most} tags`);
  for (const [key, value] of tags) {
    const tooLong = textFromRaw(key).length > MAX_KEY_LENGTH || textFromRaw(value).length > MAX_VALUE_LENGTH;
    if (key === '' || tooLong) throw s3Error('InvalidTag');
  }
  const map = new Map(tags);
  if (map.size < tags.length) throw s3Error('InvalidTag', 'A key is given twice');
  return map;
}
