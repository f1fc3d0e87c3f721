/** The RADOS objects that a bucket's objects are made of (RGWRadosList, rgw_orphan.cc): for who looks for such as nobody needs. */
import { EntryFlag } from '@spirula/cls';
import type { RawString } from '@spirula/encoding';
import type { BucketInfo } from '../formats/bucket-info.ts';
import type { Manifest } from '../formats/manifest.ts';
import { stripesOf } from '../formats/manifest-stripes.ts';
import type { ObjectKey } from '../formats/object.ts';
import { keyOfIndex, NULL_INSTANCE, radosNameOf } from './layout.ts';
import { mergeShards } from './listing.ts';
import type { Store } from './store.ts';
import { listUploads } from './upload-list.ts';

export interface ListedRadosObject {
  readonly oid: RawString;
  /** Of which object; undefined: of an upload that goes on. */
  readonly key: ObjectKey | undefined;
}

const PAGE = 1000;
const ALL_UPLOADS = { prefix: '', delimiter: '', after: { key: '', id: '' }, hint: PAGE };

/** Object by object in the order of their names, then of uploads that go on. @throws RadosError */
export async function* listRadosObjects(store: Store, bucket: BucketInfo): AsyncGenerator<ListedRadosObject> {
  const query = { prefix: '', delimiter: '', after: '', ns: '', hint: PAGE, versions: { after: '' } };
  let versioned: RawString | undefined;
  for await (const { name, instance, flags } of mergeShards(store.objects, bucket, query)) {
    const key = keyOfIndex({ name, instance });
    if ((flags & EntryFlag.version) !== 0 && instance !== '' && name !== versioned) {
      versioned = name;
      // The head that bears the versions.
      const oid = radosNameOf({ bucket: bucket.bucket, key: { ...key, instance: '' } }).oid;
      yield { oid, key: { ...key, instance: '' } };
    }
    if ((flags & EntryFlag.deleteMarker) !== 0) continue;
    yield* ofObject(store, bucket, instance === '' && versioned === name ? { ...key, instance: NULL_INSTANCE } : key);
  }
  yield* ofUploads(store, bucket);
}

async function* ofObject(store: Store, bucket: BucketInfo, key: ObjectKey): AsyncGenerator<ListedRadosObject> {
  const head = await store.objects.headOf(bucket, key);
  if (!head) return;
  const oids = new Set([radosNameOf({ bucket: bucket.bucket, key }).oid]);
  if (head.manifest) for (const oid of stripeOids(head.manifest)) oids.add(oid);
  for (const oid of [...oids].sort()) yield { oid, key };
}

async function* ofUploads(store: Store, bucket: BucketInfo): AsyncGenerator<ListedRadosObject> {
  for await (const upload of listUploads(store.objects, bucket, ALL_UPLOADS)) {
    if (upload.kind !== 'upload') continue;
    for await (const { manifest } of store.uploads.meta.parts({ bucket, key: upload.key, id: upload.id })) {
      for (const oid of [...new Set(stripeOids(manifest))].sort()) yield { oid, key: undefined };
    }
  }
}

function stripeOids(manifest: Manifest): RawString[] {
  return [...stripesOf(manifest)].map(({ object }) => radosNameOf(object).oid);
}
