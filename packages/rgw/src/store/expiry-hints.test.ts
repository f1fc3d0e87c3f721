/** Notes in shards in memory, kept by the class `timeindex` itself; a radosgw 16.2.15 wrote these very ones. */
import { readFileSync } from 'node:fs';
import { fromHex, toHex, type UTime } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { MemoryObject } from '../../../cls/src/memory-object.test-support.ts';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { decoded } from '../formats/encoded.ts';
import { decodeExpiryHint, type ExpiryHint } from '../formats/expiry-hint.ts';
import { ExpiryHints } from './expiry-hints.ts';
import { MemoryPool } from './index-pool.test-support.ts';

const SHARDS = 127;
const recorded = JSON.parse(readFileSync(new URL('../formats/recorded.json', import.meta.url), 'utf8')).expiryHint;
const ID = 'b713dfe6-a92f-47ba-8c90-833f6a3bb091.4130';

function setUp() {
  const pool = new MemoryPool();
  const hints = new ExpiryHints(pool.io, { randomBytes: (count) => new Uint8Array(count) }, SHARDS);
  for (const shard of hints.shards) pool.objects.set(shard, new MemoryObject());
  const filled = () => [...pool.objects].filter(([, { stored }]) => stored.omap.size > 0);
  return { hints, filled };
}

function bucketOf({ tenant, bucketName, bucketId }: Pick<ExpiryHint, 'tenant' | 'bucketName' | 'bucketId'>) {
  return { bucket: { tenant, name: bucketName, bucketId } } as BucketInfo;
}

test.each([
  ['plain', 78, `1_1893456000.000000_exp:${ID}.1:plain:`],
  ['underscore', 38, `1_1893456000.000000_exp:${ID}.1:_under space:`],
  ['tenanted', 110, `1_1893456001.000000_acme:tenanted:${ID}.2:o:`],
  ['version', 59, `1_1893456002.000000_versioned:${ID}.3:v:Zie9Kq9.aJDjh8CwrOB7JxgJG22-PIh`],
  ['after', 12, `1_1796076131.250404_exp:${ID}.1:both:`],
])('%s stands where radosgw looks for it', async (name, shard, key) => {
  const { hints, filled } = setUp();
  const hint = decoded(decodeExpiryHint, fromHex(recorded[name]));

  await hints.add(bucketOf(hint), { name: hint.name, instance: hint.instance, ns: '' }, hint.deleteAt);

  const [[oid, { stored }] = ['', new MemoryObject()], ...others] = filled();
  expect([oid, others.length]).toEqual([`obj_delete_at_hint.${String(shard).padStart(10, '0')}`, 0]);
  expect([...stored.omap].map(([name, value]) => [name, toHex(value)])).toEqual([[key, recorded[name]]]);
});

test('more notes than a page has are listed in the order of their times, and trimmed up to one of them', async () => {
  const { hints, filled } = setUp();
  const bucket = bucketOf({ tenant: '', bucketName: 'b', bucketId: 'id' });
  const times = Array.from({ length: 250 }, (_, i): UTime => ({ sec: 1000 + ((i * 7) % 250), nsec: 5000 }));
  for (const time of times) await hints.add(bucket, { name: 'a', instance: 'null', ns: '' }, time);
  const [[shard] = ['']] = filled();
  const list = async (to: number, from?: number) => {
    const pages: ExpiryHint[][] = [];
    const lasts: string[] = [];
    const range = hints.list(shard, { sec: to, nsec: 0 }, from === undefined ? undefined : { sec: from, nsec: 0 });
    for await (const { hints: page, last } of range) {
      pages.push([...page]);
      lasts.push(last);
    }
    return { pages: pages.map((page) => page.length), secs: pages.flat().map(({ deleteAt }) => deleteAt.sec), lasts };
  };

  const all = await list(2000);
  expect(all.pages).toEqual([100, 100, 50]);
  expect(all.secs).toEqual(Array.from({ length: 250 }, (_, i) => 1000 + i));
  expect((await list(1010, 1005)).secs).toEqual([1005, 1006, 1007, 1008, 1009]);

  await hints.trim(shard, all.lasts[0]!);
  expect((await list(2000)).secs[0]).toBe(1100);
  await hints.trim(shard, all.lasts[2]!);
  expect(filled()).toEqual([]);
});
