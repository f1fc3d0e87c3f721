import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WriteBack } from './write-back.ts';

const SIZE = 40;
const range = fc.record({ offset: fc.nat(SIZE - 8), length: fc.integer({ min: 1, max: 8 }) });
const step = fc.oneof(
  fc.record({ kind: fc.constant('put'), range, fill: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constant('read'), range }),
  fc.record({ kind: fc.constant('flush') }),
  /** The next write to the image fails. */
  fc.record({ kind: fc.constant('break') }),
  /** Writes that are under way end. */
  fc.record({ kind: fc.constant('wait') }),
);

/** An image whose writes take a while, and fail when told to. */
class SlowImage {
  readonly bytes = new Uint8Array(SIZE);
  readonly #waiting: (() => void)[] = [];
  isBroken = false;

  async write(offset: number, data: Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.isBroken) {
      this.isBroken = false;
      throw new Error('broken');
    }
    this.bytes.set(data, offset);
  }

  async letGo(): Promise<void> {
    for (const go of this.#waiting.splice(0)) go();
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }

  /** Until the work ends. */
  async settle<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    done.catch(() => {});
    while (!isDone) await this.letGo();
    return await done;
  }
}

test('who reads sees what was put, a flush brings it to the image, and what a flush could not write is held', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.integer({ min: 8, max: 24 }), async (steps, maxBytes) => {
      const image = new SlowImage();
      const cache = new WriteBack(maxBytes, (offset, bytes) => image.write(offset, bytes));
      const model = new Uint8Array(SIZE);
      const flushes: Promise<void>[] = [];
      const read = ({ offset, length }: { offset: number; length: number }) => {
        const lay = cache.over({ offset, length });
        const base = image.bytes.slice(offset, offset + length);
        return lay ? lay(base) : base;
      };
      for (const each of steps) {
        if (each.kind === 'put') {
          const { offset, length } = each.range;
          const data = new Uint8Array(length).fill(each.fill);
          // Where there is no room a flush comes first, and may fail.
          const putting = image.settle(cache.put(offset, data));
          const isPut = await putting.then(
            () => true,
            () => false,
          );
          data.fill(0);
          if (isPut) model.fill(each.fill, offset, offset + length);
        } else if (each.kind === 'read') {
          const { offset, length } = each.range;
          expect([...read(each.range)]).toEqual([...model.subarray(offset, offset + length)]);
        } else if (each.kind === 'flush') flushes.push(cache.flush().catch(() => {}));
        else if (each.kind === 'break') image.isBroken = true;
        else await image.letGo();
        expect([...read({ offset: 0, length: SIZE })]).toEqual([...model]);
      }
      await image.settle(Promise.all(flushes));
      image.isBroken = false;
      await image.settle(cache.flush());
      expect([...image.bytes]).toEqual([...model]);
      expect(cache.isEmpty).toBe(true);
    }),
  );
});

test('what a flush was called after is in the image when it resolves', async () => {
  const image = new SlowImage();
  const cache = new WriteBack(16, (offset, bytes) => image.write(offset, bytes));
  await cache.put(0, Uint8Array.of(1, 2));
  const first = cache.flush();
  await cache.put(1, Uint8Array.of(3, 4));

  await image.settle(Promise.all([first, cache.flush()]));

  expect([...image.bytes.subarray(0, 4)]).toEqual([1, 3, 4, 0]);
});

test('what was held back and is dropped is in no read and no flush', async () => {
  const image = new SlowImage();
  const cache = new WriteBack(16, (offset, bytes) => image.write(offset, bytes));
  await cache.put(3, Uint8Array.of(9));

  expect(cache.drop()).toBe(true);
  expect(cache.drop()).toBe(false);
  expect(cache.over({ offset: 0, length: SIZE })).toBeUndefined();
  await cache.flush();
  expect(image.bytes[3]).toBe(0);
});
