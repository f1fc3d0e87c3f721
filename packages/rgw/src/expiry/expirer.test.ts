/** Rounds over buckets that change meanwhile. The notes are in memory, kept by the class `timeindex` itself. */
import { expect, test } from 'vitest';
import { MemoryObject } from '../../../cls/src/memory-object.test-support.ts';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { ExpiryHints } from '../store/expiry-hints.ts';
import { MemoryPool } from '../store/index-pool.test-support.ts';
import { BucketBusy, BucketGone } from '../store/object-index.ts';
import { Expirer, type ExpirerOptions } from './expirer.ts';

const NOW = { sec: 1_800_000_000, nsec: 0 };
const LONG_AGO = { sec: NOW.sec - 10_000, nsec: 0 };

/** Objects whose end has come, whose removal fails as it is said. */
async function setUp(removal: ReadonlyMap<string, Error>) {
  const pool = new MemoryPool();
  const expiryHints = new ExpiryHints(pool.io, { randomBytes: (count) => new Uint8Array(count).fill(5) }, 3);
  for (const shard of expiryHints.shards) pool.objects.set(shard, new MemoryObject());
  const infoOf = (name: string) => ({ bucket: { tenant: '', name, bucketId: name }, owner: {} }) as BucketInfo;
  for (const bucket of removal.keys()) {
    await expiryHints.add(infoOf(bucket), { name: 'object', instance: '', ns: '' }, LONG_AGO);
  }
  const store = {
    expiryHints,
    buckets: {
      load: async (_: string, name: string) => ({ info: { ...infoOf(name), owner: { tenant: '', ns: '', id: 'u' } } }),
    },
    objects: {
      remove: async ({ bucket }: BucketInfo) => {
        throw removal.get(bucket.name);
      },
    },
  };
  const world = { clock: { wall: () => NOW }, config: { rgw_objexp_gc_interval: 600 }, log: { warn: () => {} } };
  const notes = async () => {
    const found: string[] = [];
    for (const shard of expiryHints.shards)
      for await (const { hints } of expiryHints.list(shard, NOW))
        found.push(...hints.map(({ bucketName }) => bucketName));
    return found;
  };
  return { expirer: new Expirer({ world, store } as unknown as ExpirerOptions), notes };
}

test.each([
  ['a bucket that is removed meanwhile has nothing left to end', new BucketGone('b'), []],
  ['a bucket whose index takes no changes is looked at again', new BucketBusy('b'), ['b']],
])('%s', async (_, error, left) => {
  const { expirer, notes } = await setUp(new Map([['b', error]]));

  expect(await expirer.process()).toBe(0);

  expect(await notes()).toEqual(left);
});

test('an error that nobody knows is not taken for one of these', async () => {
  const { expirer } = await setUp(new Map([['a', new TypeError('a bug')]]));

  await expect(expirer.process()).rejects.toThrow('a bug');
});
