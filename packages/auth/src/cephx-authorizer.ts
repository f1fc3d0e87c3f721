/**
 * How who holds a ticket proves itself to the service, and the service to it (CephxAuthorizeHandler.cc,
 * cephx_verify_authorizer):
 *
 *     u8 1, global id, service, ticket, seal(session key, {nonce})               -->
 *                                          <-- seal(session key, {challenge})        so that nothing said before does again
 *     the same, {nonce, challenge + 1}                                           -->
 *                                          <-- seal(session key, {nonce + 1, connection secret})
 */
import {
  type Bytes,
  Decoder,
  EMPTY,
  Encoder,
  EntityType,
  type EntityTypeName,
  Errno,
  MalformedInput,
} from '@spirula/encoding';
import {
  type AuthExchange,
  AuthMethod,
  CONNECTION_SECRET_BYTES,
  type ConnectingAuth,
  ConnectionMode,
} from '@spirula/world';
import { type CephxCrypto, drawU64, seal, unseal } from './cephx-sealed.ts';
import {
  decodeTicketBlob,
  encodeTicketBlob,
  openTicket,
  type TicketBlob,
  type TicketContents,
} from './cephx-ticket.ts';
import type { CryptoKey } from './crypto-key.ts';
import { formatEntityName } from './entity-name.ts';

const AUTHORIZER_VERSION = 1;
const AUTHORIZE_VERSION = 2;
const CHALLENGE_VERSION = 1;
const REPLY_VERSION = 2;
/** Without a connection secret. */
const SHORT_REPLY_VERSION = 1;
const U64 = (1n << 64n) - 1n;

/** A ticket as its owner uses it. */
export interface HeldTicket {
  readonly service: EntityTypeName;
  readonly globalId: bigint;
  readonly sessionKey: CryptoKey;
  readonly ticket: TicketBlob;
}

/** An authorizer: without `challenge` its first form. */
export function encodeAuthorizer(
  to: Encoder,
  crypto: CephxCrypto,
  held: HeldTicket,
  nonce: bigint,
  challenge: bigint | undefined,
): void {
  to.u8(AUTHORIZER_VERSION);
  to.u64big(held.globalId);
  to.u32(EntityType[held.service]);
  encodeTicketBlob(to, held.ticket);
  to.blob(
    seal(crypto, held.sessionKey.secret, (plain) => {
      plain.u8(AUTHORIZE_VERSION);
      plain.u64big(nonce);
      plain.bool(challenge !== undefined);
      plain.u64big(challenge === undefined ? 0n : (challenge + 1n) & U64);
    }),
  );
}

/** Finds the secret that a ticket names; undefined when it is not known here, or no more. */
export type FindSecret = (service: number, secretId: bigint) => CryptoKey | undefined;

export interface OpenedAuthorizer {
  readonly ticket: TicketContents;
  readonly nonce: bigint;
  readonly challengePlusOne: bigint | undefined;
}

/** Reads an authorizer; undefined when its ticket is of a secret that is not known. @throws MalformedInput */
export function decodeAuthorizer(
  from: Decoder,
  crypto: CephxCrypto,
  findSecret: FindSecret,
): OpenedAuthorizer | undefined {
  from.u8('authorizer version');
  const globalId = from.u64big('authorizer global id');
  const service = from.u32('authorizer service');
  const blob = decodeTicketBlob(from);
  const sealed = from.blob('authorize');
  const secret = findSecret(service, blob.secretId);
  if (secret === undefined) return undefined;
  const ticket = openTicket(crypto, secret, blob);
  if (ticket.globalId !== globalId) throw new MalformedInput('authorizer global id', 1, 'is not that of the ticket');
  return unseal(crypto, ticket.sessionKey.secret, sealed, 'authorize', (plain) => {
    const version = plain.u8('authorize version');
    const nonce = plain.u64big('nonce');
    const hasChallenge = version >= AUTHORIZE_VERSION && plain.bool('has challenge');
    return { ticket, nonce, challengePlusOne: hasChallenge ? plain.u64big('challenge') : undefined };
  });
}

/** Proves to a service that this side holds its ticket. */
export class ConnectingAuthorizer implements ConnectingAuth {
  readonly method = AuthMethod.cephx;
  readonly modes: readonly number[];
  readonly #crypto: CephxCrypto;
  readonly #held: HeldTicket;
  readonly #nonce: bigint;
  readonly #onRefused: () => void;

  constructor(crypto: CephxCrypto, held: HeldTicket, modes: readonly number[], onRefused: () => void) {
    this.modes = modes;
    this.#crypto = crypto;
    this.#held = held;
    this.#nonce = drawU64(crypto);
    this.#onRefused = onRefused;
  }

  request(): Bytes {
    return this.#authorizer(undefined);
  }

  more(payload: Bytes): Bytes {
    // Here, and nowhere else, what is sealed stands without its length.
    const challenge = unseal(this.#crypto, this.#held.sessionKey.secret, payload, 'challenge', (plain) => {
      plain.u8('challenge version');
      return plain.u64big('challenge');
    });
    return this.#authorizer(challenge);
  }

  done({ mode, payload }: { readonly mode: number; readonly payload: Bytes }) {
    const from = new Decoder(payload);
    const key = this.#held.sessionKey.secret;
    const connectionSecret = unseal(this.#crypto, key, from.blob('authorize reply'), 'authorize reply', (plain) => {
      const version = plain.u8('authorize reply version');
      if (plain.u64big('nonce') !== ((this.#nonce + 1n) & U64)) plain.fail('nonce', 'is not the one that was sent');
      return version >= REPLY_VERSION ? plain.blob('connection secret').slice() : EMPTY;
    });
    return { sessionKey: key, connectionSecret: checkSecret(connectionSecret, mode) };
  }

  refused(): void {
    this.#onRefused();
  }

  #authorizer(challenge: bigint | undefined): Bytes {
    const to = new Encoder(256);
    encodeAuthorizer(to, this.#crypto, this.#held, this.#nonce, challenge);
    return to.finish();
  }
}

/** Lets in who proves to hold a ticket for this service. */
export class AcceptingAuthorizer implements AuthExchange {
  readonly #crypto: CephxCrypto;
  readonly #findSecret: FindSecret;
  readonly #mode: number;
  #challenge: bigint | undefined;

  constructor(crypto: CephxCrypto, findSecret: FindSecret, mode: number) {
    this.#crypto = crypto;
    this.#findSecret = findSecret;
    this.#mode = mode;
  }

  step(payload: Bytes): ReturnType<AuthExchange['step']> {
    let opened: OpenedAuthorizer | undefined;
    try {
      opened = decodeAuthorizer(new Decoder(payload), this.#crypto, this.#findSecret);
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      return { kind: 'refuse', code: Errno.EACCES, detail: error.message };
    }
    if (opened === undefined) {
      return { kind: 'refuse', code: Errno.EACCES, detail: 'the ticket is of a secret that is not known, or no more' };
    }
    const { ticket, nonce, challengePlusOne } = opened;
    const key = ticket.sessionKey.secret.slice();
    if (this.#challenge === undefined) {
      const challenge = drawU64(this.#crypto);
      this.#challenge = challenge;
      const payload = seal(this.#crypto, key, (plain) => {
        plain.u8(CHALLENGE_VERSION);
        plain.u64big(challenge);
      });
      return { kind: 'more', payload };
    }
    if (challengePlusOne !== ((this.#challenge + 1n) & U64)) {
      const detail = `${formatEntityName(ticket.entity)} does not answer the challenge`;
      return { kind: 'refuse', code: Errno.EACCES, detail };
    }
    const connectionSecret = drawConnectionSecret(this.#crypto, this.#mode);
    const reply = new Encoder(128);
    reply.blob(
      seal(this.#crypto, key, (plain) => {
        plain.u8(connectionSecret.length > 0 ? REPLY_VERSION : SHORT_REPLY_VERSION);
        plain.u64big((nonce + 1n) & U64);
        if (connectionSecret.length > 0) plain.blob(connectionSecret);
      }),
    );
    const { entity, globalId, caps } = ticket;
    return {
      kind: 'done',
      peer: { entity, globalId, caps },
      payload: reply.finish(),
      secrets: { sessionKey: key, connectionSecret },
    };
  }
}

/** What secure mode seals frames with; nothing in crc mode. */
export function drawConnectionSecret(crypto: CephxCrypto, mode: number): Bytes {
  return mode === ConnectionMode.secure ? crypto.randomBytes(CONNECTION_SECRET_BYTES) : EMPTY;
}

/** @throws MalformedInput when it does not suit the mode. */
export function checkSecret(secret: Bytes, mode: number): Bytes {
  const expected = mode === ConnectionMode.secure ? CONNECTION_SECRET_BYTES : 0;
  if (secret.length < expected) throw new MalformedInput('connection secret', 0, `has ${secret.length} bytes`);
  return secret;
}
