/** Commands of radosgw-admin about garbage, lifecycles, and what a zone is. */
import { formatUTime, textFromRaw } from '@spirula/encoding';
import { decodeLifecycle } from '../formats/lifecycle.ts';
import { Lifecycle } from '../lifecycle/lifecycle.ts';
import { formatHttpDate } from '../s3/http-date.ts';
import { BucketAttr } from '../store/buckets.ts';
import { decodeStored } from '../store/meta-object.ts';
import type { Store } from '../store/store.ts';
import type { CommandTable } from './admin.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { bucketOf, namedBucket } from './command-options.ts';
import { lifecycleJson } from './lifecycle-json.ts';
import type { NamedBucket } from './reshard-admin.ts';

/** By number: LC_BUCKET_STATUS. */
const LIFECYCLE_STATUS = ['UNINITIAL', 'PROCESSING', 'FAILED', 'COMPLETE'];
const NOT_FOUND = 254;

export const maintenanceCommands: CommandTable = {
  'gc list': async ({ store }, options) => {
    const entries = [];
    for await (const { tag, time, chain } of store.garbage.list(!options.has('include-all'))) {
      const objs = chain.map(({ pool, key, locator }) => ({
        pool: textFromRaw(pool),
        oid: textFromRaw(key.name),
        key: textFromRaw(locator),
        instance: textFromRaw(key.instance),
      }));
      entries.push({ tag: textFromRaw(tag), time: formatUTime(time), objs });
    }
    return entries;
  },
  'gc process': async ({ store }, options) => {
    await store.garbage.process(options.has('include-all'));
  },
  'lc list': async ({ store }) => {
    const listed = [];
    for (const shard of store.lifecycleBuckets.shards) {
      for await (const { bucket, startTime, status } of store.lifecycleBuckets.list(shard)) {
        listed.push({
          bucket: textFromRaw(bucket),
          started: formatHttpDate({ sec: Number(startTime), nsec: 0 }),
          status: LIFECYCLE_STATUS[status] ?? 'UNKNOWN',
        });
      }
    }
    return listed;
  },
  'lc get': async ({ buckets }, options) => {
    const bucket = await buckets.require(...bucketOf(options));
    const value = bucket.attrs.get(BucketAttr.lifecycle);
    if (!value) throw new AdminError(NOT_FOUND, '');
    return lifecycleJson(decodeStored(bucket.info.bucket.name, value, decodeLifecycle));
  },
  'lc process': async ({ store, world, buckets }, options) => {
    const { rgw_lc_debug_interval: interval } = world.config;
    const lifecycle = new Lifecycle({ world, store, debugInterval: () => (interval > 0 ? interval : undefined) });
    if (options.has('bucket')) await lifecycle.processBucket(await buckets.require(...bucketOf(options)));
    else await lifecycle.process(true);
  },
  'lc reshard fix': async ({ buckets, store }, options) => {
    if (options.has('bucket')) return await fixLifecycle(store, namedBucket(options));
    const fixed: unknown[] = [];
    for (const each of await buckets.namesOf()) fixed.push(await fixLifecycle(store, each));
    return fixed;
  },
  'pools list': noPlacementSet,
  'pool list': noPlacementSet,
};

async function noPlacementSet(): Promise<never> {
  throw new AdminError(AdminCode.ENOENT, 'could not list placement set: (2) No such file or directory');
}

/** A bucket with rules is in the list of those that have some (RGWBucketAdminOp::fix_lc_shards). */
async function fixLifecycle(store: Store, { tenant, name }: NamedBucket) {
  const bucket = await store.buckets.load(tenant, name);
  if (bucket?.attrs.has(BucketAttr.lifecycle)) await store.lifecycleBuckets.add(bucket.info.bucket);
  return { bucket: textFromRaw(name), status: bucket ? 0 : AdminCode.ENOENT };
}
