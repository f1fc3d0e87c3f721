import { type Bytes, type Epoch, equalBytes, MalformedInput, type Uuid } from '@spirula/encoding';
import type { OsdMap } from './osdmap.ts';
import { followIncremental, readOsdMap } from './shared-maps.ts';

/** The part of an `osd_map` message that leads from map to map. */
export interface OsdMapFeed {
  readonly fsid: Uuid;
  readonly incrementals: ReadonlyMap<Epoch, Bytes>;
  readonly fulls: ReadonlyMap<Epoch, Bytes>;
}

/**
 * The next OSDMap that `feed` leads to from `current`: by the increment of the following epoch, else the newest whole
 * map in it. Undefined when there is none newer. Call it again with its result until then.
 *
 * @throws MalformedInput when a map does not parse or is not what the feed says.
 */
export function nextOsdMap(current: OsdMap | undefined, feed: OsdMapFeed): OsdMap | undefined {
  if (current && !equalBytes(feed.fsid, current.fsid)) throw new MalformedInput('fsid', 0, 'is another cluster');
  const encoded = current && feed.incrementals.get(current.epoch + 1);
  if (current && encoded) {
    const { increment, map } = followIncremental(current, encoded);
    if (increment.epoch !== current.epoch + 1 || !equalBytes(increment.fsid, current.fsid)) {
      throw new MalformedInput('epoch', 0, 'is not the one the increment was sent for');
    }
    return map;
  }
  const newest = Math.max(current?.epoch ?? 0, ...feed.fulls.keys());
  const full = newest > (current?.epoch ?? 0) ? feed.fulls.get(newest) : undefined;
  if (!full) return undefined;
  const map = readOsdMap(full);
  if (map.epoch !== newest) throw new MalformedInput('epoch', 0, 'is not the one the map was sent for');
  return map;
}
