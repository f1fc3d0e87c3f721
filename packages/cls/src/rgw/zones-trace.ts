/** The zones that a change has come through (rgw_zone_set): each `ZONE`, or `ZONE:LOCATION`, once and in order. */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';

export type ZonesTrace = readonly RawString[];

export function encodeZonesTrace(encoder: Encoder, trace: ZonesTrace): void {
  encoder.list(trace, (zone) => encoder.rawString(zone));
}

/** @throws MalformedInput */
export function decodeZonesTrace(decoder: Decoder): ZonesTrace {
  const trace = decoder.list('zones trace', 4, () => decoder.rawString('zone'));
  return [...new Set(trace)].sort(compareZones);
}

/** By the zone, then by the location. */
function compareZones(a: RawString, b: RawString): number {
  const [zoneA, zoneB] = [zoneOf(a), zoneOf(b)];
  if (zoneA !== zoneB) return zoneA < zoneB ? -1 : 1;
  return a < b ? -1 : 1;
}

function zoneOf(entry: RawString): RawString {
  return entry.split(':', 1)[0]!;
}
