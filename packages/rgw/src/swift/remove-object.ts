import type { RawString } from '@spirula/encoding';
import { isVersioned } from '../formats/bucket-info.ts';
import { notifyingOfRemoval } from '../s3/operations/notifying.ts';
import type { StoredBucket } from '../store/buckets.ts';
import type { SwiftContext } from './swift-context.ts';

/** Where there are versions, it is hidden. */
export async function removeObject(context: SwiftContext, bucket: StoredBucket, name: RawString): Promise<void> {
  const { store, user } = context;
  const owner = { id: user?.id.id ?? 'anonymous', displayName: user?.displayName ?? '' };
  const key = { name, instance: '', ns: '' };
  await notifyingOfRemoval(context, bucket, key, isVersioned(bucket.info), () =>
    store.objects.remove(bucket.info, key, owner),
  );
}
