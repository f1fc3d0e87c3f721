/** Rounds over buckets that change meanwhile. The list of buckets is in memory, kept by the class `rgw` itself. */
import { expect, test } from 'vitest';
import { MemoryObject } from '../../../cls/src/memory-object.test-support.ts';
import type { Bucket } from '../formats/bucket.ts';
import { newBucketLayout } from '../formats/bucket-layout.ts';
import { encoded } from '../formats/encoded.ts';
import { encodeLifecycle, NO_EXPIRATION } from '../formats/lifecycle.ts';
import { BucketAttr } from '../store/buckets.ts';
import { MemoryPool } from '../store/index-pool.test-support.ts';
import { LifecycleBuckets, LifecycleStatus } from '../store/lifecycle-buckets.ts';
import { BucketBusy, BucketGone } from '../store/object-index.ts';
import { Lifecycle, type LifecycleOptions } from './lifecycle.ts';

const NOW = { sec: 1_800_000_000, nsec: 0 };
const RULE = {
  id: 'rule',
  status: 'Enabled',
  prefix: '',
  filter: { prefix: '', tags: new Map() },
  expiration: { days: '1', date: '' },
  noncurrentExpiration: NO_EXPIRATION,
  multipartExpiration: NO_EXPIRATION,
  expireDeleteMarkers: false,
  transitions: new Map(),
  noncurrentTransitions: new Map(),
};

/** @param listing what the listing of a bucket fails with, by the bucket's name; others are empty */
async function setUp(names: readonly string[], listing: ReadonlyMap<string, Error>) {
  const pool = new MemoryPool();
  const lifecycleBuckets = new LifecycleBuckets(pool.io, { randomBytes: (count) => new Uint8Array(count).fill(5) });
  for (const shard of lifecycleBuckets.shards) pool.objects.set(shard, new MemoryObject());
  const listed: string[] = [];
  const buckets = new Map(
    names.map((name) => {
      const bucket = { tenant: '', name, marker: 'm', bucketId: name } as Bucket;
      const info = { bucket, layout: { ...newBucketLayout(0, 1) } };
      return [name, { info, attrs: new Map([[BucketAttr.lifecycle, encoded(encodeLifecycle, [RULE])]]) }];
    }),
  );
  for (const { info } of buckets.values()) await lifecycleBuckets.add(info.bucket);
  const store = {
    lifecycleBuckets,
    buckets: { load: async (_: string, name: string) => buckets.get(name) },
    objects: {
      index: ({ bucket }: { readonly bucket: Bucket }) => ({
        shards: 1,
        listShard: async () => {
          listed.push(bucket.name);
          const error = listing.get(bucket.name);
          if (error) throw error;
          return { entries: [], truncated: false, marker: '' };
        },
      }),
    },
  };
  const warnings: string[] = [];
  const world = { clock: { wall: () => NOW }, log: { warn: (message: string) => void warnings.push(message) } };
  const options = { world, store, debugInterval: () => undefined } as unknown as LifecycleOptions;
  const states = async () => {
    const found: [string, number][] = [];
    for (const shard of lifecycleBuckets.shards)
      for await (const { bucket, status } of lifecycleBuckets.list(shard)) found.push([bucket, status]);
    return found.sort();
  };
  return { lifecycle: new Lifecycle(options), listed, warnings, states };
}

test('a bucket that is removed while its objects are looked at is forgotten, and the round goes on', async () => {
  const { lifecycle, listed, states } = await setUp(['a', 'b', 'c'], new Map([['b', new BucketGone('b')]]));

  await lifecycle.process();

  expect(listed.sort()).toEqual(['a', 'b', 'c']);
  expect(await states()).toEqual([
    [':a:m', LifecycleStatus.complete],
    [':c:m', LifecycleStatus.complete],
  ]);
});

test('a bucket whose index takes no changes is looked at in the next round', async () => {
  const { lifecycle, warnings, states } = await setUp(['a', 'b'], new Map([['b', new BucketBusy('b')]]));

  await lifecycle.process();

  expect(await states()).toEqual([
    [':a:m', LifecycleStatus.complete],
    [':b:m', LifecycleStatus.failed],
  ]);
  expect(warnings).toEqual(["a bucket's lifecycle ends early"]);
});

test('an error that nobody knows is not taken for one of these', async () => {
  const { lifecycle } = await setUp(['a'], new Map([['a', new TypeError('a bug')]]));

  await expect(lifecycle.process()).rejects.toThrow('a bug');
});
