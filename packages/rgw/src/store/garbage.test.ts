/** Garbage in shards in memory, kept by the class `rgw` itself. */
import { builtinClasses, encodeGcQueueInitInput, encodeGcSetInput, encodeReferenceInput } from '@spirula/cls';
import { type Bytes, EMPTY, Errno } from '@spirula/encoding';
import { callArgs, OsdOpCode } from '@spirula/messages';
import { type IoCtx, lockObject, ObjectOperation, RadosError, unlockObject } from '@spirula/rados';
import { expect, test } from 'vitest';
import { MemoryObject } from '../../../cls/src/memory-object.test-support.ts';
import type { DataPools } from './data-pools.ts';
import { Garbage } from './garbage.ts';
import { MemoryPool } from './index-pool.test-support.ts';

const SHARDS = 32;
const refcount = builtinClasses.find(({ name }) => name === 'refcount')!;

function setUp() {
  const pool = new MemoryPool();
  for (let shard = 0; shard < SHARDS; shard++) pool.objects.set(`gc.${shard}`, new MemoryObject());
  /** By name, with the locator. */
  const data = new Map<string, { readonly locator: string; readonly object: MemoryObject }>();
  const broken = new Set<string>();
  const io = (locator: string) =>
    ({
      with: ({ locatorKey }: { readonly locatorKey: string }) => io(locatorKey),
      submit: async (oid: string, { ops }: ObjectOperation) => {
        expect(ops.map(({ code }) => code)).toEqual([OsdOpCode.call]);
        if (broken.has(oid)) return { result: Errno.EIO };
        const found = data.get(oid);
        if (found?.locator !== locator) return { result: Errno.ENOENT };
        const { method, input } = callArgs(ops[0]!);
        const { code } = found.object.call(refcount, method, input);
        if (found.object.stored.data === undefined) data.delete(oid);
        return { result: code };
      },
    }) as unknown as IoCtx;
  const pools = { dataByName: (name: string) => (name === 'data' ? io('') : undefined) } as DataPools;
  const warnings: string[] = [];
  const world = {
    crypto: { randomBytes: (count: number) => new Uint8Array(count).fill(5) },
    log: { warn: (message: string) => void warnings.push(message) },
  };
  const garbage = new Garbage(world as unknown as ConstructorParameters<typeof Garbage>[0], pool.io, pools);
  const wait = (sec: number) => {
    for (const object of pool.objects.values()) object.time = { sec: object.time.sec + sec, nsec: 0 };
  };
  const put = (oid: string, locator = '', pool = 'data') => {
    const object = new MemoryObject();
    object.stored = { ...object.stored, data: EMPTY };
    data.set(oid, { locator, object });
    return { pool, oid, locator };
  };
  return { pool, data, broken, warnings, garbage, wait, put };
}

async function tagsOf(garbage: Garbage, expiredOnly = false): Promise<string[]> {
  const tags: string[] = [];
  for await (const { tag } of garbage.list(expiredOnly)) tags.push(tag);
  return tags.sort();
}

test('a tail goes when its readers have had two hours, at once when all is to go', async () => {
  const { garbage, wait, put, data } = setUp();
  await garbage.add('old', [put('a'), put('_b', '_b')]);
  wait(3600);
  await garbage.add('new', [put('c')]);
  expect(await garbage.process()).toBe(0);

  wait(3601);
  expect(await tagsOf(garbage, true)).toEqual(['old']);
  expect(await garbage.process()).toBe(2);
  expect([await tagsOf(garbage), [...data.keys()]]).toEqual([['new'], ['c']]);

  expect(await garbage.process(true)).toBe(1);
  expect([await tagsOf(garbage), data.size]).toEqual([[], 0]);
});

test('more entries than a page has all go, and what is gone already is no error', async () => {
  const { garbage, put, data, wait } = setUp();
  for (let i = 0; i < 250; i++) {
    // One shard has them all: pages follow one another.
    wait(1);
    await garbage.add(`t${i * SHARDS * 7877}`, [put(`o${i}`)]);
  }
  data.delete('o7');

  expect(await garbage.process(true)).toBe(249);
  expect([await tagsOf(garbage), data.size]).toEqual([[], 0]);
});

test('what cannot be removed stays garbage, and its shard is free for the next try', async () => {
  const { garbage, put, broken, data } = setUp();
  await garbage.add('t', [put('a'), put('b')]);
  broken.add('b');
  await expect(garbage.process(true)).rejects.toThrow(RadosError);
  expect([await tagsOf(garbage), [...data.keys()]]).toEqual([['t'], ['b']]);

  broken.clear();
  expect(await garbage.process(true)).toBe(1);
  expect(await tagsOf(garbage)).toEqual([]);
});

test('a shard that another gateway works on is left to it', async () => {
  const { garbage, put, pool, data } = setUp();
  await garbage.add('t', [put('a')]);
  const cookie = 'other';
  for (const [oid, object] of pool.objects) {
    object.as(2);
    await lockObject(pool.io, oid, 'gc_process', 'exclusive', { cookie, duration: { sec: 60, nsec: 0 } });
    object.as(1);
  }
  expect([await garbage.process(true), data.size]).toEqual([0, 1]);

  for (const [oid, object] of pool.objects) {
    object.as(2);
    await unlockObject(pool.io, oid, 'gc_process', cookie);
  }
  expect(await garbage.process(true)).toBe(1);
});

test('what radosgw keeps in queues goes in the order of its times, up to what is not due', async () => {
  const { garbage, put, pool, data, wait } = setUp();
  const call = (method: string, input: Bytes) =>
    pool.io.operate('gc.3', new ObjectOperation().exec('rgw_gc', method, input, 'write'));
  await call('rgw_gc_queue_init', encodeGcQueueInitInput(1 << 20, 10));
  const enqueue = async (tag: string, expirationSec: number) => {
    const { pool: poolName, oid: name, locator } = put(`of ${tag}`);
    const chain = [{ pool: poolName, key: { name, instance: '' }, locator }];
    const entry = { tag, chain, time: { sec: 0, nsec: 0 } };
    await call('rgw_gc_queue_enqueue', encodeGcSetInput({ expirationSec, entry }));
  };
  await enqueue('a', 10);
  await enqueue('b', 20);
  await enqueue('c', 5000);
  expect(await garbage.process()).toBe(0);

  wait(60);
  expect(await tagsOf(garbage, true)).toEqual(['a', 'b']);
  expect(await garbage.process()).toBe(2);
  expect([await tagsOf(garbage), [...data.keys()]]).toEqual([['c'], ['of c']]);

  expect(await garbage.process(true)).toBe(1);
  expect([await tagsOf(garbage), data.size]).toEqual([[], 0]);
});

test('garbage in a pool that no placement has is told of, and does not hold up the rest', async () => {
  const { garbage, put, warnings, data } = setUp();
  await garbage.add('t', [put('a', '', 'gone'), put('b')]);

  expect(await garbage.process(true)).toBe(1);
  expect([warnings.length, [...data.keys()]]).toEqual([1, ['a']]);
});

test('data that a copy has, too, stay until both are gone, whoever goes first', async () => {
  const { garbage, put, data } = setUp();
  const shared = [put('a'), put('b')];
  const copied = encodeReferenceInput({ tag: 'copy\0', implicit: true });
  for (const { object } of data.values()) expect(object.call(refcount, 'get', copied).code).toBe(0);

  await garbage.add('original\0', [shared[0]!]);
  await garbage.add('copy\0', [shared[1]!]);
  await garbage.process(true);
  expect([...data.keys()]).toEqual(['a', 'b']);

  await garbage.add('copy\0', [shared[0]!]);
  await garbage.add('original\0', [shared[1]!]);
  await garbage.process(true);
  expect(data.size).toBe(0);
});
