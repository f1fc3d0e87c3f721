/** Ceph's small structs that every layer uses (include/types.h, osd/osd_types.h, msg/msg_types.h). */
import type { Decoder } from './decoder.ts';
import type { Encoder } from './encoder.ts';
import type { EVersion, PgId, UTime, Uuid } from './types.ts';

export function encodeUTime(to: Encoder, time: UTime): void {
  to.u32(time.sec);
  to.u32(time.nsec);
}

export function decodeUTime(from: Decoder, field: string): UTime {
  const sec = from.u32(field);
  return { sec, nsec: from.u32(field) };
}

export function decodeUuid(from: Decoder, field: string): Uuid {
  return from.raw(16, field).slice();
}

/** pg_t, 17 bytes. */
export function encodePgId(to: Encoder, pg: PgId): void {
  to.u8(1);
  to.i64(pg.pool);
  to.u32(pg.seed);
  to.i32(-1);
}

export function decodePgId(from: Decoder, field: string): PgId {
  const version = from.u8(field);
  if (version !== 1) from.fail(field, `a pg_t of version ${version}`);
  const pool = from.i64(field);
  const seed = from.u32(field);
  from.i32(field);
  return { pool, seed };
}

/** eversion_t: version first. */
export function encodeEVersion(to: Encoder, at: EVersion): void {
  to.u64(at.version);
  to.u32(at.epoch);
}

export function decodeEVersion(from: Decoder, field: string): EVersion {
  const version = from.u64(field);
  return { version, epoch: from.u32(field) };
}
