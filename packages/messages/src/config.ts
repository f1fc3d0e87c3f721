import { Priority, type PublicCodec, STRING_BYTES } from './public-codec.ts';
/** Options the monitors set for the receiver (MConfig). Must be sent even when empty: clients wait for it. */
export interface ConfigMessage {
  readonly type: 'config';
  readonly config: ReadonlyMap<string, string>;
}

export const configCodec: PublicCodec<ConfigMessage> = {
  code: 62,
  version: 1,
  compat: 1,
  priority: Priority.high,
  encodeFront(front, { config }) {
    front.map(
      config,
      (name) => front.string(name),
      (value) => front.string(value),
    );
  },
  decode: (front) => ({
    type: 'config',
    config: front.map(
      'config',
      2 * STRING_BYTES,
      () => front.string('option'),
      () => front.string('value'),
    ),
  }),
};
