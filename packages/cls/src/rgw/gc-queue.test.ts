import { type Bytes, Decoder, Errno } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { MemoryObject } from '../memory-object.test-support.ts';
import { NO_TIME } from '../real-time.ts';
import { decodeGcListReply, encodeGcListInput, encodeGcSetInput } from './gc-codec.ts';
import { encodeGcQueueInitInput, encodeGcQueueRemoveInput, rgwGcClass } from './gc-queue.ts';

class Queue {
  readonly object = new MemoryObject();

  constructor(size = 10_000, maxDeferred = 50) {
    this.call('init', encodeGcQueueInitInput(size, maxDeferred));
  }

  call(method: string, input: Bytes): number {
    return this.object.call(rgwGcClass, `rgw_gc_queue_${method}`, input).code;
  }

  set(method: 'enqueue' | 'update_entry', tag: string, expirationSec: number): number {
    return this.call(method, encodeGcSetInput({ expirationSec, entry: { tag, chain: [], time: NO_TIME } }));
  }

  tags(max = 100, expiredOnly = false): readonly string[] {
    const input = encodeGcListInput({ marker: '', max, expiredOnly });
    const { output } = this.object.call(rgwGcClass, 'rgw_gc_queue_list_entries', input);
    return decodeGcListReply(new Decoder(output)).entries.map(({ tag }) => tag);
  }
}

test('entries are listed and removed in the order in which they came', () => {
  const queue = new Queue();
  for (const tag of ['one', 'two', 'three']) queue.set('enqueue', tag, 0);

  expect(queue.tags(2)).toEqual(['one', 'two']);
  expect(queue.call('remove_entries', encodeGcQueueRemoveInput(2))).toBe(0);
  expect(queue.tags()).toEqual(['three']);
});

test('what is not due is not listed, where only that is asked for', () => {
  const queue = new Queue();
  queue.set('enqueue', 'now', 0);
  queue.set('enqueue', 'later', 10);

  expect(queue.tags(100, true)).toEqual(['now']);
  queue.object.time = { sec: queue.object.time.sec + 10, nsec: 0 };
  expect(queue.tags(100, true)).toEqual(['now', 'later']);
});

test('an entry that was deferred is left out', () => {
  const queue = new Queue();
  for (const tag of ['one', 'two']) queue.set('enqueue', tag, 0);

  expect(queue.set('update_entry', 'one', 100)).toBe(0);
  expect(queue.tags()).toEqual(['two']);
});

test('more deferred entries than the head has room for stand in an xattr, up to as many as there may be', () => {
  const queue = new Queue(10_000, 200);
  const tags = Array.from({ length: 200 }, (_, i) => `tag-${String(i).padStart(12, '0')}`);

  for (const tag of tags) expect(queue.set('update_entry', tag, 100)).toBe(0);
  expect(queue.object.stored.xattrs.has('cls_queue_urgent_data')).toBe(true);
  queue.set('enqueue', tags.at(-1)!, 0);
  expect(queue.tags()).toEqual([]);
  expect(queue.set('update_entry', 'another', 100)).toBe(Errno.ENOSPC);
});

test('a full queue takes no more, until entries are removed', () => {
  const queue = new Queue(100);
  expect(queue.set('enqueue', 'one', 0)).toBe(0);
  expect(queue.set('enqueue', 'two', 0)).toBe(0);

  expect(queue.set('enqueue', 'three', 0)).toBe(Errno.ENOSPC);
  queue.call('remove_entries', encodeGcQueueRemoveInput(1));
  expect(queue.set('enqueue', 'three', 0)).toBe(0);
  expect(queue.tags()).toEqual(['two', 'three']);
});
