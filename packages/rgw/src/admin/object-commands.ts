/** Commands of radosgw-admin about objects of buckets, one by one. */
import { NO_ENTRY, SuggestedOp } from '@spirula/cls';
import { formatUTime, rawFromText, textFromRaw, type UTime } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { Expirer } from '../expiry/expirer.ts';
import { decodeAcl } from '../formats/acl.ts';
import type { BucketInfo } from '../formats/bucket-info.ts';
import type { ObjectKey } from '../formats/object.ts';
import { formatUserId } from '../formats/user-id.ts';
import { BucketAttr } from '../store/buckets.ts';
import { deleteAtOf, isOver } from '../store/expiry.ts';
import { keyOfIndex, MULTIPART_NS, NULL_INSTANCE } from '../store/layout.ts';
import { decodeStored } from '../store/meta-object.ts';
import { Attr } from '../store/object-attrs.ts';
import { indexKey } from '../store/object-index.ts';
import { RawIndex } from '../store/raw-index.ts';
import type { Store } from '../store/store.ts';
import type { FoundObject } from '../store/stripes.ts';
import { listVersions } from '../store/version-listing.ts';
import { aclNode } from './acl-document.ts';
import type { Admin, CommandTable } from './admin.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { type AdminOptions, bucketOf, dateOf, namedBucket, requireObject, sizeOf } from './command-options.ts';
import { RawName } from './json-text.ts';
import { instanceOf } from './named-instance.ts';
import { objectJson } from './object-json.ts';
import { timeText } from './user-json.ts';

/** rgw_admin.cc, bucket rewrite: bytes below which objects stay as they are. */
const MIN_REWRITE_BYTES = 4n << 20n;
const ANY_SIZE = (1n << 64n) - 1n;
const PAGE = 1000;
const NO_FILE = '(2) No such file or directory';

export const objectCommands: CommandTable = {
  'object rm': async ({ buckets, store }, options) => {
    const { info } = await buckets.require(...bucketOf(options));
    const key = keyOf(options);
    if (key.name === '') throw new AdminError(AdminCode.EINVAL, 'ERROR: object remove returned: (22) Invalid argument');
    const { found, deleteMarker } = await store.objects.look(info, key);
    if (!found && deleteMarker === undefined) {
      throw new AdminError(AdminCode.ENOENT, `ERROR: object remove returned: ${NO_FILE}`);
    }
    await store.objects.remove(info, key, { id: formatUserId(info.owner), displayName: '' });
  },
  'object stat': async (admin, options) => {
    const { info } = await instanceOf(admin, options);
    const key = keyOf(options);
    if (key.name === '') throw new AdminError(1, 'ERROR: failed to stat object, returned error: (22) Invalid argument');
    const found = await admin.store.objects.find(info, key);
    if (!found) throw new AdminError(1, `ERROR: failed to stat object, returned error: ${NO_FILE}`);
    return objectJson(key.name, found.head);
  },
  /** Its entry in the index goes; what it names stays. */
  'object unlink': async (admin, options) => {
    const { info } = await instanceOf(admin, options);
    const { store } = admin;
    const key = keyOf(options);
    const index = new RawIndex(store.zone.placement(info.placement).index, info);
    if (index.shards === 0) return;
    // However new the entry is.
    const entry = { ...NO_ENTRY, key: indexKey(key), indexVersion: ANY_SIZE };
    await store.objects.index(info).suggest(index.shardOf(key), [{ op: SuggestedOp.remove, entry }]);
  },
  'object rewrite': async (admin, options) => {
    if (namedBucket(options).name === '') throw new AdminError(AdminCode.EINVAL, 'ERROR: bucket not specified');
    requireObject(options);
    const { info } = await instanceOf(admin, options);
    const found = await admin.store.objects.find(info, keyOf(options));
    if (!found) throw new AdminError(AdminCode.ENOENT, `ERROR: object rewrite returned: ${NO_FILE}`);
    const stripeBytes = sizeOf(options, 'min-rewrite-stripe-size') ?? 0n;
    if (hasStripesOf(found, stripeBytes)) return;
    if (await admin.store.objects.rewrite(info, found)) return;
    throw new AdminError(AdminCode.ECANCELED, 'ERROR: object rewrite returned: (125) Operation canceled');
  },
  'bucket rewrite': async (admin, options) => {
    if (namedBucket(options).name === '') throw new AdminError(AdminCode.EINVAL, 'ERROR: bucket not specified');
    const { info } = await instanceOf(admin, options);
    const objects: unknown[] = [];
    const asked = rewriteOptions(options);
    const index = new RawIndex(admin.store.zone.placement(info.placement).index, info);
    for (let shard = 0; shard < index.shards; shard++) {
      for await (const [, { key, meta, flags }] of index.entries(shard, '')) {
        const { name, instance, ns } = keyOfIndex(key);
        const isAsked =
          meta.size >= asked.min &&
          meta.size <= asked.max &&
          BigInt(meta.mtime.sec) >= asked.start &&
          BigInt(meta.mtime.sec) <= asked.end &&
          // Parts of uploads that go on are the uploads'.
          ns !== MULTIPART_NS;
        const status = isAsked ? await rewritten(admin, info, { name, instance, ns }, asked.stripe) : 'Skipped';
        objects.push({
          name: new RawName(key.name),
          instance: textFromRaw(instance),
          size: meta.size,
          mtime: timeText(meta.mtime),
          status,
          flags,
        });
      }
    }
    return { bucket: textFromRaw(info.bucket.name), objects };
  },
  policy: async ({ buckets, store }, options) => {
    const { tenant, name } = namedBucket(options);
    if (name === '') throw new AdminError(AdminCode.EINVAL, 'ERROR: failed to get policy: (22) Invalid argument');
    const missing = new AdminError(AdminCode.ENOENT, `ERROR: failed to get policy: ${NO_FILE}`);
    const bucket = await store.buckets.load(tenant, name);
    if (!bucket) throw missing;
    const key = keyOf(options);
    let acl = bucket.attrs.get(BucketAttr.acl);
    if (key.name !== '') {
      const found = await store.objects.find((await buckets.require(tenant, name)).info, key);
      acl = found?.head.attrs.get(Attr.acl);
    }
    if (!acl) throw missing;
    return aclNode(decodeStored(name, acl, decodeAcl));
  },
  'objects expire': async ({ store, world }) => {
    await new Expirer({ world, store }).process();
  },
  'objects expire-stale list': (admin, options) => staleExpiry(admin, options, 'listing'),
  'objects expire-stale rm': (admin, options) => staleExpiry(admin, options, 'removing'),
};

function keyOf(options: AdminOptions): ObjectKey {
  const raw = (name: string) => rawFromText(options.get(name) ?? '');
  return { name: raw('object'), instance: raw('object-version'), ns: '' };
}

function rewriteOptions(options: AdminOptions) {
  return {
    min: sizeOf(options, 'min-rewrite-size') ?? MIN_REWRITE_BYTES,
    max: sizeOf(options, 'max-rewrite-size') ?? ANY_SIZE,
    stripe: sizeOf(options, 'min-rewrite-stripe-size') ?? 0n,
    start: dateOf(options, 'start-date', 0n),
    end: dateOf(options, 'end-date', ANY_SIZE),
  };
}

async function rewritten({ store }: Admin, info: BucketInfo, key: ObjectKey, stripeBytes: bigint): Promise<string> {
  try {
    const found = await store.objects.find(info, key);
    if (!found) return NO_FILE;
    if (hasStripesOf(found, stripeBytes)) return 'Skipped';
    return (await store.objects.rewrite(info, found)) ? 'Success' : 'Skipped';
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
    return error.message;
  }
}

/** All its stripes are that long, or the last one (check_min_obj_stripe_size). 0: none is. */
function hasStripesOf({ head: { manifest } }: FoundObject, bytes: bigint): boolean {
  if (bytes === 0n || !manifest) return false;
  return [...manifest.rules.values()].every(({ stripeSize }) => BigInt(stripeSize) >= bytes);
}

/** Objects of a bucket that was resharded, whose end has come and who are there still (RGWBucketAdminOp::fix_obj_expiry). */
async function staleExpiry({ store, world }: Admin, options: AdminOptions, what: 'listing' | 'removing') {
  const { tenant, name } = namedBucket(options);
  const refuse = (code: number, why: string) =>
    new AdminError(code, `failed to initialize bucket\n\nERROR: ${what} returned ${why}`);
  if (name === '') throw refuse(AdminCode.EINVAL, '(22) Invalid argument');
  const bucket = await store.buckets.load(tenant, name);
  if (!bucket) throw refuse(AdminCode.ENOENT, NO_FILE);
  const { info } = bucket;
  if (info.bucket.marker === info.bucket.bucketId) {
    world.log.warn('Not a resharded bucket skipping');
    return undefined;
  }
  const found: unknown[] = [];
  const now = world.clock.wall();
  const all = { prefix: '', delimiter: '', after: '', versionId: '', hint: PAGE };
  for await (const entry of listVersions(store.objects, info, all)) {
    if (entry.kind !== 'version' || entry.isDeleteMarker) continue;
    const key = { name: entry.name, instance: entry.instance || NULL_INSTANCE, ns: '' };
    const head = (await store.objects.lookAtAny(info, key)).found?.head;
    const deleteAt = head && deleteAtOf(head.attrs);
    if (!head || !deleteAt || !isOver(head.attrs, now)) continue;
    if (what === 'removing') await removeOver(store, info, key, now);
    const told = { object: textFromRaw(entry.name), delete_at: formatUTime(deleteAt) };
    found.push(what === 'removing' ? { ...told, status: 0 } : told);
  }
  return found;
}

/** Unless another has taken its place. */
async function removeOver(store: Store, info: BucketInfo, key: ObjectKey, now: UTime): Promise<void> {
  const owner = { id: formatUserId(info.owner), displayName: '' };
  try {
    await store.objects.remove(info, key, owner, (head) => {
      if (!head || !isOver(head.attrs, now)) throw new NotOver();
    });
  } catch (error) {
    if (!(error instanceof NotOver)) throw error;
  }
}

class NotOver extends Error {
  override readonly name = 'NotOver';
}
