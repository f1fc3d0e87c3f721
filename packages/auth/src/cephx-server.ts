/**
 * The monitors' side of cephx (auth/cephx/CephxServiceHandler.cc): who proves to have an entity's key is given tickets, for
 * the monitors and for the services it wants.
 *
 *     greeting: entity, global id           -->
 *                                           <-- server challenge
 *     answer to both challenges, old ticket -->
 *                                           <-- tickets sealed for the entity, connection secret
 *     later, in `auth` messages: the same again, tickets for services, rotating secrets
 *
 * A global id that was given out is given again only to who shows the ticket that came with it, and what comes back is of
 * use only to who holds that ticket's session key (auth_allow_insecure_global_id_reclaim = false).
 */
import {
  type Bytes,
  Decoder,
  EMPTY,
  Encoder,
  type EntityName,
  type EntityTypeName,
  Errno,
  MalformedInput,
  type UTime,
} from '@spirula/encoding';
import type { AuthAnswer, AuthExchange, Config } from '@spirula/world';
import { decodeAuthorizer, drawConnectionSecret } from './cephx-authorizer.ts';
import {
  CephxRequest,
  decodeAuthenticate,
  decodeMonGreeting,
  decodeServiceTicketRequest,
  encodeResponseHeader,
  encodeServerChallenge,
  servicesOf,
} from './cephx-protocol.ts';
import {
  encodeRotatingSecrets,
  generateKey,
  type RotatingSecrets,
  sealingSecret,
  secondsOf,
  toUTime,
} from './cephx-rotating-secrets.ts';
import { answerChallenges, type CephxCrypto, drawU64, seal } from './cephx-sealed.ts';
import {
  encodeTickets,
  openTicket,
  type ServiceTicket,
  sealTicket,
  type TicketBlob,
  type TicketContents,
} from './cephx-ticket.ts';
import type { CryptoKey } from './crypto-key.ts';
import type { CapsService, EntityAuth } from './entity-auth.ts';
import { formatEntityName } from './entity-name.ts';

/** What the monitors know. */
export interface KeyServer {
  readonly crypto: CephxCrypto;
  readonly config: Config;
  wall(): UTime;
  entity(name: string): EntityAuth | undefined;
  secretsOf(service: EntityTypeName): RotatingSecrets | undefined;
  /** A global id that nobody had; undefined when there is none just now. */
  allocateGlobalId(): bigint | undefined;
}

class Refusal extends Error {}

/** One client's session with a monitor, from its first word. */
export class MonAuthExchange implements AuthExchange {
  readonly #server: KeyServer;
  readonly #mode: number;
  #state:
    | { readonly name: 'greeting' }
    | {
        readonly name: 'challenged' | 'authenticated';
        readonly entity: EntityName;
        readonly globalId: bigint;
        readonly challenge: bigint;
        /** Whether the global id was given out on this session. */
        readonly isNew: boolean;
      } = { name: 'greeting' };

  constructor(server: KeyServer, mode: number) {
    this.#server = server;
    this.#mode = mode;
  }

  step(payload: Bytes): AuthAnswer {
    const from = new Decoder(payload);
    try {
      return this.#state.name === 'greeting' ? this.#greet(from) : this.#answer(from);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { kind: 'refuse', code: Errno.EACCES, detail: error.message };
    }
  }

  #greet(from: Decoder): AuthAnswer {
    from.u8('auth purpose');
    const { entity, globalId } = decodeMonGreeting(from);
    const id = globalId === 0n ? this.#server.allocateGlobalId() : globalId;
    if (id === undefined) return { kind: 'refuse', code: Errno.EAGAIN, detail: 'no global id is to be had now' };
    const challenge = drawU64(this.#server.crypto);
    this.#state = { name: 'challenged', entity, globalId: id, challenge, isNew: globalId === 0n };
    return { kind: 'more', payload: encodeServerChallenge(challenge) };
  }

  #answer(from: Decoder): AuthAnswer {
    const request = from.u16('cephx request');
    if (request === CephxRequest.authSessionKey) return this.#authenticate(from);
    if (this.#state.name !== 'authenticated') return from.fail('cephx request', `${request} may not come now`);
    switch (request) {
      case CephxRequest.principalSessionKey:
        return this.#giveTickets(from);
      case CephxRequest.rotatingKey:
        return this.#giveRotatingSecrets();
      default:
        return from.fail('cephx request', `is ${request}`);
    }
  }

  #authenticate(from: Decoder): AuthAnswer {
    const state = this.#known();
    const server = this.#server;
    const { crypto } = server;
    const isFirst = state.name === 'challenged';
    const request = decodeAuthenticate(from);
    const { key, caps } = this.#entity();
    const expected = answerChallenges(crypto, key.secret, state.challenge, request.clientChallenge);
    if (!crypto.timingSafeEqual(request.answer, expected)) throw new Refusal(`${this.#name} does not have its key`);
    const old = state.isNew && isFirst ? undefined : this.#oldTicket(request.oldTicket);

    const auth = this.#ticketFor('auth', '');
    const to = new Encoder(1024);
    encodeResponseHeader(to, CephxRequest.authSessionKey, 0);
    encodeTickets(to, crypto, key, [auth], old?.sessionKey);
    const monCaps = caps.get('mon') ?? '';
    if (monCaps === '') throw new Refusal(`${this.#name} may do nothing at monitors`);

    const connectionSecret = drawConnectionSecret(crypto, this.#mode);
    if (request.wanted !== 0) {
      // On a session that stands there is nothing to protect anew.
      to.blob(isFirst ? sealSecret(crypto, auth.sessionKey, connectionSecret) : EMPTY);
      const services = servicesOf(request.wanted).filter((service) => service !== 'auth');
      const extra = new Encoder(1024);
      const tickets = this.#ticketsFor(services);
      if (tickets.length > 0) encodeTickets(extra, crypto, auth.sessionKey, tickets);
      to.blob(extra.finish());
    }
    this.#state = { ...state, name: 'authenticated' };
    return this.#done(to.finish(), monCaps, { sessionKey: auth.sessionKey.secret, connectionSecret });
  }

  /** The ticket that came with the global id. */
  #oldTicket(blob: TicketBlob): TicketContents {
    const { crypto } = this.#server;
    const secret = this.#server.secretsOf('auth')?.secrets.get(blob.secretId);
    if (secret === undefined || blob.blob.length === 0) {
      throw new Refusal(`${this.#name} claims a global id without the ticket that came with it`);
    }
    const ticket = openOrRefuse(
      () => openTicket(crypto, secret.key, blob),
      `${this.#name} claims a global id with a bad ticket`,
    );
    if (ticket.globalId !== this.#known().globalId) throw new Refusal(`${this.#name} claims the global id of another`);
    return ticket;
  }

  #giveTickets(from: Decoder): AuthAnswer {
    const { crypto } = this.#server;
    const secrets = this.#server.secretsOf('auth');
    const opened = openOrRefuse(
      () => decodeAuthorizer(from, crypto, (_, id) => secrets?.secrets.get(id)?.key),
      `${this.#name} asks for tickets with a bad one`,
    );
    if (opened === undefined) throw new Refusal(`${this.#name} asks for tickets with one that has expired`);
    const { entity, globalId, sessionKey } = opened.ticket;
    const state = this.#known();
    if (globalId !== state.globalId || formatEntityName(entity) !== this.#name) {
      throw new Refusal(`${this.#name} asks for tickets with that of ${formatEntityName(entity)}`);
    }
    const services = servicesOf(decodeServiceTicketRequest(from)).filter((service) => service !== 'auth');
    const to = new Encoder(1024);
    encodeResponseHeader(to, CephxRequest.principalSessionKey, 0);
    encodeTickets(to, crypto, sessionKey, this.#ticketsFor(services));
    return this.#done(to.finish());
  }

  #giveRotatingSecrets(): AuthAnswer {
    const secrets = this.#server.secretsOf(this.#known().entity.type);
    if (secrets === undefined) throw new Refusal(`${this.#name} serves nobody with tickets`);
    const to = new Encoder(512);
    encodeResponseHeader(to, CephxRequest.rotatingKey, 0);
    to.blob(seal(this.#server.crypto, this.#entity().key.secret, (plain) => encodeRotatingSecrets(plain, secrets)));
    return this.#done(to.finish());
  }

  #done(
    payload: Bytes,
    caps?: string,
    secrets?: { readonly sessionKey: Bytes; readonly connectionSecret: Bytes },
  ): AuthAnswer {
    const { entity, globalId } = this.#known();
    return { kind: 'done', peer: { entity, globalId, caps }, payload, secrets };
  }

  #ticketsFor(services: readonly EntityTypeName[]): ServiceTicket[] {
    const { caps } = this.#entity();
    return services.flatMap((service) =>
      this.#server.secretsOf(service) === undefined
        ? []
        : [this.#ticketFor(service, caps.get(service as CapsService) ?? '')],
    );
  }

  #ticketFor(service: EntityTypeName, caps: string): ServiceTicket {
    const { crypto, config } = this.#server;
    const now = this.#server.wall();
    const ttl = service === 'auth' ? config.auth_mon_ticket_ttl : config.auth_service_ticket_ttl;
    const secrets = this.#server.secretsOf(service);
    const sealing = secrets && sealingSecret(secrets, now, ttl);
    if (sealing === undefined) throw new Refusal(`there are no secrets for tickets of service ${service} yet`);
    const sessionKey = generateKey(crypto, now);
    const { entity, globalId } = this.#known();
    const { validForSeconds } = sealing;
    const expires = toUTime(secondsOf(now) + validForSeconds);
    const contents = { entity, globalId, created: now, expires, caps, sessionKey };
    return {
      service,
      sessionKey,
      validForSeconds,
      ticket: sealTicket(crypto, sealing.secretId, sealing.key, contents),
    };
  }

  #entity(): EntityAuth {
    const entity = this.#server.entity(this.#name);
    if (entity === undefined) throw new Refusal(`there is no ${this.#name}`);
    return entity;
  }

  get #name(): string {
    return formatEntityName(this.#known().entity);
  }

  #known() {
    if (this.#state.name === 'greeting') throw new MalformedInput('cephx request', 0, 'comes before the greeting');
    return this.#state;
  }
}

/** Seals a connection secret, as a string is (encode_encrypt, without the length before it). */
function sealSecret(crypto: CephxCrypto, sessionKey: CryptoKey, secret: Bytes): Bytes {
  const to = new Encoder(secret.length + 64);
  to.blob(seal(crypto, sessionKey.secret, (plain) => plain.blob(secret)));
  return to.finish();
}

function openOrRefuse<T>(open: () => T, detail: string): T {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
    throw new Refusal(`${detail}: ${error.message}`);
  }
}
