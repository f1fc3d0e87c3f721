/** Removes a bucket with all that is in it (rgw_remove_bucket, delete_children). */
import { formatUserId } from '../formats/user-id.ts';
import type { StoredBucket } from './buckets.ts';
import { NULL_INSTANCE } from './layout.ts';
import type { Store } from './store.ts';
import { listVersions } from './version-listing.ts';

const PAGE = 1000;

/** Objects that are written meanwhile may keep it from going. @throws BucketNotEmpty, RadosError */
export async function purgeBucket(store: Store, bucket: StoredBucket): Promise<void> {
  const { info } = bucket;
  const owner = { id: formatUserId(info.owner), displayName: '' };
  const all = { prefix: '', delimiter: '', after: '', versionId: '', hint: PAGE };
  for await (const entry of listVersions(store.objects, info, all)) {
    if (entry.kind !== 'version') continue;
    const { name, instance } = entry;
    await store.objects.remove(info, { name, instance: instance || NULL_INSTANCE, ns: '' }, owner);
  }
  await store.removeBucket(bucket);
}
