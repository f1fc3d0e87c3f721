import type { QueueEntry } from '@spirula/cls';
import { Encoder } from '@spirula/encoding';
import type { World } from '@spirula/world';
import { expect, test } from 'vitest';
import { type EventRecord, encodeQueuedEvent } from '../formats/notification.ts';
import { Delivery } from './delivery.ts';
import type { Pusher } from './pusher.ts';
import type { EventQueues } from './queues.ts';

const EVENT: EventRecord = {
  eventVersion: '2.2',
  eventSource: 'ceph:s3',
  awsRegion: '',
  eventTime: { sec: 1, nsec: 0 },
  eventName: 'ObjectCreated:Put',
  principalId: 'ada',
  sourceIpAddress: '',
  requestId: '',
  hostId: '',
  schemaVersion: '1.0',
  configurationId: '',
  bucketName: 'b',
  bucketOwner: 'ada',
  bucketArn: '',
  key: '',
  size: 1,
  etag: '',
  versionId: '',
  sequencer: '',
  id: '',
  bucketId: '',
  metadata: new Map(),
  tags: new Map(),
  opaqueData: '',
};

/** One queue in memory; another gateway may hold it. */
function setUp() {
  let now = 0;
  let holder = '';
  const queue: QueueEntry[] = [];
  let made = 0;
  const put = (key: string, pushEndpoint: string) => {
    const to = new Encoder(512);
    encodeQueuedEvent(to, { event: { ...EVENT, key, id: key }, pushEndpoint, pushEndpointArgs: '', arnTopic: 't' });
    queue.push({ data: to.finish(), marker: `m${String(made++).padStart(6, '0')}` });
  };
  const queues = {
    names: async () => ['q'],
    lock: async (_: string, cookie: string) => {
      if (holder !== '' && holder !== cookie) return false;
      holder = cookie;
      return true;
    },
    unlock: async () => {
      holder = '';
    },
    expire: async () => {},
    list: async (_: string, cookie: string, max: number, marker = '') => {
      if (holder !== cookie) return undefined;
      const rest = queue.filter((entry) => entry.marker >= marker);
      const entries = rest.slice(0, max);
      return { entries, truncated: rest.length > max, next: rest[max]?.marker ?? `m${String(made).padStart(6, '0')}` };
    },
    removeUpTo: async (_: string, __: string, end: string) => {
      while (queue[0] && queue[0].marker < end) queue.shift();
    },
  } as unknown as EventQueues;
  const pushed: string[] = [];
  const refused = new Set<string>();
  const pusher = {
    push: async (_: unknown, body: Uint8Array) => {
      const key = JSON.parse(new TextDecoder().decode(body)).Records[0].s3.object.key as string;
      if (refused.has(key)) return { delivered: false, detail: 'refused' };
      pushed.push(key);
      return { delivered: true, detail: '' };
    },
  } as unknown as Pusher;
  const world = {
    clock: { now: () => now, wall: () => ({ sec: 1_000, nsec: 0 }) },
    crypto: { randomBytes: (count: number) => new Uint8Array(count).fill(7) },
    log: { warn: () => {}, error: () => {} },
  } as unknown as Pick<World, 'clock' | 'crypto' | 'log'>;
  const delivery = new Delivery({ world, queues, pusher, wakeAt: () => {} });
  const settle = async () => {
    for (let i = 0; i < 400; i++) await Promise.resolve();
  };
  return {
    put,
    pushed,
    refused,
    left: () => queue.length,
    isHeld: () => holder !== '',
    takeAway: () => {
      holder = 'another';
      queue.shift();
    },
    giveBack: () => {
      holder = '';
    },
    work: async (seconds: number) => {
      now += seconds * 1e6;
      await delivery.work();
      await settle();
    },
  };
}

test('what only radosgw pushes to does not hold up what is behind, and is left to it', async () => {
  const { put, pushed, left, isHeld, work, takeAway, giveBack } = setUp();
  put('a', 'http://x/');
  put('b', 'amqp://broker');
  put('c', 'http://x/');
  put('d', 'kafka://broker');
  put('e', 'http://x/');

  await work(0);
  expect([pushed, left(), isHeld()]).toEqual([['a', 'c', 'e'], 4, false]);

  await work(31);
  expect([pushed, left()]).toEqual([['a', 'c', 'e'], 4]);
  // A radosgw delivers b, and dies.
  takeAway();
  await work(31);
  giveBack();
  await work(31);
  expect([pushed, left(), isHeld()]).toEqual([['a', 'c', 'e'], 2, false]);
});

test('more than a page of them holds up nothing either', async () => {
  const { put, pushed, left, work } = setUp();
  for (let i = 0; i < 200; i++) put(`k${i}`, 'kafka://broker');
  put('last', 'http://x/');

  await work(0);
  expect([pushed, left()]).toEqual([['last'], 201]);
});

test('what a server does not take keeps those behind it waiting, until it takes it', async () => {
  const { put, pushed, refused, left, work } = setUp();
  refused.add('a');
  put('a', 'http://x/');
  put('b', 'http://x/');
  await work(0);
  expect(left()).toBe(2);

  refused.clear();
  await work(2);
  expect([pushed.slice(-2), left()]).toEqual([['a', 'b'], 0]);
});
