/** Images in the trash, as the pool's object keeps them (cls/rbd/cls_rbd_types.cc). */
import { type Decoder, decodeUTime, type Encoder, encodeUTime, type RawString, type UTime } from '@spirula/encoding';

/** TRASH_IMAGE_SOURCE_* */
export const TrashSource = { user: 0, mirroring: 1, migration: 2, removing: 3 } as const;

/** TRASH_IMAGE_STATE_* */
export const TrashState = { normal: 0, moving: 1, removing: 2, restoring: 3 } as const;

/** TrashImageSpec. */
export interface TrashedImage {
  /** TRASH_IMAGE_SOURCE_*: who put it here. */
  readonly source: number;
  readonly name: RawString;
  readonly deleted: UTime;
  /** Before, it may not go. */
  readonly deferredUntil: UTime;
  /** TRASH_IMAGE_STATE_*: what is being done with it. */
  readonly state: number;
}

export function encodeTrashedImage(encoder: Encoder, image: TrashedImage): void {
  encoder.struct(2, 1, () => {
    encoder.u8(image.source);
    encoder.rawString(image.name);
    encodeUTime(encoder, image.deleted);
    encodeUTime(encoder, image.deferredUntil);
    encoder.u8(image.state);
  });
}

/** @throws MalformedInput */
export function decodeTrashedImage(decoder: Decoder): TrashedImage {
  return decoder.struct('trashed image', 2, (version) => ({
    source: decoder.u8('source'),
    name: decoder.rawString('name'),
    deleted: decodeUTime(decoder, 'deletion time'),
    deferredUntil: decodeUTime(decoder, 'deferment end time'),
    state: version < 2 ? TrashState.normal : decoder.u8('state'),
  }));
}
