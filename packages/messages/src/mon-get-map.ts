import { Priority, type PublicCodec } from './public-codec.ts';
/** Asks a monitor for the MonMap (MMonGetMap). */
export interface MonGetMap {
  readonly type: 'mon_get_map';
}

export const monGetMapCodec: PublicCodec<MonGetMap> = {
  code: 5,
  version: 1,
  compat: 1,
  priority: Priority.normal,
  encodeFront() {},
  decode: () => ({ type: 'mon_get_map' }),
};
