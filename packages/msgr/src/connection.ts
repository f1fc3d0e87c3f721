/**
 * One msgr2 connection as a machine over bytes: what arrived goes in through `feed`, what is to be sent comes out of
 * `takeOutput`, and the owner carries both to and from a socket.
 *
 *     banner --> handshake --> ready --> closed
 *        '-----------'-----------'----------^
 */
import { type Bytes, Decoder, EMPTY, Encoder, equalBytes, MalformedInput, type UTime, utf8 } from '@spirula/encoding';
import { invariant, type Peer, type ResetReason } from '@spirula/world';
import { type Crc32c, FrameOutput, type Segment, segmentCrc, Tag, tagName } from './frame.ts';
import { type Allocate, type Frame, FrameReader } from './frame-reader.ts';
import {
  expectedTags,
  type HandshakeEffect,
  type HandshakeState,
  type Role,
  startHandshake,
  stepHandshake,
} from './handshake.ts';
import { decodeMessageHeader, encodeMessageHeader, MESSAGE_HEADER_BYTES } from './message-header.ts';

const BANNER_PREFIX = utf8('ceph v2\n');
const BANNER_HEAD_BYTES = BANNER_PREFIX.length + 2;
/** Two feature words follow; a later release may add to them. */
const BANNER_PAYLOAD_BYTES = 16;
const MAX_BANNER_PAYLOAD_BYTES = 256;
/** Frames of msgr2.1: the only kind spoken here, and by Ceph from 14.2.11 on. */
const FEATURE_REVISION_1 = 1n;

/** The most bytes taken of each segment of a message. */
export interface MessageLimits {
  readonly front: number;
  readonly middle: number;
  readonly data: number;
}

/** `data`: osd_max_write_size_mb is 90; the rest leaves room for requests of many ops. */
export const DEFAULT_LIMITS: MessageLimits = { front: 64 << 20, middle: 1 << 20, data: 128 << 20 };
const NO_SEGMENT: Segment = { parts: [] };
/** Of every frame but messages. */
const CONTROL_FRAME_BYTES = 16 << 10;

/** A message as frames carry it. */
export interface RawMessage {
  readonly code: number;
  readonly version: number;
  readonly compat: number;
  readonly tid: bigint;
  readonly front: Bytes;
  readonly middle: Bytes;
  readonly data: Bytes;
}

export interface OutgoingMessage {
  readonly code: number;
  readonly version: number;
  readonly compat: number;
  readonly priority: number;
  readonly tid: bigint;
  readonly front: Bytes;
  /** Sent one after another, uncopied: not to be changed afterwards. */
  readonly data: readonly Bytes[];
  /** Of front and data: put here by the first connection that sends the message, for others that do. */
  crcs?: { readonly front: number; readonly data: number };
}

export type ConnectionEvent =
  | { readonly kind: 'ready'; readonly peer: Peer }
  | { readonly kind: 'message'; readonly message: RawMessage }
  | { readonly kind: 'keepaliveAck'; readonly stamp: UTime }
  /** The last event. Output still waiting should leave before the socket is closed: it may tell the peer why. */
  | { readonly kind: 'failed'; readonly reason: ResetReason; readonly detail: string };

type State = 'banner' | 'handshake' | 'ready' | 'closed';

export interface ConnectionConfig {
  readonly role: Role;
  readonly crc32c: Crc32c;
  readonly limits?: MessageLimits;
  /** Where the bytes of large segments go; by default, fresh arrays. */
  readonly allocate?: Allocate;
}

export class MsgrConnection {
  readonly #role: Role;
  readonly #crc32c: Crc32c;
  readonly #limits: MessageLimits;
  readonly #reader: FrameReader;
  #state: State = 'banner';
  #banner: Bytes = EMPTY;
  #handshake: HandshakeState = { name: 'helloWait' };
  readonly #output = new FrameOutput();
  #sentSeq = 0n;
  #receivedSeq = 0n;
  #events: ConnectionEvent[] = [];

  constructor(config: ConnectionConfig) {
    this.#role = config.role;
    this.#crc32c = config.crc32c;
    this.#limits = config.limits ?? DEFAULT_LIMITS;
    this.#reader = new FrameReader(config.crc32c, (tag) => this.#segmentLimits(tag), config.allocate);
    const banner = new Encoder(BANNER_HEAD_BYTES + BANNER_PAYLOAD_BYTES);
    banner.raw(BANNER_PREFIX);
    banner.u16(BANNER_PAYLOAD_BYTES);
    banner.u64big(FEATURE_REVISION_1);
    banner.u64big(0n);
    this.#output.pushRaw(banner.finish());
  }

  get ready(): boolean {
    return this.#state === 'ready';
  }

  /** True while the peer makes up its mind whether it is who was dialled: one that is not just closes (Ceph does). */
  get awaitsServerIdent(): boolean {
    return this.#state === 'handshake' && this.#role.name === 'client' && this.#handshake.name === 'identWait';
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  /** Bytes that `takeOutput` would return. */
  get outputBytes(): number {
    return this.#output.bytes;
  }

  /** What is to be sent, in order, large parts uncopied. */
  takeOutput(): Bytes[] {
    return this.#output.take();
  }

  /** Takes what arrived, in pieces of any size, and returns what came of it: nobody changes `chunk` afterwards. */
  feed(chunk: Bytes): readonly ConnectionEvent[] {
    this.#events = [];
    try {
      let at = 0;
      if (this.#state === 'banner') at = this.#feedBanner(chunk);
      if (this.#state === 'handshake' || this.#state === 'ready') {
        this.#reader.feed(chunk, at, (frame) => {
          this.#onFrame(frame);
          return this.#state !== 'closed';
        });
      }
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      this.#fail('malformed', error.message);
    }
    return this.#events;
  }

  /** Appends one message to the output and returns its length in bytes. Only when ready. */
  sendMessage(message: OutgoingMessage): number {
    invariant(this.#state === 'ready', 'messages are sent on a connection that is ready');
    this.#sentSeq += 1n;
    const header = encodeMessageHeader({
      seq: this.#sentSeq,
      tid: message.tid,
      code: message.code,
      priority: message.priority,
      version: message.version,
      compat: message.compat,
      ack: this.#receivedSeq,
    });
    const front = { parts: [message.front] };
    const data = { parts: message.data };
    message.crcs ??= { front: segmentCrc(front, this.#crc32c), data: segmentCrc(data, this.#crc32c) };
    const { crcs } = message;
    return this.#sendFrame(Tag.message, [
      { parts: [header] },
      { ...front, crc: crcs.front },
      NO_SEGMENT,
      { ...data, crc: crcs.data },
    ]);
  }

  /** Asks the peer for a sign of life: it answers with the same stamp. Only when ready. */
  sendKeepalive(stamp: UTime): void {
    invariant(this.#state === 'ready', 'keepalives are sent on a connection that is ready');
    const payload = new Encoder(8);
    payload.u32(stamp.sec);
    payload.u32(stamp.nsec);
    this.#sendFrame(Tag.keepalive2, [{ parts: [payload.finish()] }]);
  }

  #sendFrame(tag: number, segments: readonly Segment[]): number {
    return this.#output.pushFrame(tag, segments, this.#crc32c);
  }

  /** Returns how much of `chunk` belonged to the banner. */
  #feedBanner(chunk: Bytes): number {
    const known = this.#banner.length;
    const most = BANNER_HEAD_BYTES + MAX_BANNER_PAYLOAD_BYTES;
    const seen = new Uint8Array(Math.min(known + chunk.length, most));
    seen.set(this.#banner);
    seen.set(chunk.subarray(0, seen.length - known), known);
    this.#banner = seen;

    const prefix = seen.subarray(0, BANNER_PREFIX.length);
    if (!equalBytes(prefix, BANNER_PREFIX.subarray(0, prefix.length))) {
      throw new MalformedInput('banner', 0, 'the peer does not speak msgr2');
    }
    if (seen.length < BANNER_HEAD_BYTES) return chunk.length;
    const banner = new Decoder(seen);
    banner.raw(BANNER_PREFIX.length, 'banner');
    const length = banner.u16('banner length');
    if (length < BANNER_PAYLOAD_BYTES || length > MAX_BANNER_PAYLOAD_BYTES)
      banner.fail('banner length', `is ${length}`);
    if (banner.remaining < length) return chunk.length;
    const supported = banner.u64big('banner supported');
    const required = banner.u64big('banner required');
    if ((supported & FEATURE_REVISION_1) === 0n) banner.fail('banner supported', 'the peer does not know msgr2.1');
    if ((required & ~FEATURE_REVISION_1) !== 0n) banner.fail('banner required', `is 0x${required.toString(16)}`);
    this.#banner = EMPTY;
    this.#state = 'handshake';
    this.#take(startHandshake(this.#role));
    return BANNER_HEAD_BYTES + length - known;
  }

  #segmentLimits(tag: number): readonly number[] | undefined {
    if (this.#state === 'handshake') {
      return expectedTags(this.#role, this.#handshake).includes(tag) ? [CONTROL_FRAME_BYTES] : undefined;
    }
    switch (tag) {
      case Tag.message:
        return [MESSAGE_HEADER_BYTES, this.#limits.front, this.#limits.middle, this.#limits.data];
      case Tag.keepalive2:
      case Tag.keepalive2Ack:
      case Tag.ack:
        return [8];
      default:
        return undefined;
    }
  }

  #onFrame(frame: Frame): void {
    if (this.#state === 'handshake') {
      this.#take(stepHandshake(this.#role, this.#handshake, frame));
      return;
    }
    switch (frame.tag) {
      case Tag.message:
        this.#onMessage(frame);
        return;
      case Tag.keepalive2:
        this.#sendFrame(Tag.keepalive2Ack, [{ parts: [frame.segments[0]!] }]);
        return;
      case Tag.keepalive2Ack:
        this.#onKeepaliveAck(frame);
        return;
      case Tag.ack:
        // Lossy sessions keep nothing to send again.
        return;
      default:
        this.#fail('malformed', `${tagName(frame.tag)} on a session`);
    }
  }

  #onMessage(frame: Frame): void {
    const [head, front, middle, data] = frame.segments as readonly [Bytes, Bytes, Bytes, Bytes];
    const header = decodeMessageHeader(head);
    if (header.seq <= this.#receivedSeq) {
      this.#fail('malformed', `message ${header.seq} follows message ${this.#receivedSeq}`);
      return;
    }
    this.#receivedSeq = header.seq;
    const { code, version, compat, tid } = header;
    this.#events.push({ kind: 'message', message: { code, version, compat, tid, front, middle, data } });
  }

  #onKeepaliveAck(frame: Frame): void {
    const payload = new Decoder(frame.segments[0]!);
    const sec = payload.u32('keepalive seconds');
    const nsec = payload.u32('keepalive nanoseconds');
    this.#events.push({ kind: 'keepaliveAck', stamp: { sec, nsec } });
  }

  #take([state, effects]: readonly [HandshakeState, readonly HandshakeEffect[]]): void {
    this.#handshake = state;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send':
          this.#sendFrame(effect.tag, [{ parts: [effect.payload] }]);
          break;
        case 'ready':
          this.#state = 'ready';
          this.#events.push(effect);
          break;
        case 'fail':
          this.#fail(effect.reason, effect.detail);
          break;
      }
    }
  }

  #fail(reason: ResetReason, detail: string): void {
    this.#state = 'closed';
    this.#events.push({ kind: 'failed', reason, detail });
  }
}
