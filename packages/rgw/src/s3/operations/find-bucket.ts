import type { RawString } from '@spirula/encoding';
import { formatUserId } from '../../formats/user-id.ts';
import type { StoredBucket } from '../../store/buckets.ts';
import type { Owner } from '../documents/owner.ts';
import { s3Error } from '../s3-errors.ts';
import type { OperationContext } from './operation.ts';

/** The bucket that a request names. @throws S3Error NoSuchBucket; AccessDenied when it is not whose the request says */
export async function findBucket(context: OperationContext): Promise<StoredBucket> {
  const { request, store } = context;
  const bucket = await findNamedBucket(store, tenantOf(context), request.bucket);
  requireExpectedOwner(bucket, request.http.headers.get('x-amz-expected-bucket-owner'));
  return bucket;
}

/** Undefined: the request expects nobody. @throws S3Error AccessDenied */
export function requireExpectedOwner({ info }: StoredBucket, expected: string | undefined): void {
  if (expected !== undefined && expected !== formatUserId(info.owner)) throw s3Error('AccessDenied');
}

/** Whose buckets are meant where a name names no tenant. */
export function tenantOf({ user, identity }: Pick<OperationContext, 'user' | 'identity'>): RawString {
  return identity.role?.tenant ?? user?.id.tenant ?? '';
}

/**
 * `name`, of `ownTenant`, or `tenant:name` (rgw_parse_url_bucket).
 *
 * @throws S3Error NoSuchBucket
 */
export async function findNamedBucket(
  store: OperationContext['store'],
  ownTenant: RawString,
  name: RawString,
): Promise<StoredBucket> {
  const at = name.indexOf(':');
  const tenant = at < 0 ? ownTenant : name.slice(0, at);
  const bucket = await store.buckets.load(tenant, at < 0 ? name : name.slice(at + 1));
  if (!bucket) throw s3Error('NoSuchBucket');
  return bucket;
}

/** Whose bucket it is, as answers name them. */
export async function bucketOwnerOf({ store, user }: OperationContext, { info }: StoredBucket): Promise<Owner> {
  const id = formatUserId(info.owner);
  if (user && formatUserId(user.id) === id) return { id, displayName: user.displayName };
  return { id, displayName: (await store.users.load(info.owner))?.info.displayName ?? '' };
}
