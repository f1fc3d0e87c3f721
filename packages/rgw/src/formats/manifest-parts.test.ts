import { expect, test } from 'vitest';
import { uploadedParts } from './manifest-parts.ts';
import { appendManifest, partManifest, wholeManifest } from './manifest-stripes.ts';

const bucket = { tenant: '', name: 'b', marker: 'm', bucketId: 'm', explicitPlacement: undefined };
const given = (objectSize: number) => ({
  object: { bucket, key: { name: 'o', instance: '', ns: '' } },
  objectSize,
  prefix: 'p',
  stripeSize: 4,
  headPlacement: { name: 'default-placement', storageClass: '' },
});

test('the parts of an upload are found again, whatever their sizes and numbers', () => {
  const sizes = new Map([
    [1, 10],
    [2, 10],
    [4, 10],
    [5, 3],
    [9, 12],
  ]);
  const [first, ...others] = [...sizes].map(([number, size]) => partManifest(given(size), number));
  const whole = others.reduce(appendManifest, first!);

  expect(uploadedParts(whole)).toEqual([
    { number: 1, offset: 0, length: 10 },
    { number: 2, offset: 10, length: 10 },
    { number: 4, offset: 20, length: 10 },
    { number: 5, offset: 30, length: 3 },
    { number: 9, offset: 33, length: 12 },
  ]);
});

test('a part may be empty; what was written at once has none', () => {
  expect(uploadedParts(partManifest(given(0), 3))).toEqual([{ number: 3, offset: 0, length: 0 }]);
  expect(uploadedParts(wholeManifest(given(9), 4))).toEqual([]);
});
