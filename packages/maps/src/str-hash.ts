import type { RawString } from '@spirula/encoding';

const GOLDEN_RATIO = 0x9e3779b9;

/**
 * ceph_str_hash_rjenkins (common/ceph_hash.cc): Jenkins' hash of 1996 over bytes; unsigned 32 bits. Decides the PG of
 * every object.
 */
export function strHashRjenkins(raw: RawString): number {
  let a = GOLDEN_RATIO | 0;
  let b = GOLDEN_RATIO | 0;
  let c = 0;
  const word = (at: number) =>
    raw.charCodeAt(at) |
    (raw.charCodeAt(at + 1) << 8) |
    (raw.charCodeAt(at + 2) << 16) |
    (raw.charCodeAt(at + 3) << 24);
  const byte = (at: number) => (at < raw.length ? raw.charCodeAt(at) : 0);
  const mix = () => {
    a = (a - b - c) ^ (c >>> 13);
    b = (b - c - a) ^ (a << 8);
    c = (c - a - b) ^ (b >>> 13);
    a = (a - b - c) ^ (c >>> 12);
    b = (b - c - a) ^ (a << 16);
    c = (c - a - b) ^ (b >>> 5);
    a = (a - b - c) ^ (c >>> 3);
    b = (b - c - a) ^ (a << 10);
    c = (c - a - b) ^ (b >>> 15);
  };
  let at = 0;
  for (; raw.length - at >= 12; at += 12) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    mix();
  }
  // The last 11 bytes or fewer; the lowest byte of c is left to the length.
  c = (c + raw.length) | 0;
  a = (a + (byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24))) | 0;
  b = (b + (byte(at + 4) | (byte(at + 5) << 8) | (byte(at + 6) << 16) | (byte(at + 7) << 24))) | 0;
  c = (c + ((byte(at + 8) << 8) | (byte(at + 9) << 16) | (byte(at + 10) << 24))) | 0;
  mix();
  return c >>> 0;
}

/** ceph_str_hash_linux: the hash of the kernel's directory cache; unsigned 32 bits. */
export function strHashLinux(raw: RawString): number {
  let hash = 0;
  for (let i = 0; i < raw.length; i++) {
    const c = raw.charCodeAt(i);
    hash = Math.imul(hash + (c << 4) + (c >> 4), 11);
  }
  return hash >>> 0;
}
