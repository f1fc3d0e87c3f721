/** How much a bucket or user may hold (RGWQuotaInfo, rgw_quota_types.h). */
import type { Decoder, Encoder } from '@spirula/encoding';

export interface Quota {
  readonly enabled: boolean;
  /** Whether bytes are compared as they are; otherwise each object counts in whole blocks of 4 KiB. */
  readonly checkOnRaw: boolean;
  /** Bytes; negative: no limit. */
  readonly maxSize: bigint;
  /** Negative: no limit. */
  readonly maxObjects: bigint;
}

export const NO_QUOTA: Quota = { enabled: false, checkOnRaw: false, maxSize: -1n, maxObjects: -1n };

const KIB = 1024n;

export interface QuotaChange {
  /** Bytes; negative: no limit. Undefined: as it was, as for the others. */
  readonly maxSize?: bigint | undefined;
  readonly maxObjects?: bigint | undefined;
  readonly enabled?: boolean | undefined;
}

/** Sizes are kept in whole KiB. */
export function changedQuota(quota: Quota, { maxSize, maxObjects, enabled }: QuotaChange): Quota {
  return {
    ...quota,
    ...(maxSize !== undefined && { maxSize: maxSize < 0n ? -1n : roundedKib(maxSize) * KIB }),
    ...(maxObjects !== undefined && { maxObjects: maxObjects < 0n ? -1n : maxObjects }),
    ...(enabled !== undefined && { enabled }),
  };
}

/** Whole KiB, upwards; as C divides, so that -1 is 0 (rgw_rounded_kb). */
export function roundedKib(bytes: bigint): bigint {
  return (bytes + KIB - 1n) / KIB;
}

export function encodeQuota(to: Encoder, { enabled, checkOnRaw, maxSize, maxObjects }: Quota): void {
  to.struct(3, 1, () => {
    to.u64big(maxSize < 0n ? -roundedKib(-maxSize) : roundedKib(maxSize));
    to.u64big(maxObjects);
    to.bool(enabled);
    to.u64big(maxSize);
    to.bool(checkOnRaw);
  });
}

/** @throws MalformedInput */
export function decodeQuota(from: Decoder): Quota {
  return from.struct('quota', 3, (version) => {
    const maxKib = from.i64big('max size in KiB');
    const maxObjects = from.i64big('max objects');
    const enabled = from.bool('enabled');
    const maxSize = version >= 2 ? from.i64big('max size') : maxKib * KIB;
    return { enabled, checkOnRaw: version >= 3 && from.bool('check on raw'), maxSize, maxObjects };
  });
}
