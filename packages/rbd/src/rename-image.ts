/** Giving an image another name (librbd/operation/RenameRequest.cc). */
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, type Rados, RadosError } from '@spirula/rados';
import { change, changeIfThere } from './class-calls.ts';
import { idInDirectory } from './images.ts';
import { DIRECTORY, idObject } from './names.ts';
import { type ImageWorld, WritableImage } from './writable-image.ts';

/**
 * Who has it open goes on: the image is known by its id. An end in the middle leaves it under one of the names or both.
 *
 * @throws RadosError ENOENT: there is no such image; EEXIST: there is one of the new name
 */
export async function renameImage(
  rados: Rados,
  io: IoCtx,
  from: RawString,
  to: RawString,
  world: ImageWorld,
): Promise<void> {
  const image = await WritableImage.open(rados, io, from, world);
  try {
    if ((await idInDirectory(io, DIRECTORY, to)) !== undefined) throw new RadosError(Errno.EEXIST, `image ${to}`);
    await image.changeHeader(({ header }) => rename(io, header.id, from, to));
  } finally {
    await image.close();
  }
}

async function rename(io: IoCtx, id: RawString, from: RawString, to: RawString): Promise<void> {
  const setId = change('set_id', (input) => input.rawString(id));
  await io.operate(idObject(to), new ObjectOperation().create(true).add(setId.ops[0]!, 'write'));
  const moveEntry = change('dir_rename_image', (input) => {
    input.rawString(from);
    input.rawString(to);
    input.rawString(id);
  });
  await io.operate(DIRECTORY, moveEntry);
  await changeIfThere(io, idObject(from), new ObjectOperation().remove());
}
