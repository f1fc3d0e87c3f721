import type { Bytes } from '@spirula/encoding';
import { encodePaxosHeader, Priority, type PublicCodec, skipPaxosHeader } from './public-codec.ts';

/** Goes on authenticating on a session with a monitor: for new tickets, and rotating secrets (MAuth). */
export interface AuthMessage {
  readonly type: 'auth';
  readonly tid: bigint;
  /** CEPH_AUTH_* method. */
  readonly protocol: number;
  readonly payload: Bytes;
}

/** MAuthReply. */
export interface AuthReply {
  readonly type: 'auth_reply';
  readonly tid: bigint;
  readonly protocol: number;
  /** 0 or a negative errno. */
  readonly result: number;
  readonly globalId: bigint;
  readonly payload: Bytes;
}

export const authCodec: PublicCodec<AuthMessage> = {
  code: 17,
  version: 1,
  compat: 1,
  priority: Priority.normal,
  encodeFront(front, { protocol, payload }) {
    encodePaxosHeader(front);
    front.u32(protocol);
    front.blob(payload);
    // Epoch of the sender's MonMap: nobody reads it any more.
    front.u32(0);
  },
  decode(front, { tid }) {
    skipPaxosHeader(front);
    const message = {
      type: 'auth',
      tid,
      protocol: front.u32('auth protocol'),
      payload: front.blob('auth payload'),
    } as const;
    if (front.remaining > 0) front.u32('monmap epoch');
    return message;
  },
};

export const authReplyCodec: PublicCodec<AuthReply> = {
  code: 18,
  version: 1,
  compat: 1,
  priority: Priority.high,
  encodeFront(front, { protocol, result, globalId, payload }) {
    front.u32(protocol);
    front.i32(result);
    front.u64big(globalId);
    front.blob(payload);
    front.string('');
  },
  decode(front, { tid }) {
    const message = {
      type: 'auth_reply',
      tid,
      protocol: front.u32('auth protocol'),
      result: front.i32('auth result'),
      globalId: front.u64big('global id'),
      payload: front.blob('auth payload'),
    } as const;
    front.string('auth result text');
    return message;
  },
};
