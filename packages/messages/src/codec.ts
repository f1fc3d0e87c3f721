/**
 * Every message to and from what msgr2 carries. Ceph's own messages have Ceph's encoding (`public-codec.ts`); those
 * between daemons have type numbers from 0x8000 and msgpack fronts (`private/schema.ts`).
 */
import { type Bytes, Decoder, EMPTY, Encoder, MalformedInput } from '@spirula/encoding';
import type { OutgoingMessage, RawMessage } from '@spirula/msgr';
import { invariant, type WireMessage } from '@spirula/world';
import { authCodec, authReplyCodec } from './auth.ts';
import { commandCodec, commandReplyCodec, mgrCommandCodec, mgrCommandReplyCodec } from './command.ts';
import { configCodec } from './config.ts';
import { getPoolStatsCodec, getPoolStatsReplyCodec } from './get-pool-stats.ts';
import { logAckCodec, logCodec } from './log.ts';
import type { Message, PrivateMessage, PublicMessage } from './message.ts';
import { mgrMapCodec } from './mgr-map.ts';
import { monCommandAckCodec, monCommandCodec } from './mon-command.ts';
import { monGetMapCodec } from './mon-get-map.ts';
import { monGetVersionCodec, monGetVersionReplyCodec } from './mon-get-version.ts';
import { monMapCodec } from './mon-map.ts';
import { monSubscribeCodec } from './mon-subscribe.ts';
import { osdBackoffCodec } from './osd-backoff.ts';
import { osdMapCodec } from './osd-map.ts';
import { osdOpCodec, osdOpReplyCodec } from './osd-op-codec.ts';
import { pingCodec } from './ping.ts';
import { poolOpCodec, poolOpReplyCodec } from './pool-op.ts';
import { privateCodecs as mgrCodecs } from './private/mgr.ts';
import { privateCodecs as monToMonCodecs } from './private/mon-to-mon.ts';
import { packPlain, unpackPlain } from './private/msgpack.ts';
import { osdPerfCodecs } from './private/osd-perf.ts';
import { privateCodecs as osdToMonCodecs } from './private/osd-to-mon.ts';
import { privateCodecs as osdToOsdCodecs } from './private/osd-to-osd.ts';
import {
  bigint,
  bytes,
  type PackContext,
  type PrivateCodec,
  type PrivateCodecs,
  tuple,
  type UnpackContext,
  u32,
  uint,
} from './private/schema.ts';
import { Priority, type PublicCodec } from './public-codec.ts';
import { statfsCodec, statfsReplyCodec } from './statfs.ts';
import { watchNotifyCodec } from './watch-notify.ts';

type CodecOf<M extends PublicMessage> = {
  readonly [T in M['type']]: PublicCodec<Extract<M, { readonly type: T }>>;
};

const publicCodecs: CodecOf<PublicMessage> = {
  command: commandCodec,
  command_reply: commandReplyCodec,
  config: configCodec,
  get_pool_stats: getPoolStatsCodec,
  get_pool_stats_reply: getPoolStatsReplyCodec,
  log: logCodec,
  log_ack: logAckCodec,
  mgr_command: mgrCommandCodec,
  mgr_command_reply: mgrCommandReplyCodec,
  mgr_map: mgrMapCodec,
  mon_command: monCommandCodec,
  mon_command_ack: monCommandAckCodec,
  mon_get_map: monGetMapCodec,
  auth: authCodec,
  auth_reply: authReplyCodec,
  mon_get_version: monGetVersionCodec,
  mon_get_version_reply: monGetVersionReplyCodec,
  mon_map: monMapCodec,
  mon_subscribe: monSubscribeCodec,
  osd_backoff: osdBackoffCodec,
  osd_map: osdMapCodec,
  osd_op: osdOpCodec,
  osd_op_reply: osdOpReplyCodec,
  ping: pingCodec,
  pool_op: poolOpCodec,
  pool_op_reply: poolOpReplyCodec,
  statfs: statfsCodec,
  statfs_reply: statfsReplyCodec,
  watch_notify: watchNotifyCodec,
};

const privateCodecs: PrivateCodecs<PrivateMessage> = {
  ...monToMonCodecs,
  ...osdToMonCodecs,
  ...osdToOsdCodecs,
  ...mgrCodecs,
  ...osdPerfCodecs,
};

/** First type number of messages between daemons; Ceph's own are below. */
const FIRST_PRIVATE_CODE = 0x8000;
const PRIVATE_VERSION = 1;

type AnyPublic = PublicCodec<Message>;
type AnyPrivate = PrivateCodec<object>;

const publicByType = new Map(Object.entries(publicCodecs) as unknown as Iterable<readonly [string, AnyPublic]>);
const privateByType = new Map(Object.entries(privateCodecs) as unknown as Iterable<readonly [string, AnyPrivate]>);
const publicByCode = new Map([...publicByType.values()].map((codec) => [codec.code, codec]));
const privateByCode = new Map([...privateByType].map(([type, codec]) => [codec.code, { type, schema: codec.schema }]));
invariant(publicByCode.size === publicByType.size, 'no two public messages share a type number');
invariant(privateByCode.size === privateByType.size, 'no two private messages share a type number');

/** A well-formed message of a type that is not known here: to be dropped, its session kept. */
export class UnknownMessage extends Error {
  override readonly name = 'UnknownMessage';
  readonly code: number;

  constructor(code: number) {
    super(`message type ${code} is not known`);
    this.code = code;
  }
}

/** Whether a message is one between daemons, accepted only from a peer that is one. */
export function isPrivate(message: WireMessage): message is PrivateMessage {
  return privateByType.has(message.type);
}

/** What msgr2 is to send. The data segment's parts are the message's own bytes, not copies. */
export function encodeMessage(message: Message): OutgoingMessage {
  return encode(message, 0);
}

/**
 * The inverse of `encodeMessage`. Bytes in the result are views of `raw`.
 *
 * @throws MalformedInput when the bytes do not parse, UnknownMessage for a type number not known.
 */
export function decodeMessage(raw: RawMessage): Message {
  return decode(raw, 0);
}

function encode(message: Message, depth: number): OutgoingMessage {
  const codec = publicByType.get(message.type);
  if (codec === undefined) return encodePrivate(message, depth);
  const front = new Encoder();
  codec.encodeFront(front, message);
  return {
    code: codec.code,
    version: codec.version,
    compat: codec.compat,
    priority: codec.priority,
    tid: 'tid' in message ? (message.tid as bigint) : 0n,
    front: front.finish(),
    data: codec.data?.(message) ?? [],
  };
}

function encodePrivate(message: Message, depth: number): OutgoingMessage {
  const codec = privateByType.get(message.type);
  invariant(codec !== undefined, `a message of type ${message.type} has a codec`);
  const payloads: Bytes[] = [];
  const context: PackContext = {
    payloads,
    lastObject: undefined,
    packMessage(inner) {
      invariant(depth === 0, 'a message inside another holds no third');
      const { code, version, compat, tid, front, data } = encode(inner as Message, depth + 1);
      payloads.push(...data);
      return [code, version, compat, tid, front, data.reduce((length, part) => length + part.length, 0)];
    },
  };
  const front = packPlain(codec.schema.pack(message, context));
  const { normal } = Priority;
  const version = PRIVATE_VERSION;
  return { code: codec.code, version, compat: version, priority: normal, tid: 0n, front, data: payloads };
}

function decode(raw: RawMessage, depth: number): Message {
  if (raw.code >= FIRST_PRIVATE_CODE) return decodePrivate(raw, depth);
  const codec = publicByCode.get(raw.code);
  if (codec === undefined) throw new UnknownMessage(raw.code);
  if (raw.compat > codec.version || raw.version < codec.version) {
    const problem = `is ${raw.version}, compatible to ${raw.compat}; known is ${codec.version}`;
    throw new MalformedInput(`version of message type ${raw.code}`, 0, problem);
  }
  const front = new Decoder(raw.front);
  const message = codec.decode(front, raw);
  if (raw.version === codec.version) front.finish(`message type ${raw.code}`);
  if (codec.data === undefined && raw.data.length > 0) {
    throw new MalformedInput(`message type ${raw.code}`, 0, `has ${raw.data.length} bytes of data, none is known`);
  }
  return message;
}

function decodePrivate(raw: RawMessage, depth: number): Message {
  const codec = privateByCode.get(raw.code);
  if (codec === undefined) throw new UnknownMessage(raw.code);
  const { type, schema } = codec;
  if (raw.version !== PRIVATE_VERSION) throw new MalformedInput(`version of ${type}`, 0, `is ${raw.version}`);
  let at = 0;
  const context: UnpackContext = {
    lastObject: undefined,
    takePayload(length, field) {
      if (length > raw.data.length - at) throw new MalformedInput(field, at, `${length} bytes are not there`);
      at += length;
      return raw.data.subarray(at - length, at);
    },
    unpackMessage(plain, field) {
      if (depth > 0) throw new MalformedInput(field, 0, 'a message inside another holds a third');
      return decode(innerMessage(plain, field, context), depth + 1);
    },
  };
  const fields = schema.unpack(unpackPlain(raw.front), type, context);
  if (at !== raw.data.length) throw new MalformedInput(type, at, `${raw.data.length - at} bytes of data are not named`);
  return { type, ...fields } as Message;
}

const innerHead = tuple(u32, u32, u32, bigint, bytes, uint);

function innerMessage(plain: unknown, field: string, context: UnpackContext): RawMessage {
  const [code, version, compat, tid, front, dataLength] = innerHead.unpack(plain, field, context);
  return { code, version, compat, tid, front, middle: EMPTY, data: context.takePayload(dataLength, field) };
}
