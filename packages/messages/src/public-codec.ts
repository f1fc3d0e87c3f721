import type { Bytes, Decoder, Encoder } from '@spirula/encoding';

/** CEPH_MSG_PRIO_*: of what monitors send, of most else, and of OSD requests. */
export const Priority = { high: 196, normal: 127, low: 63 } as const;

/** What a frame says of a message beside its front. */
interface FrontContext {
  readonly version: number;
  readonly tid: bigint;
  readonly data: Bytes;
}

/** Ceph's encoding of one message. */
export interface PublicCodec<M> {
  readonly code: number;
  /** Version written, and oldest one read: newer ones only append. */
  readonly version: number;
  readonly compat: number;
  readonly priority: number;
  encodeFront(front: Encoder, message: M): void;
  /** Data segment, in parts. Without it the message has none. */
  data?(message: M): readonly Bytes[];
  /** @throws MalformedInput */
  decode(front: Decoder, context: FrontContext): M;
}

/** The head of every message for a Paxos service (PaxosServiceMessage): no one reads it. */
export function encodePaxosHeader(front: Encoder, version = 0): void {
  front.u64(version);
  front.u16(0xffff);
  front.u64(0);
}

export function skipPaxosHeader(front: Decoder): void {
  front.raw(18, 'paxos header');
}

export const UUID_BYTES = 16;
/** The least bytes a counted string takes. */
export const STRING_BYTES = 4;
