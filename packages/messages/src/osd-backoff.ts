import type { Epoch, PgId } from '@spirula/encoding';
import { decodeHObject, encodeHObject, type HObject } from '@spirula/maps';
import { decodeSpgId, encodeSpgId } from './osd-op-codec.ts';
import { Priority, type PublicCodec } from './public-codec.ts';

/**
 * An OSD asks a client to send nothing on some objects of a PG until it says so (MOSDBackoff): it drops what comes meanwhile.
 *
 *     OSD --block--> client, --ackBlock--> OSD ... --unblock--> client, who sends again
 */
export interface OsdBackoff {
  readonly type: 'osd_backoff';
  readonly pgid: PgId;
  readonly epoch: Epoch;
  readonly op: BackoffOp;
  /** Of this block, on this session. */
  readonly id: bigint;
  /** The objects from `begin` up to, not including, `end`; when they are the same, that one object. */
  readonly begin: HObject;
  readonly end: HObject;
}

/** CEPH_OSD_BACKOFF_OP_BLOCK and so on, from 1. */
const OPS = ['block', 'ackBlock', 'unblock'] as const;
type BackoffOp = (typeof OPS)[number];

export const osdBackoffCodec: PublicCodec<OsdBackoff> = {
  code: 61,
  version: 1,
  compat: 1,
  priority: Priority.normal,
  encodeFront(front, { pgid, epoch, op, id, begin, end }) {
    encodeSpgId(front, pgid);
    front.u32(epoch);
    front.u8(OPS.indexOf(op) + 1);
    front.u64big(id);
    encodeHObject(front, begin);
    encodeHObject(front, end);
  },
  decode(front) {
    const pgid = decodeSpgId(front);
    const epoch = front.u32('epoch');
    const code = front.u8('backoff op');
    const op = OPS[code - 1] ?? front.fail('backoff op', `is ${code}`);
    const id = front.u64big('backoff id');
    const begin = decodeHObject(front, 'backoff begin');
    return { type: 'osd_backoff', pgid, epoch, op, id, begin, end: decodeHObject(front, 'backoff end') };
  },
};
