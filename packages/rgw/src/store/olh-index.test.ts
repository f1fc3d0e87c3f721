import { isDeleteMarker, ModifyOp, NO_META, ObjectCategory, SuggestedOp } from '@spirula/cls';
import { EMPTY, Errno } from '@spirula/encoding';
import { ObjectOperation } from '@spirula/rados';
import { expect, test } from 'vitest';
import { MemoryObject } from '../../../cls/src/memory-object.test-support.ts';
import { IndexChanges } from './index-changes.ts';
import { MemoryPool } from './index-pool.test-support.ts';
import { indexOids, shardOf } from './layout.ts';
import { ObjectIndex } from './object-index.ts';
import { OlhIndex } from './olh-index.ts';

const NO_INSTANCE = { name: '_k', instance: '', ns: '' };
const FIRST = { ...NO_INSTANCE, instance: 'first' };
const change = (opTag: string) => ({ olhTag: 'olh', opTag });

async function newIndex(): Promise<{
  readonly olhs: OlhIndex;
  readonly index: ObjectIndex;
  readonly pool: MemoryPool;
}> {
  const pool = new MemoryPool();
  for (const oid of indexOids('b', 3)) {
    pool.objects.set(oid, new MemoryObject());
    await pool.io.operate(oid, new ObjectOperation().exec('rgw', 'bucket_init_index', EMPTY));
  }
  const index = new ObjectIndex(pool.io, new IndexChanges(), { bucketId: 'b', shardCount: 3 });
  return { olhs: new OlhIndex(index), index, pool };
}

/** An object as its write tells the index of it, not linked yet. */
async function written(index: ObjectIndex, key: typeof NO_INSTANCE): Promise<void> {
  const meta = { ...NO_META, category: ObjectCategory.main, size: 1n, accountedSize: 1n, etag: 'etag' };
  const prepared = await index.prepare(key, ModifyOp.add, 'tag');
  await index.complete(prepared, { pool: 1, version: 1 }, meta);
}

test('a version that is linked is in the log, until that is trimmed', async () => {
  const { olhs, index } = await newIndex();
  await written(index, FIRST);
  await olhs.link(FIRST, change('op'), undefined);

  expect(await olhs.read(FIRST)).toMatchObject({ key: { name: '__k', instance: 'first' }, tag: 'olh', exists: true });
  const { log } = await olhs.readLog(NO_INSTANCE, 'olh');
  expect([...log.values()].flat()).toMatchObject([{ opTag: 'op', key: { instance: 'first' } }]);
  await olhs.trimLog(NO_INSTANCE, 'olh', [...log.keys()].at(-1)!);
  expect((await olhs.readLog(NO_INSTANCE, 'olh')).log.size).toBe(0);
  await expect(olhs.readLog(NO_INSTANCE, 'other')).rejects.toMatchObject({ code: Errno.ECANCELED });
});

test('version null is found as an object, as a delete marker, and not when there is none', async () => {
  const { olhs, index } = await newIndex();
  expect(await olhs.readVersion(NO_INSTANCE)).toBeUndefined();
  await written(index, NO_INSTANCE);
  expect(await olhs.readVersion(NO_INSTANCE)).toMatchObject({ exists: true });

  await written(index, FIRST);
  await olhs.link(FIRST, change('a'), undefined);
  expect(await olhs.readVersion(NO_INSTANCE)).toMatchObject({ exists: true });
  await olhs.link(NO_INSTANCE, change('b'), NO_META);
  expect(await olhs.readVersion({ ...NO_INSTANCE, instance: 'null' })).toSatisfy(isDeleteMarker);
});

test('a name whose versions all have ids has no version null', async () => {
  const { olhs, index } = await newIndex();
  await written(index, FIRST);
  await olhs.link(FIRST, change('a'), undefined);

  expect(await olhs.readVersion(NO_INSTANCE)).toBeUndefined();
  expect(await olhs.readVersion(FIRST)).toMatchObject({ key: { instance: 'first' } });
});

test('a listing that saw a name before it came to have versions does not take them from it', async () => {
  const { olhs, index } = await newIndex();
  await index.prepare(NO_INSTANCE, ModifyOp.add, 'seen');
  const shard = shardOf(NO_INSTANCE.name, 3);
  const everything = { start: { name: '', instance: '' }, max: 9, prefix: '', delimiter: '', listVersions: true };
  const [entry] = (await index.listShard(shard, everything)).entries.values();
  await written(index, NO_INSTANCE);
  await olhs.link(NO_INSTANCE, change('op'), undefined);

  await index.suggestUnchanged(shard, { op: SuggestedOp.update, entry: { ...entry!, exists: true, pending: [] } });
  await olhs.unlink(NO_INSTANCE, change('op 2'));
  expect((await index.listShard(shard, everything)).entries.size).toBe(0);
});
