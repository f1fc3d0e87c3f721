import type { PoolId, Uuid } from '@spirula/encoding';

export interface Statfs {
  readonly type: 'statfs';
  readonly tid: bigint;
  readonly fsid: Uuid;
  readonly pool: PoolId | undefined;
}

export interface StatfsReply {
  readonly type: 'statfs_reply';
  readonly tid: bigint;
  readonly fsid: Uuid;
  readonly version: number;
  readonly kb: number;
  readonly kbUsed: number;
  readonly kbAvail: number;
  readonly objects: number;
}
