import type { Uuid } from '@spirula/encoding';
import type { PoolStat } from './pg-stat.ts';

export interface GetPoolStats {
  readonly type: 'get_pool_stats';
  readonly tid: bigint;
  readonly fsid: Uuid;
  readonly pools: readonly string[];
}

export interface GetPoolStatsReply {
  readonly type: 'get_pool_stats_reply';
  readonly tid: bigint;
  readonly fsid: Uuid;
  readonly stats: ReadonlyMap<string, PoolStat>;
  readonly perPool: boolean;
}
