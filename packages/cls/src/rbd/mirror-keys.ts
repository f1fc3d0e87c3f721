/** Where a pool's object keeps its mirrored images: each under its id, and the ids under those that are the same everywhere. */
import type { RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { readKey } from '../stored-key.ts';
import { decodeMirrorImage, type MirrorImage } from './mirror-codec.ts';

export const IMAGE_PREFIX = 'image_';
export const GLOBAL_PREFIX = 'global_';

export function readMirrorImage(object: MethodContext, imageId: RawString): MirrorImage | undefined {
  return readKey(object, IMAGE_PREFIX + imageId, decodeMirrorImage);
}

export function readImageId(object: MethodContext, globalId: RawString): RawString | undefined {
  return readKey(object, GLOBAL_PREFIX + globalId, (decoder) => decoder.rawString('image id'));
}
