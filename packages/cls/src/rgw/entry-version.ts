/** Which write to the data pool an index entry tells of (rgw_bucket_entry_ver), and the packed numbers it is made of. */
import type { Decoder, Encoder } from '@spirula/encoding';

export interface EntryVersion {
  /** The data pool; -1: unknown. */
  readonly pool: bigint;
  /** The object's version there, as the OSD told it; 0: unknown. Of versioned objects: the epoch of their OLH. */
  readonly epoch: bigint;
}

export const NO_ENTRY_VERSION: EntryVersion = { pool: -1n, epoch: 0n };

const U64_BITS = 64;
/** Above this a byte tells how many bytes follow: 0x80 plus 1, 2, 4 or 8. */
const PACKED = 0x80;

/** encode_packed_val: small numbers take less bytes. Takes any 64 bits, signed or not. */
export function encodePacked(encoder: Encoder, number: bigint): void {
  const value = BigInt.asUintN(U64_BITS, number);
  if (value < 0x80n) encoder.u8(Number(value));
  else if (value < 0x100n) {
    encoder.u8(PACKED + 1);
    encoder.u8(Number(value));
  } else if (value <= 0x1_0000n) {
    // 16.2.15 loses what 0x10000 does not fit in.
    encoder.u8(PACKED + 2);
    encoder.u16(Number(value & 0xffffn));
  } else if (value <= 0x100_0000n) {
    encoder.u8(PACKED + 4);
    encoder.u32(Number(value));
  } else {
    encoder.u8(PACKED + 8);
    encoder.u64big(value);
  }
}

/** Unsigned. @throws MalformedInput */
export function decodePacked(decoder: Decoder, field: string): bigint {
  const first = decoder.u8(field);
  if (first < PACKED) return BigInt(first);
  switch (first - PACKED) {
    case 1:
      return BigInt(decoder.u8(field));
    case 2:
      return BigInt(decoder.u16(field));
    case 4:
      return BigInt(decoder.u32(field));
    case 8:
      return decoder.u64big(field);
    default:
      return decoder.fail(field, `a packed number of kind ${first - PACKED}`);
  }
}

export function encodeEntryVersion(encoder: Encoder, { pool, epoch }: EntryVersion): void {
  encoder.struct(1, 1, () => {
    encodePacked(encoder, pool);
    encodePacked(encoder, epoch);
  });
}

/** @throws MalformedInput */
export function decodeEntryVersion(decoder: Decoder): EntryVersion {
  return decoder.struct('version', 1, () => ({
    pool: BigInt.asIntN(U64_BITS, decodePacked(decoder, 'pool')),
    epoch: decodePacked(decoder, 'epoch'),
  }));
}
