import type { Uuid } from '@spirula/encoding';
import type { PoolStat } from './pg-stat.ts';
import { decodePoolStat, encodePoolStat, POOL_STAT_BYTES } from './pool-stat.ts';
import {
  encodePaxosHeader,
  Priority,
  type PublicCodec,
  STRING_BYTES,
  skipPaxosHeader,
  UUID_BYTES,
} from './public-codec.ts';

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

export const getPoolStatsCodec: PublicCodec<GetPoolStats> = {
  code: 58,
  version: 1,
  compat: 1,
  priority: Priority.normal,
  encodeFront(front, { fsid, pools }) {
    encodePaxosHeader(front);
    front.raw(fsid);
    front.list(pools, (name) => front.string(name));
  },
  decode(front, { tid }) {
    skipPaxosHeader(front);
    return {
      type: 'get_pool_stats',
      tid,
      fsid: front.raw(UUID_BYTES, 'fsid'),
      pools: front.list('pools', STRING_BYTES, () => front.string('pool')),
    };
  },
};

export const getPoolStatsReplyCodec: PublicCodec<GetPoolStatsReply> = {
  code: 59,
  version: 2,
  compat: 1,
  priority: Priority.high,
  encodeFront(front, { fsid, stats, perPool }) {
    encodePaxosHeader(front);
    front.raw(fsid);
    front.map(
      stats,
      (name) => front.string(name),
      (stat) => encodePoolStat(front, stat),
    );
    front.bool(perPool);
  },
  decode(front, { tid }) {
    skipPaxosHeader(front);
    return {
      type: 'get_pool_stats_reply',
      tid,
      fsid: front.raw(UUID_BYTES, 'fsid'),
      stats: front.map(
        'pools',
        STRING_BYTES + POOL_STAT_BYTES,
        () => front.string('pool'),
        () => decodePoolStat(front),
      ),
      perPool: front.bool('per_pool'),
    };
  },
};
