import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ImageLayout, imageRanges, objectCount, objectExtents } from './image-layout.ts';

const layouts = fc
  .record({
    unit: fc.integer({ min: 1, max: 8 }),
    perObject: fc.integer({ min: 1, max: 4 }),
    count: fc.integer({ min: 1, max: 4 }),
  })
  .map(
    ({ unit, perObject, count }): ImageLayout => ({
      objectSize: unit * perObject,
      stripeUnit: unit,
      stripeCount: count,
    }),
  );

/** Byte after byte: which object it goes to, and behind what of it. */
function* bytesInOrder({ objectSize, stripeUnit, stripeCount }: ImageLayout) {
  for (let set = 0; ; set++) {
    for (let row = 0; row < objectSize / stripeUnit; row++) {
      for (let column = 0; column < stripeCount; column++) {
        for (let byte = 0; byte < stripeUnit; byte++) {
          yield { object: set * stripeCount + column, offset: row * stripeUnit + byte };
        }
      }
    }
  }
}

test('a stretch of an image is every byte of it once, where stripes put it', () => {
  fc.assert(
    fc.property(layouts, fc.nat(100), fc.nat(100), (layout, offset, length) => {
      const places = bytesInOrder(layout);
      const expected = Array.from({ length: offset + length }, () => places.next().value!).slice(offset);
      const extents = objectExtents(layout, offset, length);
      const found: { object: number; offset: number }[] = [];
      for (const extent of extents) {
        let at = extent.offset;
        for (const range of extent.image) {
          for (let i = 0; i < range.length; i++)
            found[range.offset - offset + i] = { object: extent.object, offset: at++ };
        }
        expect(at).toBe(extent.offset + extent.length);
      }
      expect(found).toEqual(expected);
      const order = extents.map((each) => [each.object, each.offset] as const);
      expect(order).toEqual([...order].sort(([a, b], [c, d]) => a - c || b - d));
    }),
  );
});

test('an image has as many objects as its bytes reach', () => {
  fc.assert(
    fc.property(layouts, fc.nat(100), (layout, size) => {
      const objects = objectExtents(layout, 0, size).map(({ object }) => object);
      expect(objectCount(layout, size)).toBe(size === 0 ? 0 : Math.max(...objects) + 1);
    }),
  );
});

test('what an object holds is what is put there', () => {
  fc.assert(
    fc.property(layouts, fc.nat(12), (layout, object) => {
      const end = (object + layout.stripeCount + 1) * layout.objectSize * layout.stripeCount;
      const there = objectExtents(layout, 0, end).filter((extent) => extent.object === object);
      expect(imageRanges(layout, object)).toEqual(there.flatMap(({ image }) => image));
    }),
  );
});
