import { type Bytes, type Decoder, type Encoder, type EVersion, MalformedInput, type PgId } from '@spirula/encoding';
import {
  type ObjectLocator,
  OsdFlag,
  type OsdOp,
  type OsdOpMessage,
  type OsdOpReply,
  outputBytes,
  type ReqId,
} from './osd-op.ts';
import { OSD_OP_ARGS_BYTES } from './osd-op-args.ts';
import { Priority, type PublicCodec } from './public-codec.ts';

/** ceph_osd_op: code, flags, union, payload length. */
const OSD_OP_BYTES = 2 + 4 + OSD_OP_ARGS_BYTES + 4;
/** A blkin trace: three words, unused. */
const TRACE_BYTES = 24;

/** pg_t; no preferred OSD. */
function encodePgId(encoder: Encoder, pgid: PgId): void {
  encoder.u8(1);
  encoder.i64(pgid.pool);
  encoder.u32(pgid.seed);
  encoder.i32(-1);
}

function decodePgId(decoder: Decoder): PgId {
  const version = decoder.u8('pg version');
  if (version !== 1) decoder.fail('pg version', `is ${version}`);
  const pool = decoder.u64('pool');
  const seed = decoder.u32('pg seed');
  decoder.i32('preferred');
  return { pool, seed };
}

/** spg_t; no shard, as replicated pools have it. */
export function encodeSpgId(encoder: Encoder, pgid: PgId): void {
  encoder.struct(1, 1, () => {
    encodePgId(encoder, pgid);
    encoder.u8(0xff);
  });
}

/** @throws MalformedInput */
export function decodeSpgId(decoder: Decoder): PgId {
  return decoder.struct('spg', 1, () => decodePgId(decoder));
}

function encodeVersion(encoder: Encoder, version: EVersion): void {
  encoder.u64(version.version);
  encoder.u32(version.epoch);
}

function decodeVersion(decoder: Decoder, field: string): EVersion {
  const version = decoder.u64(field);
  return { epoch: decoder.u32(field), version };
}

/** osd_reqid_t. */
function encodeReqId(encoder: Encoder, reqid: ReqId): void {
  encoder.struct(2, 2, () => {
    encoder.u8(reqid.entityType);
    encoder.u64big(reqid.entityNum);
    encoder.u64big(reqid.tid);
    encoder.i32(reqid.inc);
  });
}

function decodeReqId(decoder: Decoder): ReqId {
  return decoder.struct('reqid', 2, () => ({
    entityType: decoder.u8('reqid entity type'),
    entityNum: decoder.i64big('reqid entity num'),
    tid: decoder.u64big('reqid tid'),
    inc: decoder.i32('reqid inc'),
  }));
}

/** object_locator_t v6. */
export function encodeObjectLocator(encoder: Encoder, locator: ObjectLocator): void {
  // A reader that knows no hash would place the object wrongly.
  encoder.struct(6, locator.hash === -1n ? 3 : 6, () => {
    encoder.i64(locator.pool);
    encoder.i32(-1);
    encoder.rawString(locator.key);
    encoder.rawString(locator.nspace);
    encoder.u64big(locator.hash);
  });
}

/** @throws MalformedInput */
export function decodeObjectLocator(decoder: Decoder): ObjectLocator {
  return decoder.struct('object locator', 6, (version) => {
    if (version < 6) decoder.fail('object locator', `is of version ${version}`);
    const pool = decoder.i64('locator pool');
    decoder.i32('locator preferred');
    return {
      pool,
      key: decoder.rawString('locator key'),
      nspace: decoder.rawString('locator nspace'),
      hash: decoder.i64big('locator hash'),
    };
  });
}

type OpHead = Pick<OsdOp, 'code' | 'flags' | 'args'>;

function encodeOp(encoder: Encoder, op: OpHead, payloadLength: number): void {
  encoder.u16(op.code);
  encoder.u32(op.flags);
  encoder.raw(op.args);
  encoder.u32(payloadLength);
}

function decodeOp(decoder: Decoder): OpHead & { readonly payloadLength: number } {
  return {
    code: decoder.u16('op code'),
    flags: decoder.u32('op flags'),
    args: decoder.raw(OSD_OP_ARGS_BYTES, 'op args'),
    payloadLength: decoder.u32('op payload length'),
  };
}

/** Cuts the data segment into the ops' payloads, views in their order. */
function payloadsOf(data: Bytes, ops: readonly { readonly payloadLength: number }[]): Bytes[] {
  let at = 0;
  const payloads = ops.map(({ payloadLength }) => {
    const payload = data.subarray(at, at + payloadLength);
    at += payloadLength;
    return payload;
  });
  if (at !== data.length) {
    throw new MalformedInput('op payload length', 0, `the ops claim ${at} bytes of data, there are ${data.length}`);
  }
  return payloads;
}

/** MOSDOp v8 (messages/MOSDOp.h). */
export const osdOpCodec: PublicCodec<OsdOpMessage> = {
  code: 42,
  version: 8,
  compat: 3,
  priority: Priority.low,
  encodeFront(front, message) {
    encodeSpgId(front, message.pgid);
    front.u32(message.hash);
    front.u32(message.epoch);
    front.u32(message.flags);
    encodeReqId(front, message.reqid);
    front.raw(new Uint8Array(TRACE_BYTES));
    front.u32(message.clientInc);
    front.u32(message.mtime.sec);
    front.u32(message.mtime.nsec);
    encodeObjectLocator(front, message.locator);
    front.rawString(message.oid);
    front.u16(message.ops.length);
    for (const op of message.ops) encodeOp(front, op, op.input.length);
    front.u64big(message.snapid);
    front.u64big(message.snapSeq);
    front.list(message.snaps, (snap) => front.u64big(snap));
    front.i32(message.retry);
    front.u64big(message.features);
  },
  data: ({ ops }) => ops.map((op) => op.input),
  decode(front, { tid, data }) {
    const pgid = decodeSpgId(front);
    const hash = front.u32('hash');
    const epoch = front.u32('epoch');
    const flags = front.u32('flags');
    const reqid = decodeReqId(front);
    front.raw(TRACE_BYTES, 'trace');
    const clientInc = front.u32('client inc');
    const mtime = { sec: front.u32('mtime'), nsec: front.u32('mtime') };
    const locator = decodeObjectLocator(front);
    const oid = front.rawString('oid');
    const count = front.u16('op count');
    if (count * OSD_OP_BYTES > front.remaining) front.fail('op count', `${count} ops do not fit`);
    const heads = Array.from({ length: count }, () => decodeOp(front));
    const inputs = payloadsOf(data, heads);
    const ops = heads.map(({ code, flags: opFlags, args }, i) => ({ code, flags: opFlags, args, input: inputs[i]! }));
    return {
      type: 'osd_op',
      tid,
      pgid,
      hash,
      epoch,
      flags,
      reqid,
      clientInc,
      mtime,
      locator,
      oid,
      ops,
      snapid: front.u64big('snapid'),
      snapSeq: front.u64big('snap seq'),
      snaps: front.list('snaps', 8, () => front.u64big('snap')),
      retry: front.i32('retry'),
      features: front.u64big('features'),
    };
  },
};

/** The request's flags and that it is done; alone when it was refused before any op ran (PrimaryLogPG reply_op_error). */
function replyFlags({ flags, result, userVersion }: OsdOpReply): number {
  return result < 0 && userVersion === 0 ? flags : (flags | OsdFlag.ack | OsdFlag.ondisk) >>> 0;
}

/** MOSDOpReply v8 (messages/MOSDOpReply.h). */
export const osdOpReplyCodec: PublicCodec<OsdOpReply> = {
  code: 43,
  version: 8,
  compat: 2,
  priority: Priority.normal,
  encodeFront(front, reply) {
    front.rawString(reply.oid);
    encodePgId(front, reply.pgid);
    front.u64(replyFlags(reply));
    front.i32(reply.result);
    // bad_replay_version: what clients from before user versions read.
    encodeVersion(front, {
      epoch: reply.replayVersion.epoch,
      version: reply.userVersion === 0 ? reply.replayVersion.version : reply.userVersion,
    });
    front.u32(reply.epoch);
    front.list(reply.ops, (op) => encodeOp(front, op, outputBytes(op)));
    front.i32(reply.retry);
    for (const op of reply.ops) front.i32(op.rval);
    encodeVersion(front, reply.replayVersion);
    front.u64(reply.userVersion);
    front.bool(false);
    front.raw(new Uint8Array(TRACE_BYTES));
  },
  data: ({ ops }) => ops.flatMap(({ output, pieces = [] }) => [output, ...pieces]),
  decode(front, { tid, data }) {
    const oid = front.rawString('oid');
    const pgid = decodePgId(front);
    const flags = front.u64('flags');
    const result = front.i32('result');
    decodeVersion(front, 'bad replay version');
    const epoch = front.u32('epoch');
    const heads = front.list('ops', OSD_OP_BYTES, () => decodeOp(front));
    const retry = front.i32('retry');
    const outputs = payloadsOf(data, heads);
    const ops = heads.map(({ code, flags: opFlags, args }, i) => ({
      code,
      flags: opFlags,
      args,
      rval: front.i32('rval'),
      output: outputs[i]!,
    }));
    const replayVersion = decodeVersion(front, 'replay version');
    const userVersion = front.u64('user version');
    if (front.bool('redirect')) front.fail('redirect', 'redirected replies are not known');
    front.raw(TRACE_BYTES, 'trace');
    return { type: 'osd_op_reply', tid, oid, pgid, flags, result, epoch, ops, retry, replayVersion, userVersion };
  },
};
