import type { Bytes } from '@spirula/encoding';

/** The MgrMap, encoded (MMgrMap). */
export interface MgrMapMessage {
  readonly type: 'mgr_map';
  readonly mgrmap: Bytes;
}
