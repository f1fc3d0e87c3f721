/** All versions of a bucket's objects, in the order of their names, the newest first. */
import { EntryFlag, type EntryMeta } from '@spirula/cls';
import type { RawString } from '@spirula/encoding';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { NULL_INSTANCE, oidToKey } from './layout.ts';
import { mergeShards } from './listing.ts';
import type { ObjectStore } from './objects.ts';

export interface ListedVersion {
  readonly kind: 'version';
  readonly name: RawString;
  /** '' for version null. */
  readonly instance: RawString;
  readonly meta: EntryMeta;
  readonly isLatest: boolean;
  readonly isDeleteMarker: boolean;
}

export type ListedVersionOrPrefix = ListedVersion | { readonly kind: 'prefix'; readonly name: RawString };

export interface VersionsQuery {
  readonly prefix: RawString;
  /** '': none. */
  readonly delimiter: RawString;
  /** Names behind this one; of its versions those behind `versionId`, unless that is ''. */
  readonly after: RawString;
  readonly versionId: RawString;
  readonly hint: number;
}

/** Of a bucket without versions, its objects. */
export async function* listVersions(
  store: ObjectStore,
  bucket: BucketInfo,
  { prefix, delimiter, after, versionId, hint }: VersionsQuery,
): AsyncGenerator<ListedVersionOrPrefix> {
  const query = { prefix, delimiter, after, ns: '', hint, versions: { after: versionId } };
  let common: RawString | undefined;
  let isBehindNull = versionId !== NULL_INSTANCE;
  // Pages of the index come one after the other: meanwhile the latest may go, and an older one be it.
  let before = after;
  // A name has one null version, the newest that is linked: the index may still have the one that it replaced.
  let nullSeen: RawString | undefined;
  for await (const { name, instance, flags, meta } of mergeShards(store, bucket, query)) {
    const key = oidToKey(name);
    if (key?.ns !== '' || !key.name.startsWith(prefix)) continue;
    if (common !== undefined && key.name.startsWith(common)) continue;
    const at = delimiter === '' ? -1 : key.name.indexOf(delimiter, prefix.length);
    if (at >= 0) {
      common = key.name.slice(0, at + delimiter.length);
      if (common > after) yield { kind: 'prefix', name: common };
      continue;
    }
    if (!meta || key.name < after) continue;
    if (key.name === after) {
      const skipped = versionId === '' || !isBehindNull;
      if (instance === '') isBehindNull = true;
      if (skipped) continue;
    }
    if (instance === '') {
      if (key.name === nullSeen) continue;
      nullSeen = key.name;
    }
    yield {
      kind: 'version',
      name: key.name,
      instance,
      meta,
      isLatest: key.name !== before && ((flags & EntryFlag.version) === 0 || (flags & EntryFlag.current) !== 0),
      isDeleteMarker: (flags & EntryFlag.deleteMarker) !== 0,
    };
    before = key.name;
  }
}
