import type { Bytes, Uuid } from '@spirula/encoding';

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
