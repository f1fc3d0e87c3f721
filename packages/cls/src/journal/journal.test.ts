import { Errno } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { MemoryObject } from '../memory-object.test-support.ts';
import { encodeWith } from '../stored-key.ts';
import { journalClass } from './journal.ts';

const append = (softMaxSize: number, bytes: number) =>
  encodeWith((encoder) => {
    encoder.u64(softMaxSize);
    encoder.blob(new Uint8Array(bytes).fill(1));
  });

test('where clients know to skip it, an object is filled up to what the store allocates', () => {
  const object = new MemoryObject();
  object.minCompatibleClient = 15;

  expect(object.call(journalClass, 'append', append(8192, 10)).code).toBe(0);
  expect(object.stored.data?.length).toBe(4096);
  expect(object.call(journalClass, 'append', append(8192, 4096)).code).toBe(0);
  expect(object.stored.data?.length).toBe(8192);
  expect(object.call(journalClass, 'append', append(8192, 1)).code).toBe(Errno.EOVERFLOW);
});

test('for older clients entries follow one another', () => {
  const object = new MemoryObject();
  object.minCompatibleClient = 14;

  object.call(journalClass, 'append', append(8192, 10));
  object.call(journalClass, 'append', append(8192, 10));

  expect(object.stored.data?.length).toBe(20);
});
