import { readFileSync } from 'node:fs';
import { fromHex } from '@spirula/encoding';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decoded } from './encoded.ts';
import { decodeManifest, type Manifest } from './manifest.ts';
import { appendManifest, partManifest, type Stripe, stripesOf, wholeManifest } from './manifest-stripes.ts';
import { decodeUploadPart } from './upload.ts';

const MIB = 1 << 20;
const recorded = JSON.parse(readFileSync(new URL('./recorded.json', import.meta.url), 'utf8'));
const manifest = (name: string) => decoded(decodeManifest, fromHex(recorded.manifest[name]));
const text = ({ start, length, object, offset }: Stripe) =>
  `${start}+${length} ${object.key.ns}:${object.key.name}@${offset}`;

const bucket = { tenant: '', name: 'b', marker: 'm', bucketId: 'm', explicitPlacement: undefined };
const placement = { name: 'default-placement', storageClass: '' };
const given = (objectSize: number, prefix: string, stripeSize = 4 * MIB) => ({
  object: { bucket, key: { name: 'o', instance: '', ns: '' } },
  objectSize,
  prefix,
  stripeSize,
  headPlacement: placement,
});

test('an object written at once lies in its head and in numbered stripes', () => {
  expect([...stripesOf(manifest('big'))].map(text)).toEqual([
    '0+4194304 :big@0',
    '4194304+4194304 shadow:.u76dzCoGpuUVq-vXcxGPTINP3QsfLJd_1@0',
    '8388608+1048581 shadow:.u76dzCoGpuUVq-vXcxGPTINP3QsfLJd_2@0',
  ]);
});

test('an object uploaded in parts lies in stripes of its parts', () => {
  const upload = 'multi.2~HulxkGF8Mnxo8zLTwNV-IKfUaTxGOx6';

  expect([...stripesOf(manifest('multi'))].map(text)).toEqual([
    `0+4194304 multipart:${upload}.1@0`,
    `4194304+2097152 shadow:${upload}.1_1@0`,
    `6291456+4194304 multipart:${upload}.2@0`,
    `10485760+2097152 shadow:${upload}.2_1@0`,
    `12582912+100 multipart:${upload}.3@0`,
  ]);
});

test('a range is cut from the stripes it touches', () => {
  expect([...stripesOf(manifest('big'), 4 * MIB - 2, 4 * MIB + 3)].map(text)).toEqual([
    '4194302+2 :big@4194302',
    '4194304+3 shadow:.u76dzCoGpuUVq-vXcxGPTINP3QsfLJd_1@0',
  ]);
  expect([...stripesOf(manifest('small'), 1, 1000)].map(text)).toEqual(['1+4 :small@1']);
  expect([...stripesOf(manifest('small'), 5, 9)]).toEqual([]);
});

test('a manifest made for a write is the one that radosgw made', () => {
  for (const name of ['big', 'small', 'version']) {
    const { object, objectSize, prefix, headPlacement } = manifest(name);

    expect(wholeManifest({ object, objectSize, prefix, headPlacement, stripeSize: 4 * MIB }, 4 * MIB)).toEqual(
      manifest(name),
    );
  }
});

test('a manifest made for a part is the one that radosgw made', () => {
  const part = decoded(decodeUploadPart, fromHex(recorded.uploadPart.pending)).manifest;
  const { object, objectSize, prefix, headPlacement, tailPlacement } = part;

  expect(partManifest({ object, objectSize, prefix, headPlacement, tailPlacement, stripeSize: 4 * MIB }, 1)).toEqual(
    part,
  );
});

test('parts put together are the manifest that radosgw made', () => {
  const whole = manifest('multi');
  const { object, prefix, headPlacement, tailPlacement } = whole;
  const parts = [6 * MIB, 6 * MIB, 100].map((objectSize, i) =>
    partManifest({ object, objectSize, prefix, headPlacement, tailPlacement, stripeSize: 4 * MIB }, i + 1),
  );

  expect(parts.reduce(appendManifest)).toEqual(whole);
});

/** What each byte is: the same stripes cut anywhere say the same of it. */
function bytesOf(whole: Manifest, from = 0, to = whole.objectSize): string[] {
  return [...stripesOf(whole, from, to)].flatMap(({ start, length, object, offset }) =>
    Array.from({ length }, (_, i) => `${start + i} ${object.key.ns}:${object.key.name}@${offset + i}`),
  );
}

test('whatever range is asked for, its bytes are those of the whole', () => {
  const size = fc.nat(40);
  fc.assert(
    fc.property(size, fc.nat(8), fc.integer({ min: 1, max: 9 }), size, size, (objectSize, head, stripe, from, to) => {
      const whole = wholeManifest(given(objectSize, '.p_', stripe), head);

      expect(bytesOf(whole)).toHaveLength(objectSize);
      expect(bytesOf(whole, from, to)).toEqual(bytesOf(whole).slice(from, Math.max(from, to)));
    }),
  );
});

const parts = fc.array(
  fc.record({ size: fc.integer({ min: 1, max: 7 }), gap: fc.integer({ min: 1, max: 2 }), other: fc.boolean() }),
  {
    minLength: 1,
    maxLength: 6,
  },
);

test('an object put together of parts has the bytes of the parts, whatever their sizes, numbers and prefixes', () => {
  fc.assert(
    fc.property(parts, (sizes) => {
      let number = 0;
      const each = sizes.map(({ size, gap, other }) => {
        number += gap;
        return partManifest(given(size, other ? 'other' : 'upload', 3), number);
      });
      const withoutStart = (bytes: string[]) => bytes.map((byte) => byte.slice(byte.indexOf(' ')));

      expect(withoutStart(bytesOf(each.reduce(appendManifest)))).toEqual(
        each.flatMap((part) => withoutStart(bytesOf(part))),
      );
    }),
  );
});
