import type { Bytes } from '@spirula/encoding';
import { Priority, type PublicCodec } from './public-codec.ts';

/** The MonMap, encoded (MMonMap). */
export interface MonMapMessage {
  readonly type: 'mon_map';
  readonly monmap: Bytes;
}

export const monMapCodec: PublicCodec<MonMapMessage> = {
  code: 4,
  version: 1,
  compat: 1,
  priority: Priority.high,
  encodeFront(front, { monmap }) {
    front.blob(monmap);
  },
  decode: (front) => ({ type: 'mon_map', monmap: front.blob('monmap') }),
};
