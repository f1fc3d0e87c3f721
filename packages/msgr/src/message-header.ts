import { type Bytes, Decoder, Encoder } from '@spirula/encoding';

export const MESSAGE_HEADER_BYTES = 41;
/** Footer flags of a message sent whole: CEPH_MSG_FOOTER_COMPLETE and NOCRC as 16.2 sets them. */
const COMPLETE = 3;

/** ceph_msg_header2: segment 0 of a MESSAGE frame. */
export interface MessageHeader {
  /** From 1, per direction. */
  readonly seq: bigint;
  readonly tid: bigint;
  /** Type number of the message. */
  readonly code: number;
  readonly priority: number;
  readonly version: number;
  readonly compat: number;
  /** Newest `seq` received in the other direction. */
  readonly ack: bigint;
}

export function encodeMessageHeader(header: MessageHeader): Bytes {
  const bytes = new Encoder(MESSAGE_HEADER_BYTES);
  bytes.u64big(header.seq);
  bytes.u64big(header.tid);
  bytes.u16(header.code);
  bytes.u16(header.priority);
  bytes.u16(header.version);
  bytes.u32(0);
  bytes.u16(0);
  bytes.u64big(header.ack);
  bytes.u8(COMPLETE);
  bytes.u16(header.compat);
  bytes.u16(0);
  return bytes.finish();
}

export function decodeMessageHeader(bytes: Bytes): MessageHeader {
  const header = new Decoder(bytes);
  const seq = header.u64big('message seq');
  const tid = header.u64big('message tid');
  const code = header.u16('message type');
  const priority = header.u16('message priority');
  const version = header.u16('message version');
  header.u32('pre-padding length');
  header.u16('data offset');
  const ack = header.u64big('message ack');
  header.u8('message flags');
  const compat = header.u16('message compat');
  header.u16('message reserved');
  return { seq, tid, code, priority, version, compat, ack };
}
