import type { Bytes, Uuid } from '@spirula/encoding';
import { Priority, type PublicCodec, STRING_BYTES, UUID_BYTES } from './public-codec.ts';

/** A command straight to a daemon: `command` to an OSD or monitor (MCommand), `mgr_command` to the manager (MMgrCommand). */
interface CommandTo<Type extends string> {
  readonly type: Type;
  readonly tid: bigint;
  readonly fsid: Uuid;
  readonly cmd: readonly string[];
  readonly data: Bytes;
}

interface CommandReplyFrom<Type extends string> {
  readonly type: Type;
  readonly tid: bigint;
  readonly code: number;
  readonly status: string;
  readonly data: Bytes;
}

export type Command = CommandTo<'command'>;
export type CommandReply = CommandReplyFrom<'command_reply'>;
export type MgrCommand = CommandTo<'mgr_command'>;
export type MgrCommandReply = CommandReplyFrom<'mgr_command_reply'>;

export const commandCodec = makeCommandCodec('command', 97);
export const commandReplyCodec = makeReplyCodec('command_reply', 98);
export const mgrCommandCodec = makeCommandCodec('mgr_command', 0x709);
export const mgrCommandReplyCodec = makeReplyCodec('mgr_command_reply', 0x70a);

function makeCommandCodec<Type extends string>(type: Type, code: number): PublicCodec<CommandTo<Type>> {
  return {
    code,
    version: 1,
    compat: 1,
    priority: Priority.normal,
    encodeFront(front, { fsid, cmd }) {
      front.raw(fsid);
      front.list(cmd, (line) => front.string(line));
    },
    data: ({ data }) => [data],
    decode: (front, { tid, data }) => ({
      type,
      tid,
      fsid: front.raw(UUID_BYTES, 'fsid'),
      cmd: front.list('cmd', STRING_BYTES, () => front.string('cmd')),
      data,
    }),
  };
}

function makeReplyCodec<Type extends string>(type: Type, code: number): PublicCodec<CommandReplyFrom<Type>> {
  return {
    code,
    version: 1,
    compat: 1,
    priority: Priority.normal,
    encodeFront(front, reply) {
      front.i32(reply.code);
      front.string(reply.status);
    },
    data: ({ data }) => [data],
    decode: (front, { tid, data }) => ({
      type,
      tid,
      code: front.i32('code'),
      status: front.string('status'),
      data,
    }),
  };
}
