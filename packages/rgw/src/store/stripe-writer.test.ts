import { type Bytes, concatBytes } from '@spirula/encoding';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type StripeSink, writeStripes } from './stripe-writer.ts';

/** Remembers what it was given; each write ends when it is told to. */
function recorder(headBytes: number, stripeBytes: number) {
  const stripes = new Map<number, Bytes>();
  const hashed: Bytes[] = [];
  const under: { readonly end: () => void; readonly fail: (error: Error) => void; readonly bytes: number }[] = [];
  const sink: StripeSink = {
    headBytes,
    stripeBytes,
    hasher: { update: (bytes) => void hashed.push(bytes), digest: () => new Uint8Array(0) },
    write: (stripe, data) => {
      stripes.set(stripe, data);
      return new Promise((resolve, reject) => under.push({ end: resolve, fail: reject, bytes: data.length }));
    },
  };
  return { sink, stripes, hashed, under };
}

async function* streamOf(chunks: readonly Bytes[]): AsyncGenerator<Bytes> {
  yield* chunks;
}

async function turns(): Promise<void> {
  for (let i = 0; i < 50; i++) await undefined;
}

test('a stream in pieces of any size becomes a head and whole stripes, and only the last may be short', async () => {
  const chunk = fc.uint8Array({ maxLength: 9 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(chunk, { maxLength: 8 }),
      fc.nat(5),
      fc.integer({ min: 1, max: 5 }),
      async (chunks, headBytes, stripeBytes) => {
        const { sink, stripes, hashed } = recorder(headBytes, stripeBytes);
        const write = async (stripe: number, data: Bytes) => void stripes.set(stripe, data);
        const whole = concatBytes(chunks);

        const { head, size } = await writeStripes(streamOf(chunks), { ...sink, write });

        const lengths = [...stripes.values()].map(({ length }) => length);
        expect(size).toBe(whole.length);
        expect([...stripes.keys()]).toEqual(lengths.map((_, i) => i));
        expect(head.length).toBe(Math.min(headBytes, whole.length));
        expect(lengths.slice(0, -1).every((length) => length === stripeBytes)).toBe(true);
        expect(lengths.every((length) => length > 0)).toBe(true);
        expect(concatBytes([head, ...stripes.values()])).toEqual(whole);
        expect(concatBytes(hashed)).toEqual(whole);
      },
    ),
  );
});

test('of a long stream no more is taken than the window holds until writes end', async () => {
  const { sink, under } = recorder(0, 4 << 20);
  let taken = 0;
  const endless = async function* () {
    for (; taken < 12; taken++) yield new Uint8Array(4 << 20);
  };
  const written = writeStripes(endless(), sink);
  await turns();
  // Four are the window; the fifth waits for room.
  expect(under.length).toBe(5);

  under[2]!.end();
  await turns();
  expect(under.length).toBe(6);
  for (let i = 0; i < under.length; i++) {
    under[i]!.end();
    await turns();
  }
  expect((await written).size).toBe(12 * (4 << 20));
});

test('when a write fails, nothing is answered while others may still arrive', async () => {
  const { sink, under } = recorder(0, 1);
  let outcome = 'none';
  const body = streamOf([new Uint8Array(3)]);
  writeStripes(body, sink).then(
    () => (outcome = 'written'),
    ({ message }: Error) => (outcome = message),
  );
  await turns();
  under[1]!.fail(new Error('no room'));
  under[0]!.end();
  await turns();
  expect(outcome).toBe('none');

  under[2]!.end();
  await turns();
  expect(outcome).toBe('no room');
});

test('a stream that breaks off ends it when all writes under way have ended', async () => {
  const { sink, under } = recorder(1, 2);
  const broken = async function* () {
    yield new Uint8Array(3);
    throw new Error('client went away');
  };
  let outcome = 'none';
  writeStripes(broken(), sink).catch(({ message }: Error) => (outcome = message));
  await turns();
  expect([outcome, under.length]).toEqual(['none', 1]);

  under[0]!.end();
  await turns();
  expect(outcome).toBe('client went away');
});
