export { ahead, allOf, OPERATIONS_AT_ONCE } from './ahead.ts';
export { cloneImage, type NewClone } from './clone-image.ts';
export { createImage, DEFAULT_FEATURES, DEFAULT_ORDER, type NewImage } from './create-image.ts';
export { type DiffExtent, type DiffOptions, diffImage } from './diff.ts';
export { Image } from './image.ts';
export { type HeaderSnapshot, type ImageHeader, isUserSnapshot, type ParentLink } from './image-header.ts';
export { objectCount, stripePeriod } from './image-layout.ts';
export {
  groupOf,
  imageMetadata,
  imageNameOf,
  listImages,
  lockOf,
  type NamedImage,
  snapshotLimitOf,
} from './images.ts';
export { initPool } from './init-pool.ts';
export { removeImage } from './remove-image.ts';
export { type ImageWorld, WritableImage } from './writable-image.ts';
