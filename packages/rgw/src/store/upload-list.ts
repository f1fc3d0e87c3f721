import type { EntryMeta } from '@spirula/cls';
import type { RawString } from '@spirula/encoding';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { MULTIPART_NS, oidToKey } from './layout.ts';
import { type ListQuery, mergeShards } from './listing.ts';
import type { ObjectStore } from './objects.ts';
import { parseMetaName } from './upload-names.ts';

export interface ListedUpload {
  readonly kind: 'upload';
  readonly key: RawString;
  readonly id: RawString;
  readonly meta: EntryMeta;
}

export interface UploadsQuery {
  readonly prefix: RawString;
  readonly delimiter: RawString;
  /** Uploads behind this one; with an empty `id`, behind all of the key. */
  readonly after: { readonly key: RawString; readonly id: RawString };
  readonly hint: number;
}

/** Uploads that go on, in the order of the index: by the key, its upload's id behind it. */
export async function* listUploads(
  objects: ObjectStore,
  bucket: BucketInfo,
  { prefix, delimiter, after, hint }: UploadsQuery,
): AsyncGenerator<ListedUpload | { readonly kind: 'prefix'; readonly name: RawString }> {
  const query: ListQuery = {
    prefix,
    delimiter: '',
    after: after.key === '' ? '' : `${after.key}.${after.id === '' ? '\xff' : `${after.id}.meta`}`,
    ns: MULTIPART_NS,
    hint,
  };
  let common: RawString | undefined;
  for await (const { name, meta } of mergeShards(objects, bucket, query)) {
    const parsed = parseMetaName(oidToKey(name)?.name ?? '');
    if (!parsed || !meta || !parsed.key.startsWith(prefix)) continue;
    if (common !== undefined && parsed.key.startsWith(common)) continue;
    const at = delimiter === '' ? -1 : parsed.key.indexOf(delimiter, prefix.length);
    if (at >= 0) {
      common = parsed.key.slice(0, at + delimiter.length);
      if (common > after.key) yield { kind: 'prefix', name: common };
    } else {
      yield { kind: 'upload', ...parsed, meta };
    }
  }
}
