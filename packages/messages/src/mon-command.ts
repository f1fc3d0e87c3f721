import type { Bytes, Uuid } from '@spirula/encoding';
import {
  encodePaxosHeader,
  Priority,
  type PublicCodec,
  STRING_BYTES,
  skipPaxosHeader,
  UUID_BYTES,
} from './public-codec.ts';

/** A command to the monitors (MMonCommand): one JSON object per string; input beside it. */
export interface MonCommand {
  readonly type: 'mon_command';
  readonly tid: bigint;
  readonly fsid: Uuid;
  readonly cmd: readonly string[];
  readonly data: Bytes;
}

export interface MonCommandAck {
  readonly type: 'mon_command_ack';
  readonly tid: bigint;
  /** 0 or a negative errno. */
  readonly code: number;
  /** Text for standard error. */
  readonly status: string;
  readonly cmd: readonly string[];
  /** Output. */
  readonly data: Bytes;
}

export const monCommandCodec: PublicCodec<MonCommand> = {
  code: 50,
  version: 1,
  compat: 1,
  priority: Priority.normal,
  encodeFront(front, { fsid, cmd }) {
    encodePaxosHeader(front);
    front.raw(fsid);
    front.list(cmd, (line) => front.string(line));
  },
  data: ({ data }) => [data],
  decode(front, { tid, data }) {
    skipPaxosHeader(front);
    return {
      type: 'mon_command',
      tid,
      fsid: front.raw(UUID_BYTES, 'fsid'),
      cmd: front.list('cmd', STRING_BYTES, () => front.string('cmd')),
      data,
    };
  },
};

export const monCommandAckCodec: PublicCodec<MonCommandAck> = {
  code: 51,
  version: 1,
  compat: 1,
  priority: Priority.high,
  encodeFront(front, { code, status, cmd }) {
    encodePaxosHeader(front);
    front.i32(code);
    front.string(status);
    front.list(cmd, (line) => front.string(line));
  },
  data: ({ data }) => [data],
  decode(front, { tid, data }) {
    skipPaxosHeader(front);
    return {
      type: 'mon_command_ack',
      tid,
      code: front.i32('code'),
      status: front.string('status'),
      cmd: front.list('cmd', STRING_BYTES, () => front.string('cmd')),
      data,
    };
  },
};
