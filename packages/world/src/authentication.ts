/**
 * Authentication of a connection as the world sees it: who connects and who accepts exchange payloads that only they
 * understand, in the frames of a handshake. A world carries the payloads, and what comes of them; it never looks inside.
 *
 *     connecting                                       accepting
 *       request() ------ AUTH_REQUEST ---------------->  begin(mode).step(payload)
 *                 <----- AUTH_REPLY_MORE --------------    'more'
 *       more()    ------ AUTH_REQUEST_MORE ----------->  step(payload)
 *                 <----- AUTH_DONE, AUTH_BAD_METHOD ---    'done', 'refuse'
 *       done()
 */
import type { Bytes, EntityName, EntityTypeName } from '@spirula/encoding';

/** CEPH_AUTH_*: the methods there are. */
export const AuthMethod = { none: 1, cephx: 2 } as const;
/** CEPH_CON_MODE_*: how frames are protected once authentication is done, by checksums or by AES-GCM. */
export const ConnectionMode = { crc: 1, secure: 2 } as const;

/** What both ends of a connection know when authentication is done, and nobody else. */
export interface AuthSecrets {
  /** Signs what was said so far. */
  readonly sessionKey: Bytes;
  /** What frames are sealed with: `CONNECTION_SECRET_BYTES` in secure mode, else empty. */
  readonly connectionSecret: Bytes;
}

/** Key and two nonces, and as much again that nobody uses (Ceph's get_connection_secret_length). */
export const CONNECTION_SECRET_BYTES = 64;

/** What AUTH_DONE says. */
export interface AuthDone {
  readonly globalId: bigint;
  /** One of those asked for. */
  readonly mode: number;
  readonly payload: Bytes;
}

/** One attempt to prove who this side is. What the peer sends is input: these throw MalformedInput, and the session ends. */
export interface ConnectingAuth {
  readonly method: number;
  /** Connection modes it takes, best first. */
  readonly modes: readonly number[];
  request(): Bytes;
  more(payload: Bytes): Bytes;
  /** The peer has taken it, and proves that it knew what only the right one can. Undefined secrets: there are none (none). */
  done(done: AuthDone): AuthSecrets | undefined;
  /** The peer will not have it; `code` is its negative errno. */
  refused(code: number): void;
}

/** Who was found to be at the other end. */
export interface Authenticated {
  readonly entity: EntityName;
  readonly globalId: bigint;
  /** See `Peer.caps`. */
  readonly caps?: string | undefined;
}

export type AuthAnswer =
  | { readonly kind: 'more'; readonly payload: Bytes }
  | {
      readonly kind: 'done';
      readonly peer: Authenticated;
      readonly payload: Bytes;
      readonly secrets: AuthSecrets | undefined;
    }
  /** Negative errno. The connection ends; with EAGAIN without a word, so that the peer tries elsewhere or again. */
  | { readonly kind: 'refuse'; readonly code: number; readonly detail: string };

/** What becomes of one connection that somebody else made. */
export interface AuthExchange {
  /**
   * Takes the payload of AUTH_REQUEST, then those of AUTH_REQUEST_MORE; of a monitor's sessions, later those of `auth`
   * messages.
   *
   * @throws MalformedInput
   */
  step(payload: Bytes): AuthAnswer;
}

export interface AcceptingMethod {
  readonly method: number;
  readonly modes: readonly number[];
  begin(mode: number): AuthExchange;
}

/** How a daemon or client authenticates; the world asks it in each handshake. */
export interface Authentication {
  /** How to prove who this is on a session to a daemon of type `to`; undefined when it cannot, which ends the session. */
  connect(session: number, to: EntityTypeName): ConnectingAuth | undefined;
  /** What is taken of one who says to be of type `peerType` and connects to `endpoint`; best first, at least one. */
  accept(endpoint: string, peerType: EntityTypeName): readonly AcceptingMethod[];
}
