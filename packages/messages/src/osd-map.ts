import type { Bytes, Epoch, PoolId, Uuid } from '@spirula/encoding';
import type { SnapInterval } from '@spirula/maps';

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
