import type { Bytes, Epoch, PoolId, Uuid } from '@spirula/encoding';
import { encodePaxosHeader, Priority, type PublicCodec, skipPaxosHeader, UUID_BYTES } from './public-codec.ts';

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

export const poolOpCodec: PublicCodec<PoolOpMessage> = {
  code: 49,
  version: 4,
  compat: 2,
  priority: Priority.normal,
  encodeFront(front, { fsid, pool, op, snapid, name, crushRule }) {
    encodePaxosHeader(front);
    front.raw(fsid);
    front.u32(pool);
    front.u32(op);
    front.u64(0);
    front.u64big(snapid);
    front.string(name);
    front.u8(0);
    front.u16(crushRule & 0xffff);
  },
  decode(front, { tid }) {
    skipPaxosHeader(front);
    const fsid = front.raw(UUID_BYTES, 'fsid');
    const pool = front.u32('pool');
    const op = front.u32('op');
    front.u64big('auid');
    const snapid = front.u64big('snapid');
    const name = front.string('name');
    front.u8('padding');
    return { type: 'pool_op', tid, fsid, pool, op, snapid, name, crushRule: front.i16('crush rule') };
  },
};

export const poolOpReplyCodec: PublicCodec<PoolOpReply> = {
  code: 48,
  version: 1,
  compat: 1,
  priority: Priority.high,
  encodeFront(front, { fsid, code, epoch, response }) {
    encodePaxosHeader(front);
    front.raw(fsid);
    front.i32(code);
    front.u32(epoch);
    front.optional(response, (bytes) => front.blob(bytes));
  },
  decode(front, { tid }) {
    skipPaxosHeader(front);
    return {
      type: 'pool_op_reply',
      tid,
      fsid: front.raw(UUID_BYTES, 'fsid'),
      code: front.i32('code'),
      epoch: front.u32('epoch'),
      response: front.optional('response', () => front.blob('response')),
    };
  },
};
