import type { Decoder, RawString, UTime } from '@spirula/encoding';

const NSEC_PER_SEC = 1_000_000_000;

export const NO_TIME: UTime = { sec: 0, nsec: 0 };

/** ceph::real_time counts nanoseconds: more than a second's worth of them are seconds. */
export function decodeRealTime(decoder: Decoder, field: RawString): UTime {
  const sec = decoder.u32(field);
  const nsec = decoder.u32(field);
  return { sec: (sec + Math.floor(nsec / NSEC_PER_SEC)) >>> 0, nsec: nsec % NSEC_PER_SEC };
}
