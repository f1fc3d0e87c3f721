/** Commands of radosgw-admin about garbage, lifecycles, and what a zone is. */
import { formatUTime, textFromRaw } from '@spirula/encoding';
import { decodeLifecycle } from '../formats/lifecycle.ts';
import { Lifecycle } from '../lifecycle/lifecycle.ts';
import { formatHttpDate } from '../s3/http-date.ts';
import { BucketAttr } from '../store/buckets.ts';
import { decodeStored } from '../store/meta-object.ts';
import type { CommandTable } from './admin.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { bucketOf } from './command-options.ts';
import { lifecycleJson } from './lifecycle-json.ts';
import { zoneJson } from './zone-json.ts';

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
  'zone get': async ({ store }) => zoneJson(store.zone.params),
  'zone list': async ({ store }) => {
    const { id, name } = store.zone.params;
    return { default_info: textFromRaw(id), zones: [textFromRaw(name)] };
  },
  'zonegroup list': async ({ store }) => {
    const { id, name } = store.zone.zonegroup;
    return { default_info: textFromRaw(id), zonegroups: [textFromRaw(name)] };
  },
  // The zone is of no realm.
  'realm list': async () => ({ default_info: '', realms: [] }),
  'period get': () => {
    throw new AdminError(AdminCode.ENOENT, 'period init failed: (2) No such file or directory');
  },
};
