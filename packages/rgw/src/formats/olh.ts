/** What a head object says of the versions of its object (RGWOLHInfo, RGWOLHPendingInfo). */
import { type Decoder, decodeUTime, type Encoder, encodeUTime, type UTime } from '@spirula/encoding';
import { type BucketObject, decodeBucketObject, encodeBucketObject } from './object.ts';

export interface OlhInfo {
  /** The current version; of the one from before versions, with no instance. */
  readonly target: BucketObject;
  /** It is a delete marker. */
  readonly removed: boolean;
}

export function encodeOlhInfo(to: Encoder, { target, removed }: OlhInfo): void {
  to.struct(1, 1, () => {
    encodeBucketObject(to, target);
    to.bool(removed);
  });
}

/** @throws MalformedInput */
export function decodeOlhInfo(from: Decoder): OlhInfo {
  return from.struct('olh info', 1, () => ({
    target: decodeBucketObject(from),
    removed: from.bool('removed'),
  }));
}

/** A change of which version is current: when it was begun. */
export function encodeOlhPending(to: Encoder, begun: UTime): void {
  to.struct(1, 1, () => encodeUTime(to, begun));
}

/** @throws MalformedInput */
export function decodeOlhPending(from: Decoder): UTime {
  return from.struct('olh pending', 1, () => decodeUTime(from, 'time'));
}
