import type { Bytes } from '@spirula/encoding';

/** The MonMap, encoded (MMonMap). */
export interface MonMapMessage {
  readonly type: 'mon_map';
  readonly monmap: Bytes;
}
