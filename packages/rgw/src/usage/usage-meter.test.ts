/** Requests counted into a usage log in memory, kept by the class `rgw` itself. */
import { utf8 } from '@spirula/encoding';
import { makeConfig, type World } from '@spirula/world';
import { expect, test } from 'vitest';
import { MemoryObject } from '../../../cls/src/memory-object.test-support.ts';
import type { UserId } from '../formats/user-id.ts';
import { MemoryPool } from '../store/index-pool.test-support.ts';
import type { Store } from '../store/store.ts';
import { categoryOfS3, categoryOfSwift } from './categories.ts';
import { usageDocument } from './usage-document.ts';
import { ALL_USAGE, UsageLog, usageShard } from './usage-log.ts';
import { UsageMeter } from './usage-meter.ts';

const HOUR = 3600;
const BEGIN = 500_000 * HOUR;
const ada: UserId = { tenant: '', ns: '', id: 'ada' };
const eve: UserId = { tenant: '', ns: '', id: 'eve' };

function setUp(settings: Parameters<typeof makeConfig>[0] = {}) {
  const pool = new MemoryPool();
  for (let shard = 0; shard < 32; shard++) pool.objects.set(`usage.${shard}`, new MemoryObject());
  const log = new UsageLog(pool.io);
  const clock = { sec: BEGIN, wall: () => ({ sec: clock.sec, nsec: 0 }) };
  const warnings: string[] = [];
  const world = {
    clock,
    config: makeConfig({ rgw_enable_usage_log: true, ...settings }),
    log: { warn: (message: string) => void warnings.push(message) },
  } as unknown as World;
  const load = async (_: string, name: string) =>
    name === 'photos' || name === 'paid' ? { info: { owner: ada, requesterPays: name === 'paid' } } : undefined;
  const store = { buckets: { load } } as unknown as Store;
  const meter = new UsageMeter({ world, store, log });
  const ask = async (category: string, user: UserId | undefined, bucket: string, status = 200, answer = '') => {
    const call = meter.open()!;
    await call.begin({ category, user, tenant: '', bucket });
    meter.count(call, { status, headers: [], body: utf8(answer) });
  };
  const shown = async () =>
    usageDocument(await log.read(ALL_USAGE), { entries: true, summary: false, categories: new Set() });
  const counted = async () =>
    (await log.read(ALL_USAGE)).flatMap(({ user, bucket, usage }) =>
      [...usage.byCategory].map(([category, { ops, successfulOps, bytesSent, bytesReceived }]) =>
        [user, bucket, category, ops, successfulOps, bytesSent, bytesReceived].join(' '),
      ),
    );
  return { pool, log, clock, warnings, meter, ask, shown, counted };
}

test('a bucket counts for who owns it, whoever asks; what names none, for who asks', async () => {
  const { ask, meter, counted } = setUp();

  await ask('get_obj', eve, 'photos', 200, 'abc');
  await ask('get_obj', undefined, 'photos', 403, 'no');
  await ask('list_buckets', eve, '', 200, 'x');
  await ask('list_buckets', undefined, '');
  await ask('list_bucket', eve, 'nowhere', 404);
  await ask('get_obj', eve, 'photos', 404);
  await ask('create_bucket', eve, 'new');
  await meter.flush();

  expect(await counted()).toEqual([
    'ada - get_obj 1 0 0 0',
    'ada photos get_obj 2 1 5 0',
    'anonymous  list_buckets 1 1 0 0',
    'eve  list_buckets 1 1 1 0',
    'eve new create_bucket 1 1 0 0',
  ]);
});

test('where the requester pays, it counts for the requester', async () => {
  const { ask, meter, log, shown } = setUp();

  await ask('get_obj', eve, 'paid', 200, 'abc');
  await meter.flush();

  expect(await log.read({ ...ALL_USAGE, user: 'ada' })).toEqual([]);
  expect(JSON.parse(JSON.stringify(await shown()))).toMatchObject({
    entries: [{ user: 'eve', buckets: [{ bucket: 'paid', owner: 'ada', payer: 'eve' }] }],
  });
});

test('data of objects count as received, documents do not; an answer counts as far as it was read', async () => {
  const { meter, counted } = setUp();
  async function* pieces() {
    yield utf8('1234');
    yield utf8('56');
  }

  for (const category of ['put_obj', 'put_acls']) {
    const call = meter.open()!;
    await call.begin({ category, user: ada, tenant: '', bucket: 'photos' });
    for await (const _ of call.receive(pieces()));
    const { body } = meter.count(call, { status: 200, headers: [], body: pieces() });
    for await (const _ of body as AsyncIterable<Uint8Array>) if (category === 'put_acls') break;
  }
  await meter.flush();

  expect(await counted()).toEqual(['ada photos put_acls 1 1 4 0', 'ada photos put_obj 1 1 6 6']);
});

test('hours are told apart, and trimmed apart', async () => {
  const { ask, meter, clock, log, counted } = setUp();
  await ask('get_obj', ada, 'photos');
  clock.sec += HOUR - 1;
  await ask('get_obj', ada, 'photos');
  clock.sec += 1;
  await ask('get_obj', ada, 'photos');
  await meter.flush();
  expect(await counted()).toEqual(['ada photos get_obj 3 3 0 0']);

  await log.trim({ ...ALL_USAGE, end: BigInt(BEGIN + HOUR) });
  expect(await counted()).toEqual(['ada photos get_obj 1 1 0 0']);
  await log.clear();
  expect(await counted()).toEqual([]);
});

test('trimming ends though what others paid stays', async () => {
  const { ask, meter, log, counted } = setUp();
  await ask('get_obj', eve, 'paid');
  await meter.flush();

  await log.trim(ALL_USAGE);

  expect(await counted()).toEqual(['eve paid get_obj 1 1 0 0']);
});

test('it is written when there is much, and kept when it cannot be written, up to a bound', async () => {
  const { ask, meter, pool, counted, warnings } = setUp({ rgw_usage_log_flush_threshold: 2 });
  const objects = new Map(pool.objects);
  pool.objects.clear();
  for (let i = 0; i < 30; i++) await ask('get_obj', { ...ada, id: `user${String(i).padStart(2, '0')}` }, '');
  await meter.flush();
  expect(warnings).toContain('usage is not counted: what was counted before cannot be written');

  for (const [oid, object] of objects) pool.objects.set(oid, object);
  await meter.flush();

  expect(await counted()).toHaveLength(20);
});

test('without the option, nothing is counted', () => {
  expect(setUp({ rgw_enable_usage_log: false }).meter.open()).toBeUndefined();
});

test('a user is in one shard', () => {
  // strHashLinux of 'ada' is what radosgw 16.2.15 uses: it writes to usage.10.
  expect(usageShard('ada')).toBe('usage.10');
});

test.each([
  ['PutObject', 'put_obj'],
  ['GetBucketLocation', 'get_bucket_location'],
  ['ListBuckets', 'list_buckets'],
  ['GetSelfUsage', 'get_self_usage'],
])('%s is the category %s', (operation, category) => {
  expect(categoryOfS3(operation)).toBe(category);
});

test("Swift's requests have categories, too", () => {
  expect(categoryOfSwift('object', 'PUT', false, true)).toBe('copy_obj');
  expect(categoryOfSwift('container', 'PUT', false, false)).toBe('create_bucket');
  expect(categoryOfSwift('account', 'POST', true, false)).toBe('bulk_delete');
});
