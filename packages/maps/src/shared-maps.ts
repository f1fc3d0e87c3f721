/**
 * Reading, following and writing OSDMaps is work that every daemon of a cluster does for every epoch, all with the same
 * result. Daemons that live in one process do it once: what comes of the same bytes is one map, which nobody changes.
 * Nothing of this shows but the time it takes.
 */
import { type Bytes, equalBytes } from '@spirula/encoding';
import { applyIncremental } from './apply-incremental.ts';
import type { OsdMap } from './osdmap.ts';
import { crcOfFullMap, decodeOsdMap, encodeOsdMap } from './osdmap-codec.ts';
import type { OsdMapIncremental } from './osdmap-incremental.ts';
import { decodeIncremental } from './osdmap-incremental-codec.ts';

/** Whole maps that were read last, at most; daemons that start read those of the last epochs. */
const MAX_READ = 32;

/** One step from a map to the next. */
export interface OsdMapStep {
  readonly increment: OsdMapIncremental;
  readonly map: OsdMap;
}

/** The last step taken from each map, and by which bytes. */
const steps = new WeakMap<OsdMap, { readonly bytes: Bytes; readonly step: OsdMapStep }>();
const encodings = new WeakMap<OsdMap, Bytes>();
/** By the CRC that they end with, the oldest first. */
const read = new Map<number, { readonly bytes: Bytes; readonly map: OsdMap }>();

/** The map that an encoded incremental makes of `map`, whatever their epochs. @throws MalformedInput */
export function followIncremental(map: OsdMap, bytes: Bytes): OsdMapStep {
  const known = steps.get(map);
  if (known !== undefined && equalBytes(known.bytes, bytes)) return known.step;
  const increment = decodeIncremental(bytes);
  const step = { increment, map: applyIncremental(map, increment) };
  steps.set(map, { bytes: bytes.slice(), step });
  return step;
}

/** As `encodeOsdMap`. */
export function encodingOf(map: OsdMap): Bytes {
  let bytes = encodings.get(map);
  if (bytes === undefined) {
    bytes = encodeOsdMap(map).slice();
    encodings.set(map, bytes);
  }
  return bytes;
}

/** As `decodeOsdMap`. @throws MalformedInput */
export function readOsdMap(bytes: Bytes): OsdMap {
  const crc = bytes.length < 4 ? 0 : crcOfFullMap(bytes);
  const known = read.get(crc);
  if (known !== undefined && equalBytes(known.bytes, bytes)) return known.map;
  const map = decodeOsdMap(bytes);
  read.delete(crc);
  read.set(crc, { bytes: bytes.slice(), map });
  for (const oldest of read.keys()) {
    if (read.size <= MAX_READ) break;
    read.delete(oldest);
  }
  return map;
}
