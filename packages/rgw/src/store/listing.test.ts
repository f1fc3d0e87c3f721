/** Listings of shards in memory, kept by the class `rgw` itself, against a model: sorted names. */
import { ModifyOp, NO_META } from '@spirula/cls';
import { EMPTY } from '@spirula/encoding';
import { ObjectOperation } from '@spirula/rados';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryObject } from '../../../cls/src/memory-object.test-support.ts';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { IndexChanges } from './index-changes.ts';
import { MemoryPool } from './index-pool.test-support.ts';
import { indexOids } from './layout.ts';
import { type ListQuery, listObjects } from './listing.ts';
import { hashedName, ObjectIndex } from './object-index.ts';
import type { ObjectStore } from './objects.ts';

const BUCKET = {} as BucketInfo;
/** CEPH_RGW_TAG_TIMEOUT */
const TAG_TIMEOUT_SECONDS = 120;

/** @param heads names that have one; undefined: nobody looks */
async function bucketOf(shards: number, heads?: ReadonlySet<string>) {
  const pool = new MemoryPool();
  for (const oid of indexOids('b', shards)) pool.objects.set(oid, new MemoryObject());
  const index = new ObjectIndex(pool.io, new IndexChanges(), { bucketId: 'b', shardCount: shards });
  const init = () => new ObjectOperation().exec('rgw', 'bucket_init_index', EMPTY, 'write');
  for (const oid of pool.objects.keys()) await pool.io.operate(oid, init());
  const store = {
    index: () => index,
    dataPoolOf: () => 3,
    lookAtAny: async (_: BucketInfo, { name }: { readonly name: string }) => {
      if (!heads) throw new Error(`nobody should look at ${name}`);
      const head = { attrs: new Map(), size: 7, storedSize: 7, mtime: { sec: 1, nsec: 0 }, version: 9 };
      return heads.has(name) ? { found: { head } } : {};
    },
  } as unknown as ObjectStore;
  const put = async (name: string, ns = '') => {
    const change = await index.prepare({ name, instance: '', ns }, ModifyOp.add, `t ${name}`);
    await index.complete(change, { pool: 3, version: 1 }, { ...NO_META, etag: 'told' });
  };
  return { pool, index, store, put };
}

async function list(store: ObjectStore, query: Partial<ListQuery>): Promise<string[]> {
  const listed: string[] = [];
  const asked = { prefix: '', delimiter: '', after: '', ns: '', hint: 10, ...query };
  for await (const entry of listObjects(store, BUCKET, asked)) {
    listed.push(entry.kind === 'prefix' ? `${entry.name}...` : entry.name);
  }
  return listed;
}

/** What S3 says of listings. A prefix that the marker is in, or is, has been shown. */
function model(
  names: Iterable<string>,
  { prefix, delimiter, after }: Pick<ListQuery, 'prefix' | 'delimiter' | 'after'>,
) {
  const shown = new Set<string>();
  for (const name of [...names].sort()) {
    if (!name.startsWith(prefix)) continue;
    const at = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length);
    const common = at < 0 ? undefined : name.slice(0, at + delimiter.length);
    if ((common ?? name) > after) shown.add(common === undefined ? name : `${common}...`);
  }
  return [...shown];
}

const text = (maxLength: number) => fc.string({ unit: fc.constantFrom('_', '/', 'a', '\xc3'), maxLength });
const names = fc.uniqueArray(
  text(5).filter((name) => name !== ''),
  { maxLength: 12 },
);

test('names, prefixes, delimiters and markers are as S3 has them, however many shards there are', async () => {
  await fc.assert(
    fc.asyncProperty(
      names,
      fc.constantFrom(1, 3, 11),
      text(2),
      fc.constantFrom('', '/', '_', 'a', '/_'),
      text(4),
      async (objects, shards, prefix, delimiter, after) => {
        const { store, put } = await bucketOf(shards);
        for (const name of objects) await put(name);
        // An upload's entries are not for users.
        await put('a/a.2~id.meta', 'multipart');

        expect(await list(store, { prefix, delimiter, after })).toEqual(model(objects, { prefix, delimiter, after }));
      },
    ),
    { numRuns: 400 },
  );
});

test('pages that begin where the last one ended show all, and nothing twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      names,
      fc.constantFrom('', '/', '_'),
      fc.integer({ min: 1, max: 3 }),
      async (objects, delimiter, size) => {
        const { store, put } = await bucketOf(3);
        for (const name of objects) await put(name);
        const all: string[] = [];
        for (let after = ''; ; ) {
          const page = (await list(store, { delimiter, after })).slice(0, size);
          if (page.length === 0) break;
          all.push(...page);
          after = page.at(-1)!.replace('...', '');
        }

        expect(all).toEqual(model(objects, { prefix: '', delimiter, after: '' }));
      },
    ),
  );
});

test('more objects than a page of a shard has are listed in order', async () => {
  const { store, put } = await bucketOf(2);
  const objects = Array.from({ length: 300 }, (_, i) => `${i % 2 === 0 ? '_' : ''}${String(i).padStart(4, '0')}`);
  for (const name of objects) await put(name);

  expect(await list(store, {})).toEqual(objects.sort());
});

test('what was announced and not told is as its head says, and the index is told so once', async () => {
  const { store, index, pool, put } = await bucketOf(3, new Set(['made', '_replaced']));
  for (const name of ['_replaced', 'removed', 'quiet']) await put(name);
  for (const name of ['made', 'never', '_replaced']) {
    await index.prepare({ name, instance: '', ns: '' }, ModifyOp.add, `u ${name}`);
  }
  await index.prepare({ name: 'removed', instance: '', ns: '' }, ModifyOp.delete, 'u removed');

  // Before that, whoever announced it may be about to tell.
  for (const object of pool.objects.values()) object.time = { sec: object.time.sec + TAG_TIMEOUT_SECONDS + 1, nsec: 0 };
  const entries: [string, bigint][] = [];
  for await (const entry of listObjects(store, BUCKET, { prefix: '', delimiter: '', after: '', ns: '', hint: 9 })) {
    if (entry.kind === 'object') entries.push([entry.name, entry.meta.size]);
  }
  expect(entries).toEqual([
    ['_replaced', 7n],
    ['made', 7n],
    ['quiet', 0n],
  ]);

  const told = () => pool.calls.filter((method) => method === 'dir_suggest_changes').length;
  const before = told();
  expect(before).toBeGreaterThan(0);
  expect(await list(store, {})).toEqual(['_replaced', 'made', 'quiet']);
  expect(told()).toBe(before);
});

test('parts of an upload are in the shard of its object, also those that came again', () => {
  const key = 'a.2~b.c';

  for (const end of ['2~Id-_9.meta', '2~Id-_9.1', '2~Id-_9.Rand0m.17']) {
    expect(hashedName({ name: `${key}.${end}`, ns: 'multipart' }), end).toBe(key);
  }
  expect(hashedName({ name: key, ns: '' })).toBe(key);
});
