import type { Bytes } from '@spirula/encoding';
import { Priority, type PublicCodec } from './public-codec.ts';

/** The MgrMap, encoded (MMgrMap). */
export interface MgrMapMessage {
  readonly type: 'mgr_map';
  readonly mgrmap: Bytes;
}

export const mgrMapCodec: PublicCodec<MgrMapMessage> = {
  code: 0x704,
  version: 1,
  compat: 1,
  priority: Priority.high,
  encodeFront(front, { mgrmap }) {
    front.raw(mgrmap);
  },
  decode: (front) => ({ type: 'mgr_map', mgrmap: front.raw(front.remaining, 'mgrmap') }),
};
