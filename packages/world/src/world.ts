/**
 * All that a daemon can reach outside its own memory. Effects go out through these ports; completions, timers and
 * messages come back as a `WorldEvent`, one at a time, to `Daemon.handle`. A daemon that touches nothing else is a
 * deterministic function of its events, so the same code runs in the simulator and as a Node process.
 *
 *        timer, accepted, opened, message, reset, drained, committed, flushed, storageFailed, posted, terminate
 *   World -----------------------------------------------------------------------------------------------------> Daemon.handle
 *         <-----------------------------------------------------------------------------------------------------
 *          clock.arm  net.open/send/close  kv.submit  block.write/flush  http.post  log  lifecycle.stop
 *
 * Two implementations: `sim/world` and `runtime-node`. One contract suite runs against both.
 */

import type { Config } from '@spirula/config';
import type { AddrVec, Bytes, EntityAddr, EntityName, UTime } from '@spirula/encoding';
import type { AuthExchange, Authentication } from './authentication.ts';

/** Microseconds on the daemon's own monotonic clock. Integer below 2^53; never wall time. */
export type Instant = number;

/** One connection, while it lives. Never reused within one run of a daemon. */
export type SessionId = number;

/** Names one submitted batch or flush, chosen by the daemon; comes back in `committed` or `flushed`. */
export type Token = number;

/** What every message has. The union of all messages is `Message` in `@spirula/messages`. */
export interface WireMessage {
  readonly type: string;
}

export interface World<M extends WireMessage = WireMessage> {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly net: Net<M>;
  readonly kv: KeyValue;
  readonly block: BlockDevice;
  readonly http: Http;
  readonly log: Log;
  readonly lifecycle: Lifecycle;
  /** Without it, memory is the garbage collector's affair. */
  readonly memory?: Memory;
  /**
   * True when the named rare branch should be taken now (delay this, shrink that): decided by the seed in the
   * simulator, always false in real runs.
   */
  buggify(point: string): boolean;
}

/**
 * A daemon: constructed with its world, started once, then driven by events. It never awaits and never throws on input. A
 * `DeviceError` that it throws, or lets pass, says that it cannot go on with the disk it has: the world ends it as a crash
 * does, and tells people the message. Anything else that it throws is a bug.
 */
export interface Daemon<M extends WireMessage = WireMessage> {
  start(): void;
  /** The only way in. Runs to completion. */
  handle(event: WorldEvent<M>): void;
  /** How it authenticates. Without it by auth none: each side believes what the other says of itself. */
  readonly auth?: Authentication | undefined;
  /**
   * Under auth none, asked by the world during the handshake of an incoming connection, who the peer may be. Must not
   * change state, except that a monitor allocates a global id.
   */
  authorize?(request: AuthRequest): AuthDecision;
  /**
   * Answers a request that came over the daemon's admin socket: what Ceph's tools send, without the NUL at its end; the
   * answer without its length. Not called while an event is handled.
   */
  admin?(request: Bytes): Bytes;
}

export type WorldEvent<M extends WireMessage = WireMessage> =
  | { readonly kind: 'timer'; readonly name: string }
  /** A peer connected to one of this daemon's endpoints and the handshake is complete. */
  | { readonly kind: 'accepted'; readonly session: SessionId; readonly endpoint: string; readonly peer: Peer }
  /** The handshake of an `open` is complete. Messages may be sent before it; they wait. */
  | { readonly kind: 'opened'; readonly session: SessionId; readonly peer: Peer }
  | { readonly kind: 'message'; readonly session: SessionId; readonly message: M }
  /** The session is gone, for good; nothing more will come from it. Not delivered for sessions this side closed. */
  | { readonly kind: 'reset'; readonly session: SessionId; readonly reason: ResetReason; readonly detail: string }
  /** The send queue of a session that had passed `net.highWater` is below half of it again. */
  | { readonly kind: 'drained'; readonly session: SessionId }
  | { readonly kind: 'committed'; readonly token: Token }
  | { readonly kind: 'flushed'; readonly token: Token }
  /**
   * A commit or a flush has failed. Nothing was durable that has not come back, and nothing comes back any more in this run,
   * neither `committed` nor `flushed`: what the disk holds of it only the next run can tell. The world ends the daemon when
   * it has handled this, as a crash does; the daemon may say more by throwing a `DeviceError`. `code` is a negative errno
   * (EIO, ENOSPC), `detail` one line for people.
   */
  | { readonly kind: 'storageFailed'; readonly code: number; readonly detail: string }
  /**
   * What a post of this token came to: the status of its answer, or undefined when there is none: nobody listens there, the
   * connection broke, the certificate is not to be trusted, or it took too long. `detail` is one line for people.
   */
  | {
      readonly kind: 'posted';
      readonly token: Token;
      readonly status: number | undefined;
      readonly detail: string;
      /** Of an answer that was to be read. */
      readonly reply?: HttpReply;
    }
  /** An orderly stop is asked for (SIGTERM): say farewell, then call `lifecycle.stop`. */
  | { readonly kind: 'terminate' };

/**
 * `refused`: nobody listens there, or it is not who was dialled (another nonce). `closed`: the peer or the network ended
 * it. `malformed`: bytes that do not parse. `overflow`: the peer did not read and the queue's bound was reached.
 */
export type ResetReason = 'refused' | 'closed' | 'malformed' | 'overflow' | 'timeout';

export interface Clock {
  now(): Instant;
  /** For stamps and expiry only; may jump, and differs between daemons. */
  wall(): UTime;
  /** One `timer` event at or after `at`. Arming a name again moves it; there is no second copy. */
  arm(timer: string, at: Instant): void;
  disarm(timer: string): void;
}

/** A seeded stream in the simulator; unpredictable in real runs. Not for secrets: see `Crypto.randomBytes`. */
export interface Random {
  /** Uniform in 0 .. 2^32-1. */
  u32(): number;
  /** Uniform integer in 0 .. bound-1; bound at least 1. */
  below(bound: number): number;
  /** Uniform in [0, 1). */
  float(): number;
}

export type HashName = 'md5' | 'sha1' | 'sha256' | 'sha512';
export type CrcName = 'crc32' | 'crc32c' | 'crc64nvme';

export interface Hasher {
  update(bytes: Bytes): void;
  digest(): Bytes;
}

/** Synchronous, all of it. */
export interface Crypto {
  randomBytes(count: number): Bytes;
  hash(name: HashName, bytes: Bytes): Bytes;
  hasher(name: HashName): Hasher;
  hmac(name: HashName, key: Bytes, bytes: Bytes): Bytes;
  /**
   * CRC of `bytes` continued from `seed`. `crc32` and `crc64nvme` follow their standards (pass the previous result, first
   * 0n); `crc32c` is Ceph's: reflected Castagnoli, the caller's initial value, no final inversion.
   */
  crc(name: CrcName, bytes: Bytes, seed: bigint): bigint;
  /** Ceph's crc32c with plain numbers: the hot path. */
  crc32c(bytes: Bytes, seed: number): number;
  /**
   * AES-CBC; key of 16 or 32 bytes, iv of 16. With PKCS7 padding unless `padding` is `none`: then whole blocks of 16 bytes.
   * Decryption of what does not unpad gives undefined.
   */
  aesCbcEncrypt(key: Bytes, iv: Bytes, plain: Bytes, padding?: 'none'): Bytes;
  aesCbcDecrypt(key: Bytes, iv: Bytes, sealed: Bytes, padding?: 'none'): Bytes | undefined;
  /** AES-GCM: output is ciphertext and 16-byte tag; opening what is not authentic gives undefined. */
  aesGcmSeal(key: Bytes, nonce: Bytes, plain: Bytes, aad?: Bytes): Bytes;
  aesGcmOpen(key: Bytes, nonce: Bytes, sealed: Bytes, aad?: Bytes): Bytes | undefined;
  /** Whether two secrets are equal, in time that depends on their lengths only. */
  timingSafeEqual(a: Bytes, b: Bytes): boolean;
}

/** Who is at the other end. Under auth none this is what the peer says of itself: check it against the maps. */
export interface Peer {
  readonly entity: EntityName;
  /** The addresses the peer calls its own (with its nonce). */
  readonly addrs: AddrVec;
  /** From where a peer that connected comes, whatever it says: with `addrs` a client may lie. Undefined in the simulator. */
  readonly socketAddr?: EntityAddr | undefined;
  /** Identifies one client instance in the cluster; 0n for daemons that were given none. */
  readonly globalId: bigint;
  /** Of one who connected: what both ends support (CEPH_FEATURE_*). Undefined in the simulator: all that is known. */
  readonly features?: bigint | undefined;
  /**
   * What the peer may do at this daemon, in the grammar of this daemon's type, as the monitors vouch for it. Undefined:
   * anything, as under auth none.
   */
  readonly caps?: string | undefined;
  /** Of one who connected: what authenticated it, for those who go on authenticating on the session. */
  readonly exchange?: AuthExchange | undefined;
}

export interface AuthRequest {
  readonly endpoint: string;
  readonly entity: EntityName;
  /** 0n asks a monitor for a fresh one. */
  readonly globalId: bigint;
}

export type AuthDecision =
  | { readonly kind: 'accept'; readonly globalId: bigint }
  /** Negative errno. The connection ends; with EAGAIN without a word, so that the peer tries elsewhere or again. */
  | { readonly kind: 'refuse'; readonly code: number };

/**
 * Message sessions over msgr2. Ordered within a session; what was in flight dies with it; between two sessions there is
 * no order. A daemon listens on named endpoints, bound before it starts.
 */
export interface Net<M extends WireMessage> {
  /** Own addresses of an endpoint (`public`, `cluster`, `hb_front`, `hb_back`); each address carries this run's nonce. */
  endpoint(name: string): AddrVec;
  /**
   * Starts connecting from endpoint `from` to a daemon of type `to.type` at `to.addrs`. Events `opened` or `reset`
   * follow, never before this returns. A dialled nonce other than 0 must be the listener's, else it is `refused`.
   */
  open(from: string, to: { readonly type: EntityName['type']; readonly addrs: AddrVec }): SessionId;
  /**
   * Queues a message and returns the bytes queued on the session, this message included. On a session that is gone it
   * does nothing and returns 0. Past `highWater` the sender should wait for `drained`; past eight times that, the
   * session is reset (`overflow`).
   *
   * @param use `last`: the message's data are given back once they have been sent
   */
  send(session: SessionId, message: M, use?: 'last'): number;
  /** Ends a session: what was sent before leaves first, as far as the peer reads. No event follows. */
  close(session: SessionId): void;
  readonly highWater: number;
}

/**
 * Memory for large pieces of data that is used again once it is given back: for the garbage collector to find it costs more
 * than all else that is done with them.
 */
export interface Memory {
  /** What is in it does not matter. */
  take(bytes: number): Uint8Array;
  /**
   * Nobody looks at these bytes any more. They are used again if they are all of what was taken, and left alone otherwise: parts,
   * and bytes from elsewhere. Who is not sure gives nothing back.
   */
  giveBack(bytes: Bytes): void;
}

export type KvOp =
  | { readonly op: 'put'; readonly key: Bytes; readonly value: Bytes }
  | { readonly op: 'del'; readonly key: Bytes }
  /** Deletes all keys in [start, end). */
  | { readonly op: 'delRange'; readonly start: Bytes; readonly end: Bytes };

export type Batch = readonly KvOp[];

export interface KvRange {
  /** First key, inclusive. */
  readonly start: Bytes;
  /** Last key, exclusive. */
  readonly end: Bytes;
  readonly reverse?: boolean;
  /** At most so many entries; without it, all. */
  readonly limit?: number;
}

/**
 * Ordered keys (lexicographic on unsigned bytes). Keys are 1 to 1024 bytes. Nothing is copied: nobody changes the bytes of
 * a batch that was submitted, nor what `get` and `range` gave.
 *
 * Its values are trusted, unlike what a block device holds: nobody above it checks them. The simulator never changes one. On
 * Node each record of the journal has a checksum, and a journal that is damaged before its end does not open; the table
 * behind it (LMDB) has none and stands on the file system.
 */
export interface KeyValue {
  /** Sees every batch submitted so far, durable or not. */
  get(key: Bytes): Bytes | undefined;
  /** The same view, as of the call; later batches do not show in a range already returned. */
  range(range: KvRange): Iterable<readonly [key: Bytes, value: Bytes]>;
  /**
   * All or nothing, in submission order: what survives a crash is a prefix of what was submitted, and contains this
   * batch once `committed { token }` has come back. `committed` events come in submission order, never during `submit`. A
   * batch that cannot be made durable is told by `storageFailed`.
   */
  submit(batch: Batch, token: Token): void;
}

/**
 * A fixed-size device of sectors. Offsets and lengths are multiples of `blockSize`. What is read may differ from what was
 * written: bits rot, writes get lost, torn or land elsewhere. Who needs to know keeps a checksum.
 *
 * @throws DeviceError from `read` and `write` when the device fails there: EIO, or ENOSPC for a write to a device that has
 * less room than it says. After a write that failed the stretch may hold old bytes, new ones, or some of each. A write that
 * fails later, and a flush that does, are told by `storageFailed`.
 */
export interface BlockDevice {
  /** Bytes; a multiple of `blockSize`. */
  readonly size: number;
  /** Granularity of reads and writes in bytes (4096). A write is atomic only per `sectorSize`. */
  readonly blockSize: number;
  readonly sectorSize: number;
  /** Sees every write so far, flushed or not. What was never written reads as zeros. */
  read(offset: number, length: number): Bytes;
  /** Takes effect at once for reads; durable only after a later `flush` has come back. */
  write(offset: number, bytes: Bytes): void;
  /** `flushed { token }`: every write made before this call survives a crash. Between flushes any subset may survive, torn at sector size. */
  flush(token: Token): void;
}

/** The disk does not do what is asked of it (EIO, ENOSPC), or holds what the daemon cannot work with. One line for people. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
  /** Negative errno. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface HttpPost {
  /** Of scheme `http` or `https`. A name and password in it are sent as basic authentication. */
  readonly url: string;
  readonly contentType: string;
  readonly body: Bytes;
  /** Whether a server's certificate must be one that the host trusts. */
  readonly verifiesTls: boolean;
  /** From the call to the end of the answer's head, or of its body when that is read. */
  readonly timeout: Instant;
  /** `POST`, when it is not said. A `GET` has no body. */
  readonly method?: 'GET' | 'POST';
  /** Beside those about the body. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The answer is read, and so many bytes of its body at most: one that is longer is no answer. Without it, only the status counts. */
  readonly replyBytes?: number;
}

/** What a server answers beside a status. */
export interface HttpReply {
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Bytes;
}

/** Requests to servers outside the cluster, which people have named. */
export interface Http {
  /**
   * Sends a request. `posted { token }` follows, once and never before this returns, but not to a daemon that has gone. Redirects
   * are not followed: 302 is a status like others. Whether the server has acted on a
   * request without an answer is not known.
   */
  post(request: HttpPost, token: Token): void;
}

/** Structured log: one short sentence, then its facts. */
export interface Log {
  debug(message: string, facts?: Record<string, unknown>): void;
  info(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
  error(message: string, facts?: Record<string, unknown>): void;
}

export interface Lifecycle {
  /** The daemon is done: nothing more is delivered to it. `reason` is for people. */
  stop(reason: string): void;
}

export const SECOND: Instant = 1_000_000;

/** Seconds (as options give them) to microseconds. */
export function seconds(count: number): Instant {
  return Math.round(count * SECOND);
}
