import type { RawString } from '@spirula/encoding';
import { type IoCtx, RadosError } from '@spirula/rados';
import { headerObject } from './names.ts';
import { encodeNotice } from './notify-messages.ts';

/** All who have the image open read its header anew; who does not hear of it in time does so later. */
export async function tellOfHeader(io: IoCtx, imageId: RawString): Promise<void> {
  try {
    await io.notify(headerObject(imageId), encodeNotice({ kind: 'headerUpdate' }));
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
  }
}
