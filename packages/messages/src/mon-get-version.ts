import { Priority, type PublicCodec } from './public-codec.ts';
/** Asks for the newest epoch of a map (MMonGetVersion). */
export interface MonGetVersion {
  readonly type: 'mon_get_version';
  readonly tid: bigint;
  readonly handle: bigint;
  readonly what: string;
}

export interface MonGetVersionReply {
  readonly type: 'mon_get_version_reply';
  readonly tid: bigint;
  readonly handle: bigint;
  readonly newest: number;
  readonly oldest: number;
}

export const monGetVersionCodec: PublicCodec<MonGetVersion> = {
  code: 19,
  version: 1,
  compat: 1,
  priority: Priority.normal,
  encodeFront(front, { handle, what }) {
    front.u64big(handle);
    front.string(what);
  },
  decode: (front, { tid }) => ({
    type: 'mon_get_version',
    tid,
    handle: front.u64big('handle'),
    what: front.string('what'),
  }),
};

export const monGetVersionReplyCodec: PublicCodec<MonGetVersionReply> = {
  code: 20,
  version: 2,
  compat: 2,
  priority: Priority.high,
  encodeFront(front, { handle, newest, oldest }) {
    front.u64big(handle);
    front.u64(newest);
    front.u64(oldest);
  },
  decode: (front, { tid }) => ({
    type: 'mon_get_version_reply',
    tid,
    handle: front.u64big('handle'),
    newest: front.u64('newest'),
    oldest: front.u64('oldest'),
  }),
};
