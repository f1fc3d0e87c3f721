import { Priority, type PublicCodec } from './public-codec.ts';
/** Sent by clients on long operations (MPing); needs no answer. */
export interface Ping {
  readonly type: 'ping';
}

export const pingCodec: PublicCodec<Ping> = {
  code: 2,
  version: 1,
  compat: 1,
  priority: Priority.normal,
  encodeFront() {},
  decode: () => ({ type: 'ping' }),
};
