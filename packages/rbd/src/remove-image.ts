/** Removing an image (librbd/image/RemoveRequest.cc, DetachChildRequest.cc). */
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, type Rados, RadosError } from '@spirula/rados';
import { CLASS, classCall } from './class-calls.ts';
import type { ImageHeader } from './image-header.ts';
import { imageIdOf } from './images.ts';
import { DIRECTORY, headerObject, idObject, objectMapObject } from './names.ts';
import { detachFromParent } from './parents.ts';
import { type ImageWorld, WritableImage } from './writable-image.ts';

/**
 * What is begun and not ended is an image still, with less in it: it is removed again.
 *
 * @throws RadosError ENOENT; ENOTEMPTY: it has snapshots; EBUSY: somebody has it open
 */
export async function removeImage(rados: Rados, io: IoCtx, name: RawString, world: ImageWorld): Promise<void> {
  const id = await imageIdOf(io, name);
  const image = await WritableImage.open(rados, io, name, world);
  let header: ImageHeader;
  try {
    ({ header } = image);
    if (header.snapshots.length > 0) throw new RadosError(Errno.ENOTEMPTY, `image ${name}`);
    if ((await io.listWatchers(headerObject(id))).length > 1) throw new RadosError(Errno.EBUSY, `image ${name}`);
    await image.resize(0);
  } finally {
    await image.close();
  }
  if (header.parent) await detachFromParent(rados, { io, id }, header.parent);
  for (const oid of [objectMapObject(id), headerObject(id), idObject(name)]) await removeIfThere(io, oid);
  const remove = classCall(
    'dir_remove_image',
    () => undefined,
    (to) => {
      to.rawString(name);
      to.rawString(id);
    },
  );
  await io.operate(DIRECTORY, new ObjectOperation().exec(CLASS, remove.method, remove.input, 'write'));
}

async function removeIfThere(io: IoCtx, oid: RawString): Promise<void> {
  const { result } = await io.submit(oid, new ObjectOperation().remove());
  if (result < 0 && result !== Errno.ENOENT) throw new RadosError(result, oid);
}
