/** What things of an upload are called, and which upload a name is of. */
import type { RawString } from '@spirula/encoding';
import type { BucketInfo } from '../formats/bucket-info.ts';
import type { Manifest } from '../formats/manifest.ts';
import { stripesOf } from '../formats/manifest-stripes.ts';
import type { ObjectKey } from '../formats/object.ts';
import type { UploadPart } from '../formats/upload.ts';
import { MULTIPART_NS } from './layout.ts';

/** What new upload ids begin with: parts of earlier kinds were listed otherwise (MULTIPART_UPLOAD_ID_PREFIX). */
export const UPLOAD_ID_PREFIX = '2~';
const PART_KEY_DIGITS = 8;

export interface Upload {
  readonly bucket: BucketInfo;
  /** Of the object to be. */
  readonly key: RawString;
  readonly id: RawString;
}

/** The meta object of an upload. */
export function metaKeyOf({ key, id }: Upload): ObjectKey {
  return { name: `${key}.${id}.meta`, instance: '', ns: MULTIPART_NS };
}

/** `key.UPLOAD.meta`; undefined: a part's, or none. */
export function parseMetaName(name: RawString): { readonly key: RawString; readonly id: RawString } | undefined {
  if (!name.endsWith('.meta')) return undefined;
  const rest = name.slice(0, -'.meta'.length);
  const at = rest.lastIndexOf('.');
  return at <= 0 ? undefined : { key: rest.slice(0, at), id: rest.slice(at + 1) };
}

/** Of a part, in the omap of the meta object. */
export function partKey(number: number): RawString {
  return `part.${String(number).padStart(PART_KEY_DIGITS, '0')}`;
}

/** The entry that a part has in the index until it is part of an object: the name of its first stripe. */
export function partIndexKey({ key }: Upload, { number, manifest }: UploadPart): ObjectKey {
  const [first] = stripesOf({ ...manifest, objectSize: Math.max(1, manifest.objectSize) }, 0, 1);
  return first?.object.key ?? { name: `${key}.${number}`, instance: '', ns: MULTIPART_NS };
}

/** The upload that an object was made of: its parts' names say so. */
export function uploadIdOf(key: RawString, { prefix }: Manifest): RawString | undefined {
  if (!prefix.startsWith(`${key}.${UPLOAD_ID_PREFIX}`)) return undefined;
  // KEY.UPLOAD, or KEY.UPLOAD.RANDOM when its first part was replaced.
  return prefix.slice(key.length + 1).split('.', 1)[0];
}
