import type { Bytes, Uuid } from '@spirula/encoding';
import { Priority, type PublicCodec, STRING_BYTES, UUID_BYTES } from './public-codec.ts';

/** `ceph tell`: a command straight to an OSD or monitor (MCommand). */
export interface Command {
  readonly type: 'command';
  readonly tid: bigint;
  readonly fsid: Uuid;
  readonly cmd: readonly string[];
  readonly data: Bytes;
}

export interface CommandReply {
  readonly type: 'command_reply';
  readonly tid: bigint;
  readonly code: number;
  readonly status: string;
  readonly data: Bytes;
}

export const commandCodec: PublicCodec<Command> = {
  code: 97,
  version: 1,
  compat: 1,
  priority: Priority.normal,
  encodeFront(front, { fsid, cmd }) {
    front.raw(fsid);
    front.list(cmd, (line) => front.string(line));
  },
  data: ({ data }) => [data],
  decode: (front, { tid, data }) => ({
    type: 'command',
    tid,
    fsid: front.raw(UUID_BYTES, 'fsid'),
    cmd: front.list('cmd', STRING_BYTES, () => front.string('cmd')),
    data,
  }),
};

export const commandReplyCodec: PublicCodec<CommandReply> = {
  code: 98,
  version: 1,
  compat: 1,
  priority: Priority.normal,
  encodeFront(front, { code, status }) {
    front.i32(code);
    front.string(status);
  },
  data: ({ data }) => [data],
  decode: (front, { tid, data }) => ({
    type: 'command_reply',
    tid,
    code: front.i32('code'),
    status: front.string('status'),
    data,
  }),
};
