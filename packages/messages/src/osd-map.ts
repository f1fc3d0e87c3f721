import type { Bytes, Epoch, PoolId, Uuid } from '@spirula/encoding';
import type { SnapInterval } from '@spirula/maps';
import { Priority, type PublicCodec, UUID_BYTES } from './public-codec.ts';

/** OSDMaps, encoded, whole or as increments (MOSDMap). */
export interface OsdMapMessage {
  readonly type: 'osd_map';
  readonly fsid: Uuid;
  readonly incrementals: ReadonlyMap<Epoch, Bytes>;
  readonly fulls: ReadonlyMap<Epoch, Bytes>;
  /** Oldest and newest epoch the sender has. */
  readonly oldest: Epoch;
  readonly newest: Epoch;
  readonly gapRemovedSnaps: ReadonlyMap<PoolId, readonly SnapInterval[]>;
}

/** Epoch and counted map. */
const MAP_ENTRY_BYTES = 8;
const GAP_ENTRY_BYTES = 12;
const INTERVAL_BYTES = 16;

function byEpoch(maps: ReadonlyMap<Epoch, Bytes>): ReadonlyMap<Epoch, Bytes> {
  return new Map([...maps].sort(([a], [b]) => a - b));
}

export const osdMapCodec: PublicCodec<OsdMapMessage> = {
  code: 41,
  version: 4,
  compat: 3,
  priority: Priority.high,
  encodeFront(front, message) {
    front.raw(message.fsid);
    for (const maps of [message.incrementals, message.fulls]) {
      front.map(
        byEpoch(maps),
        (epoch) => front.u32(epoch),
        (map) => front.blob(map),
      );
    }
    front.u32(message.oldest);
    front.u32(message.newest);
    front.map(
      message.gapRemovedSnaps,
      (pool) => front.i64(pool),
      (intervals) =>
        front.list(intervals, ({ start, length }) => {
          front.u64big(start);
          front.u64big(length);
        }),
    );
  },
  decode(front) {
    const maps = (field: string) =>
      front.map(
        field,
        MAP_ENTRY_BYTES,
        () => front.u32(field),
        () => front.blob(field),
      );
    const interval = () => ({ start: front.u64big('snap interval'), length: front.u64big('snap interval') });
    return {
      type: 'osd_map',
      fsid: front.raw(UUID_BYTES, 'fsid'),
      incrementals: maps('incremental map'),
      fulls: maps('full map'),
      oldest: front.u32('oldest map'),
      newest: front.u32('newest map'),
      gapRemovedSnaps: front.map(
        'gap removed snaps',
        GAP_ENTRY_BYTES,
        () => front.i64('pool'),
        () => front.list('snap intervals', INTERVAL_BYTES, interval),
      ),
    };
  },
};
