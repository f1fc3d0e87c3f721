import type { Bytes, Uuid } from '@spirula/encoding';

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
