/** omap keys in the order of times, as the classes log and timeindex make them: `1_0000000100.000005_`. */
import {
  type Bytes,
  type Decoder,
  decodeUTime,
  Encoder,
  encodeUTime,
  type RawString,
  type UTime,
} from '@spirula/encoding';

/** Before every key, so that others can stand beside them. */
export const TIME_KEY_PREFIX: RawString = '1_';

const NSEC_PER_USEC = 1000;

/** What every key of this microsecond begins with. */
export function timeKeyPrefix({ sec, nsec }: UTime): RawString {
  const usec = Math.floor(nsec / NSEC_PER_USEC);
  return `${TIME_KEY_PREFIX}${String(sec).padStart(10, '0')}.${String(usec).padStart(6, '0')}_`;
}

/** Which keys are to be listed: cls_log_list_op and cls_timeindex_list_op are the same. */
export interface TimeListInput {
  readonly from: UTime;
  /** Instead of `from`, when not empty: entries behind this key. */
  readonly marker: RawString;
  /** Not included; each class says when it counts. */
  readonly to: UTime;
  readonly maxEntries: number;
}

export function encodeTimeListInput({ from, marker, to, maxEntries }: TimeListInput): Bytes {
  const encoder = new Encoder();
  encoder.struct(1, 1, () => {
    encodeUTime(encoder, from);
    encoder.rawString(marker);
    encodeUTime(encoder, to);
    encoder.i32(maxEntries);
  });
  return encoder.finish();
}

export function decodeTimeListInput(decoder: Decoder): TimeListInput {
  return decoder.struct('list', 1, () => ({
    from: decodeUTime(decoder, 'from time'),
    marker: decoder.rawString('marker'),
    to: decodeUTime(decoder, 'to time'),
    maxEntries: decoder.i32('max entries'),
  }));
}
