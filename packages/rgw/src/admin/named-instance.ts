import { rawFromText } from '@spirula/encoding';
import type { StoredBucket } from '../store/buckets.ts';
import type { Admin } from './admin.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { type AdminOptions, namedBucket } from './command-options.ts';

/** The bucket that is named, or with `--bucket-id` another instance of it. @throws AdminError ENOENT */
export async function instanceOf({ buckets, store }: Admin, options: AdminOptions): Promise<StoredBucket> {
  const { tenant, name } = namedBucket(options);
  const bucketId = options.get('bucket-id');
  if (bucketId === undefined) return await buckets.require(tenant, name);
  const raw = rawFromText(bucketId);
  const bucket = { tenant, name, marker: raw, bucketId: raw, explicitPlacement: undefined };
  const found = await store.buckets.loadInstance(bucket);
  if (found) return found;
  const why = `could not get bucket instance info for bucket id=${bucketId}`;
  throw new AdminError(AdminCode.ENOENT, `${why}\nERROR: could not init bucket: (2) No such file or directory`);
}
