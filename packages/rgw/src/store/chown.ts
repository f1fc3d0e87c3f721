/** Objects of a bucket that are another user's from then on (RGWBucketCtl::chown): their ACLs say so. */
import type { RawString } from '@spirula/encoding';
import { type Acl, decodeAcl, encodeAcl, FULL_CONTROL, GranteeType, userGrant } from '../formats/acl.ts';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { decoded, encoded } from '../formats/encoded.ts';
import { formatUserId, type UserId } from '../formats/user-id.ts';
import { ObjectGone } from './heads.ts';
import { NULL_INSTANCE } from './layout.ts';
import { Attr } from './object-attrs.ts';
import type { Store } from './store.ts';
import { listVersions } from './version-listing.ts';

export interface NewOwner {
  readonly id: UserId;
  readonly displayName: RawString;
}

const PAGE = 1000;

/** The old owner has no grant any more, the new one all. */
function ownedBy({ owner, grants }: Acl, { id, displayName }: NewOwner): Acl {
  const before = formatUserId(owner.id);
  const kept = grants.filter((grant) => grant.type !== GranteeType.user || formatUserId(grant.id) !== before);
  return { owner: { id, displayName }, grants: [...kept, userGrant(id, displayName, FULL_CONTROL)] };
}

/**
 * @param after objects from the one behind it on
 * @param onPage called with the names of pages that are done
 * @throws RadosError
 */
export async function chownObjects(
  store: Store,
  bucket: BucketInfo,
  owner: NewOwner,
  after: RawString,
  onPage: (done: number, last: RawString) => void,
): Promise<void> {
  const all = { prefix: '', delimiter: '', after, versionId: '', hint: PAGE };
  let done = 0;
  let last: RawString = '';
  for await (const entry of listVersions(store.objects, bucket, all)) {
    if (entry.kind !== 'version' || entry.isDeleteMarker) continue;
    last = entry.name;
    await chownObject(store, bucket, { name: entry.name, instance: entry.instance || NULL_INSTANCE }, owner);
    done += 1;
    if (done % PAGE === 0) onPage(done, last);
  }
  onPage(done, '');
}

async function chownObject(
  { objects }: Store,
  bucket: BucketInfo,
  key: { readonly name: RawString; readonly instance: RawString },
  owner: NewOwner,
): Promise<void> {
  const found = await objects.find(bucket, { ...key, ns: '' });
  const acl = found?.head.attrs.get(Attr.acl);
  if (!found || !acl) return;
  const changed = encoded(encodeAcl, ownedBy(decoded(decodeAcl, acl), owner));
  try {
    await objects.setAttrs(bucket, found, new Map([[Attr.acl, changed]]));
  } catch (error) {
    // It was removed meanwhile.
    if (!(error instanceof ObjectGone)) throw error;
  }
}
