/**
 * One msgr2 connection as a machine over bytes: what arrived goes in through `feed`, what is to be sent comes out of
 * `takeOutput`, and the owner carries both to and from a socket.
 *
 *     banner --> handshake --> ready --> closed
 *        '-----------'-----------'----------^
 */
import {
  type Bytes,
  concatBytes,
  Decoder,
  EMPTY,
  Encoder,
  equalBytes,
  MalformedInput,
  type UTime,
  utf8,
} from '@spirula/encoding';
import { type AuthSecrets, ConnectionMode, type Crypto, invariant, type Peer, type ResetReason } from '@spirula/world';
import type { Allocate } from './collector.ts';
import { type Frame, type Segment, segmentCrc, Tag, tagName } from './frame.ts';
import { FrameOutput } from './frame-output.ts';
import { FrameReader } from './frame-reader.ts';
import {
  expectedTags,
  type HandshakeEffect,
  type HandshakeState,
  type Role,
  startHandshake,
  stepHandshake,
} from './handshake.ts';
import { decodeMessageHeader, encodeMessageHeader, MESSAGE_HEADER_BYTES } from './message-header.ts';
import { type GcmStream, SecureFrameReader, sealFrame, secureStreams } from './secure-frame.ts';
import { Transcript } from './transcript.ts';

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

/** `data`: osd_max_write_size is 90; the rest leaves room for requests of many ops. */
export const DEFAULT_LIMITS: MessageLimits = { front: 64 << 20, middle: 1 << 20, data: 128 << 20 };
/** Of auth none. */
const NO_SIGNATURE: Bytes = new Uint8Array(32);
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
  readonly crypto: MsgrCrypto;
  readonly limits?: MessageLimits;
  /** Where the bytes of large segments go; by default, fresh arrays. */
  readonly allocate?: Allocate;
}

/** What a connection uses of a world's cryptography. */
export type MsgrCrypto = Pick<Crypto, 'crc32c' | 'hmac' | 'timingSafeEqual' | 'aesGcmSeal' | 'aesGcmOpen'>;

export class MsgrConnection {
  readonly #role: Role;
  readonly #crypto: MsgrCrypto;
  readonly #limits: MessageLimits;
  readonly #allocate: Allocate;
  #reader: FrameReader | SecureFrameReader;
  /** In secure mode. */
  #sealing: GcmStream | undefined;
  /** All that was said, until it is signed. */
  #transcript: Transcript | undefined = new Transcript();
  /** What the peer is to sign with. */
  #signature: Bytes = EMPTY;
  #state: State = 'banner';
  #banner: Bytes = EMPTY;
  #handshake: HandshakeState = { name: 'helloWait' };
  readonly #output = new FrameOutput();
  #sentSeq = 0n;
  #receivedSeq = 0n;
  #events: ConnectionEvent[] = [];

  constructor(config: ConnectionConfig) {
    this.#role = config.role;
    this.#crypto = config.crypto;
    this.#limits = config.limits ?? DEFAULT_LIMITS;
    this.#allocate = config.allocate ?? ((bytes) => new Uint8Array(bytes));
    const reader = new FrameReader(config.crypto.crc32c, (tag) => this.#segmentLimits(tag), this.#allocate);
    reader.onBytes = (bytes) => this.#transcript?.received(bytes);
    this.#reader = reader;
    const banner = new Encoder(BANNER_HEAD_BYTES + BANNER_PAYLOAD_BYTES);
    banner.raw(BANNER_PREFIX);
    banner.u16(BANNER_PAYLOAD_BYTES);
    banner.u64big(FEATURE_REVISION_1);
    banner.u64big(0n);
    this.#say(banner.finish());
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

  /** Where the next bytes belong that arrive, if they are of something large: they need not be copied, fed from there. */
  get room(): Uint8Array | undefined {
    return this.#reader.room;
  }

  /** Takes what arrived, in pieces of any size, and returns what came of it: nobody changes `chunk` afterwards. */
  feed(chunk: Bytes): readonly ConnectionEvent[] {
    this.#events = [];
    try {
      let at = 0;
      if (this.#state === 'banner') at = this.#feedBanner(chunk);
      while (at < chunk.length && (this.#state === 'handshake' || this.#state === 'ready')) {
        // What follows the end of authentication may be for another reader.
        const reader = this.#reader;
        at = reader.feed(chunk, at, (frame) => {
          this.#onFrame(frame);
          return this.#state !== 'closed' && this.#reader === reader;
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
    // Sealed frames need no checksums.
    if (this.#sealing !== undefined) {
      return this.#sendFrame(Tag.message, [{ parts: [header] }, front, NO_SEGMENT, data]);
    }
    const { crc32c } = this.#crypto;
    message.crcs ??= { front: segmentCrc(front, crc32c), data: segmentCrc(data, crc32c) };
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
    const { crc32c } = this.#crypto;
    if (this.#sealing === undefined) return this.#output.pushFrame(tag, segments, crc32c);
    let bytes = 0;
    for (const block of sealFrame(this.#sealing, tag, segments, crc32c)) {
      this.#output.pushRaw(block);
      bytes += block.length;
    }
    return bytes;
  }

  /** Of the handshake. */
  #sendPayload(tag: number, payload: Bytes): void {
    if (this.#transcript === undefined) {
      this.#sendFrame(tag, [{ parts: [payload] }]);
      return;
    }
    const frame = new FrameOutput();
    frame.pushFrame(tag, [{ parts: [payload] }], this.#crypto.crc32c);
    this.#say(concatBytes(frame.take()));
  }

  #say(bytes: Bytes): void {
    this.#transcript?.sent(bytes);
    this.#output.pushRaw(bytes);
  }

  /** Signs what was heard, knows how the peer is to sign what was said, and seals what follows, if that was agreed on. */
  #sign(mode: number, secrets: AuthSecrets | undefined): void {
    const transcript = this.#transcript!;
    this.#transcript = undefined;
    const key = secrets?.sessionKey;
    this.#signature = key ? this.#crypto.hmac('sha256', key, transcript.said) : NO_SIGNATURE;
    const own = key ? this.#crypto.hmac('sha256', key, transcript.heard) : NO_SIGNATURE;
    if (mode === ConnectionMode.secure) {
      invariant(secrets !== undefined, 'secure mode has secrets');
      const { receive, send } = secureStreams(this.#crypto, secrets.connectionSecret, this.#role.name);
      const limits = (tag: number) => this.#segmentLimits(tag);
      this.#sealing = send;
      this.#reader = new SecureFrameReader(receive, this.#crypto.crc32c, limits, this.#allocate);
    } else if (this.#reader instanceof FrameReader) this.#reader.onBytes = undefined;
    this.#sendPayload(Tag.authSignature, own);
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
    this.#transcript?.received(seen.slice(0, BANNER_HEAD_BYTES + length));
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
      if (frame.tag === Tag.authSignature && !this.#crypto.timingSafeEqual(frame.segments[0]!, this.#signature)) {
        this.#fail('malformed', 'the authentication signature does not match');
        return;
      }
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
          this.#sendPayload(effect.tag, effect.payload);
          break;
        case 'sign':
          this.#sign(effect.mode, effect.secrets);
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
