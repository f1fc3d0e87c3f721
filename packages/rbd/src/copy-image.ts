/** A copy of an image, or of a snapshot of one, as it is now: one image without snapshots and without a parent (librbd/internal.cc, copy). */
import type { Rados } from '@spirula/rados';
import { allOf } from './ahead.ts';
import type { ImagePlace } from './clone-image.ts';
import { createImage, type NewImage } from './create-image.ts';
import type { Image } from './image.ts';
import { stripePeriod } from './image-layout.ts';
import { imageMetadata, setImageMetadata } from './metadata.ts';
import type { Progress } from './object-map-check.ts';
import { sparseParts } from './sparse-parts.ts';
import { type ImageWorld, WritableImage } from './writable-image.ts';

/** How a copy is another than what it is copied from. */
export type CopyOptions = Partial<Omit<NewImage, 'size'>>;

/** What an image is like that is made like another. */
export function likeImage({ header, size }: Image, options: CopyOptions): NewImage {
  const { layout, order, features } = header;
  return { size, order, features, stripes: { unit: layout.stripeUnit, count: layout.stripeCount }, ...options };
}

/**
 * @param sparseSize pieces of so many bytes that are zero are not written; 0: as long as the copy's objects
 * @throws RadosError EEXIST: there is an image of the copy's name
 */
export async function copyImage(
  rados: Rados,
  source: Image,
  { io, name }: ImagePlace,
  { sparseSize, ...options }: CopyOptions & { readonly sparseSize: number },
  world: ImageWorld,
  onProgress: Progress,
): Promise<void> {
  await createImage(io, name, likeImage(source, options), world);
  const copy = await WritableImage.open(rados, io, name, world);
  try {
    await copyMetadata(source, copy);
    const period = stripePeriod(source.header.layout);
    const unit = sparseSize === 0 ? copy.header.layout.objectSize : sparseSize;
    const pieces = function* () {
      for (let offset = 0; offset < source.size; offset += period) {
        yield async () => {
          onProgress(offset, source.size);
          const bytes = await source.read(offset, period);
          const parts = sparseParts(bytes, unit).filter(({ isZero }) => !isZero);
          await Promise.all(parts.map((part) => copy.write(offset + part.offset, part.bytes)));
        };
      }
    };
    await allOf(pieces());
    onProgress(source.size, source.size);
  } finally {
    await copy.close();
  }
}

export async function copyMetadata({ io, header }: Image, copy: WritableImage): Promise<void> {
  for (const [name, value] of await imageMetadata(io, header.id)) await setImageMetadata(copy, name, value);
}
