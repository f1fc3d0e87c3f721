import type { PoolId, Uuid } from '@spirula/encoding';
import { encodePaxosHeader, Priority, type PublicCodec, skipPaxosHeader, UUID_BYTES } from './public-codec.ts';

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

export const statfsCodec: PublicCodec<Statfs> = {
  code: 13,
  version: 2,
  compat: 1,
  priority: Priority.normal,
  encodeFront(front, { fsid, pool }) {
    encodePaxosHeader(front);
    front.raw(fsid);
    front.optional(pool, (id) => front.i64(id));
  },
  decode(front, { tid }) {
    skipPaxosHeader(front);
    return {
      type: 'statfs',
      tid,
      fsid: front.raw(UUID_BYTES, 'fsid'),
      pool: front.optional('pool', () => front.i64('pool')),
    };
  },
};

export const statfsReplyCodec: PublicCodec<StatfsReply> = {
  code: 14,
  version: 1,
  compat: 1,
  priority: Priority.high,
  encodeFront(front, reply) {
    front.raw(reply.fsid);
    front.u64(reply.version);
    front.u64(reply.kb);
    front.u64(reply.kbUsed);
    front.u64(reply.kbAvail);
    front.u64(reply.objects);
  },
  decode: (front, { tid }) => ({
    type: 'statfs_reply',
    tid,
    fsid: front.raw(UUID_BYTES, 'fsid'),
    version: front.u64('version'),
    kb: front.u64('kb'),
    kbUsed: front.u64('kb_used'),
    kbAvail: front.u64('kb_avail'),
    objects: front.u64('num_objects'),
  }),
};
