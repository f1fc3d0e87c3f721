import type { Bytes, Epoch, PoolId, Uuid } from '@spirula/encoding';

/** POOL_OP_*. */
export const PoolOpCode = {
  create: 0x01,
  delete: 0x02,
  auidChange: 0x03,
  createSnap: 0x11,
  deleteSnap: 0x12,
  createUnmanagedSnap: 0x21,
  deleteUnmanagedSnap: 0x22,
} as const;

export interface PoolOpMessage {
  readonly type: 'pool_op';
  readonly tid: bigint;
  readonly fsid: Uuid;
  readonly pool: PoolId;
  readonly op: number;
  readonly snapid: bigint;
  readonly name: string;
  readonly crushRule: number;
}

export interface PoolOpReply {
  readonly type: 'pool_op_reply';
  readonly tid: bigint;
  readonly fsid: Uuid;
  readonly code: number;
  /** The client waits until it holds this map. */
  readonly epoch: Epoch;
  readonly response: Bytes | undefined;
}
