import type { Bytes, Uuid } from '@spirula/encoding';

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
