/** Around a change of an object: whoever wants to hear of it has room for it before, and is told of it after. */

import type { UTime } from '@spirula/encoding';
import type { ObjectKey } from '../../formats/object.ts';
import type { UserInfo } from '../../formats/user-info.ts';
import { EventType } from '../../notifications/event-type.ts';
import type { EventOrigin, EventOutcome, EventSubject } from '../../notifications/notifications.ts';
import type { StoredBucket } from '../../store/buckets.ts';
import { etagOf, type Head } from '../../store/head.ts';
import type { Written } from '../../store/objects.ts';
import type { Store } from '../../store/store.ts';
import type { Removed } from '../../store/version-writes.ts';

/** What of a request matters here. */
export interface NotifyingContext {
  readonly store: Store;
  readonly user: UserInfo | undefined;
  readonly requestId: string;
  /** When it came. */
  readonly now: UTime;
}

function originOf({ user, requestId }: NotifyingContext): EventOrigin {
  return { userId: user?.id.id ?? 'anonymous', requestId };
}

/**
 * Makes an object, and tells of it.
 *
 * @throws what `make` throws: nobody is told then; QueueFull, RadosError
 */
export async function notifyingOfObject<T extends Written>(
  context: NotifyingContext,
  bucket: StoredBucket,
  subject: EventSubject,
  make: () => Promise<T>,
): Promise<T> {
  const reservation = await context.store.notifications.reserve(bucket, originOf(context), subject);
  if (!reservation) return await make();
  let written: T;
  try {
    written = await make();
  } catch (error) {
    await reservation.abort();
    throw error;
  }
  const { mtime, size, etag, versionId } = written;
  await reservation.commit({ time: mtime, size, etag, versionId, attrs: await subject.attrs() });
  return written;
}

/**
 * Removes an object, or a version, and tells of it, also when it was not there.
 *
 * @throws what `remove` throws: nobody is told then; QueueFull, RadosError
 */
export async function notifyingOfRemoval(
  context: NotifyingContext,
  bucket: StoredBucket,
  key: ObjectKey,
  isVersioned: boolean,
  remove: () => Promise<Removed>,
): Promise<Removed> {
  const { store, now } = context;
  let looked: Promise<Head | undefined> | undefined;
  const look = () => {
    looked ??= store.objects.find(bucket.info, key).then((found) => found?.head);
    return looked;
  };
  const hides = isVersioned && key.instance === '';
  const type = hides ? EventType.removedDeleteMarkerCreated : EventType.removedDelete;
  const attrs = async () => (await look())?.attrs ?? new Map();
  const reservation = await store.notifications.reserve(bucket, originOf(context), { type, key: key.name, attrs });
  if (!reservation) return await remove();
  let outcome: EventOutcome;
  let removed: Removed;
  try {
    const head = await look();
    removed = await remove();
    const versionId = hides ? removed.versionId : key.instance;
    outcome = {
      time: now,
      size: head?.size ?? 0,
      etag: head ? etagOf(head) : '',
      versionId,
      attrs: head?.attrs ?? new Map(),
    };
  } catch (error) {
    await reservation.abort();
    throw error;
  }
  await reservation.commit(outcome);
  return removed;
}
