import { Priority, type PublicCodec } from './public-codec.ts';

/** Sent by clients on long operations, and to ask a monitor how it is (MPing): a monitor says so in `status`, as JSON. */
export interface Ping {
  readonly type: 'ping';
  readonly status?: string;
}

export const pingCodec: PublicCodec<Ping> = {
  code: 2,
  version: 1,
  compat: 1,
  priority: Priority.normal,
  encodeFront(front, { status }) {
    if (status !== undefined) front.string(status);
  },
  decode: (front) => ({ type: 'ping', ...(front.remaining > 0 && { status: front.string('status') }) }),
};
