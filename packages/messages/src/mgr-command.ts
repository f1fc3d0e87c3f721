import type { Bytes, Uuid } from '@spirula/encoding';
import { Priority, type PublicCodec, STRING_BYTES, UUID_BYTES } from './public-codec.ts';

/** A command to the active manager (MMgrCommand). */
export interface MgrCommand {
  readonly type: 'mgr_command';
  readonly tid: bigint;
  readonly fsid: Uuid;
  readonly cmd: readonly string[];
  readonly data: Bytes;
}

export interface MgrCommandReply {
  readonly type: 'mgr_command_reply';
  readonly tid: bigint;
  readonly code: number;
  readonly status: string;
  readonly data: Bytes;
}

export const mgrCommandCodec: PublicCodec<MgrCommand> = {
  code: 0x709,
  version: 1,
  compat: 1,
  priority: Priority.normal,
  encodeFront(front, { fsid, cmd }) {
    front.raw(fsid);
    front.list(cmd, (line) => front.string(line));
  },
  data: ({ data }) => [data],
  decode: (front, { tid, data }) => ({
    type: 'mgr_command',
    tid,
    fsid: front.raw(UUID_BYTES, 'fsid'),
    cmd: front.list('cmd', STRING_BYTES, () => front.string('cmd')),
    data,
  }),
};

export const mgrCommandReplyCodec: PublicCodec<MgrCommandReply> = {
  code: 0x70a,
  version: 1,
  compat: 1,
  priority: Priority.normal,
  encodeFront(front, { code, status }) {
    front.i32(code);
    front.string(status);
  },
  data: ({ data }) => [data],
  decode: (front, { tid, data }) => ({
    type: 'mgr_command_reply',
    tid,
    code: front.i32('code'),
    status: front.string('status'),
    data,
  }),
};
