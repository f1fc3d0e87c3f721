/**
 * What one client or daemon proves itself with under cephx (auth/cephx/CephxClientHandler.cc, auth/RotatingKeyRing.cc): its
 * key to the monitors, and to everybody else the tickets that they give for it; for a daemon, the secrets that its own
 * clients' tickets are sealed with.
 *
 *   handshake with a monitor --(adopt)--> tickets --(renewal, every so often)--> newer tickets, newer secrets
 */
import {
  type Bytes,
  Decoder,
  Encoder,
  type EntityName,
  EntityType,
  type EntityTypeName,
  Errno,
} from '@spirula/encoding';
import {
  type AcceptingMethod,
  type Authentication,
  AuthMethod,
  type ConnectingAuth,
  type Instant,
  SECOND,
  type SessionId,
  seconds,
  type World,
} from '@spirula/world';
import { AcceptingAuthorizer, ConnectingAuthorizer, checkSecret, encodeAuthorizer } from './cephx-authorizer.ts';
import {
  CephxRequest,
  decodeResponseHeader,
  decodeServerChallenge,
  encodeAuthenticate,
  encodeMonGreeting,
  encodeServiceTicketRequest,
  maskOf,
} from './cephx-protocol.ts';
import { decodeRotatingSecrets, NO_SECRETS, needsRotation, secondsOf } from './cephx-rotating-secrets.ts';
import { answerChallenges, drawU64, unseal } from './cephx-sealed.ts';
import { decodeTickets, NO_TICKET, type ServiceTicket } from './cephx-ticket.ts';
import { Tickets } from './cephx-tickets.ts';
import { connectionModes } from './connection-modes.ts';
import type { CryptoKey } from './crypto-key.ts';

/** Not asked for more often than this. */
const RENEWAL_INTERVAL: Instant = SECOND;
/** Seconds: the next secret is held already when the current one is used up (MonClient::_check_auth_rotating). */
const MOST_LATE = 30;
/** A client's tickets; daemons serve with rotating secrets besides. */
const WANTED: readonly EntityTypeName[] = ['mon', 'osd', 'mgr'];
/** Attempts whose session was neither kept nor told to be gone. */
const MAX_ATTEMPTS = 16;

/** What a handshake with a monitor gave. */
interface Granted {
  readonly globalId: bigint;
  readonly serverChallenge: bigint;
  readonly tickets: readonly ServiceTicket[];
}

export class CephxCredentials implements Authentication {
  readonly entity: EntityName;
  readonly #world: Pick<World, 'clock' | 'config' | 'crypto'>;
  readonly #key: CryptoKey;
  readonly #tickets = new Tickets();
  /** What the monitors call this client; 0n until one has. */
  #globalId = 0n;
  #serverChallenge = 0n;
  /** By the session they came with, until one of them is kept. */
  readonly #granted = new Map<SessionId, Granted>();
  #rotating = NO_SECRETS;
  #fetchedAt: Instant = Number.NEGATIVE_INFINITY;
  #askedAt: Instant = Number.NEGATIVE_INFINITY;
  #refusal: number | undefined;

  constructor(world: Pick<World, 'clock' | 'config' | 'crypto'>, entity: EntityName, key: CryptoKey) {
    this.#world = world;
    this.entity = entity;
    this.#key = key;
  }

  /** Negative errno of the last monitor that would not have this client; undefined since one has. */
  get refusal(): number | undefined {
    return this.#refusal;
  }

  // Handshakes

  connect(session: SessionId, to: EntityTypeName): ConnectingAuth | undefined {
    const modes = connectionModes(this.#world.config, this.entity.type, to);
    if (to === 'mon') return this.#connectMon(session, modes);
    const held = this.#tickets.get(to);
    if (held === undefined) return undefined;
    const ticket = { service: to, globalId: this.#globalId, sessionKey: held.sessionKey, ticket: held.ticket };
    return new ConnectingAuthorizer(this.#world.crypto, ticket, modes, () => {
      // Its secret may have gone out of use while this client was away.
      this.#tickets.distrust(to, this.#world.clock.now());
    });
  }

  accept(_endpoint: string, peerType: EntityTypeName): readonly AcceptingMethod[] {
    const { crypto, config } = this.#world;
    const own = EntityType[this.entity.type];
    const findSecret = (service: number, id: bigint) =>
      service === own ? this.#rotating.secrets.get(id)?.key : undefined;
    return [
      {
        method: AuthMethod.cephx,
        modes: connectionModes(config, this.entity.type, peerType),
        begin: (mode) => new AcceptingAuthorizer(crypto, findSecret, mode),
      },
    ];
  }

  #connectMon(session: SessionId, modes: readonly number[]): ConnectingAuth {
    const { crypto } = this.#world;
    const globalId = this.#globalId;
    const old = this.#tickets.get('auth');
    let serverChallenge = 0n;
    return {
      method: AuthMethod.cephx,
      modes,
      request: () => encodeMonGreeting(this.entity, globalId),
      more: (payload) => {
        serverChallenge = decodeServerChallenge(payload);
        return this.#authenticate(serverChallenge, ['auth', ...WANTED]);
      },
      done: ({ globalId: given, mode, payload }) => {
        const from = new Decoder(payload);
        decodeResponseHeader(from);
        const [auth] = decodeTickets(from, crypto, this.#key, old?.sessionKey);
        if (auth?.service !== 'auth') return from.fail('tickets', 'hold none for the monitors');
        const sealed = new Decoder(from.blob('connection secret'));
        const key = auth.sessionKey;
        const secret = unseal(crypto, key.secret, sealed.blob('connection secret'), 'connection secret', (plain) =>
          plain.blob('connection secret').slice(),
        );
        const extra = from.blob('tickets');
        const tickets = extra.length === 0 ? [] : decodeTickets(new Decoder(extra), crypto, key, undefined);
        this.#refusal = undefined;
        this.#granted.set(session, { globalId: given, serverChallenge, tickets: [auth, ...tickets] });
        const [oldest] = this.#granted.keys();
        if (this.#granted.size > MAX_ATTEMPTS) this.#granted.delete(oldest!);
        return { sessionKey: key.secret, connectionSecret: checkSecret(secret, mode) };
      },
      refused: (code) => {
        this.#refusal = code;
        // The ticket that came with its global id counts no more. A daemon begins anew under another. A client must not: OSDs
        // would take its requests under way for somebody else's, and carry them out twice. It stays refused, as in Ceph.
        if (this.entity.type === 'client' || code !== Errno.EACCES || globalId !== this.#globalId) return;
        this.#globalId = 0n;
        this.#tickets.clear();
      },
    };
  }

  #authenticate(serverChallenge: bigint, wanted: readonly EntityTypeName[]): Bytes {
    const { crypto } = this.#world;
    const clientChallenge = drawU64(crypto);
    const to = new Encoder(256);
    encodeAuthenticate(to, {
      clientChallenge,
      answer: answerChallenges(crypto, this.#key.secret, serverChallenge, clientChallenge),
      oldTicket: this.#tickets.get('auth')?.ticket ?? NO_TICKET,
      wanted: maskOf(wanted),
    });
    return to.finish();
  }

  /** Of the monitors that were dialled this one is kept: what its handshake gave counts from now on. */
  adopt(session: SessionId): void {
    const granted = this.#granted.get(session);
    this.#granted.clear();
    if (granted === undefined) return;
    this.#globalId = granted.globalId;
    this.#serverChallenge = granted.serverChallenge;
    this.#tickets.put(granted.tickets, this.#world.clock.now());
    this.#askedAt = Number.NEGATIVE_INFINITY;
  }

  // On the session that is kept

  /** When `renewals` may have something to ask for. */
  get renewAt(): Instant {
    const due = Math.min(...(['auth', ...WANTED] as const).map((service) => this.#tickets.renewAt(service)));
    const now = this.#world.clock.now();
    const rotating = this.#needsSecrets ? this.#secretsDueIn() + now : Number.POSITIVE_INFINITY;
    return Math.max(Math.min(due, rotating), this.#askedAt + RENEWAL_INTERVAL);
  }

  /** What the monitor is to be asked now, in `auth` messages. */
  renewals(): Bytes[] {
    const now = this.#world.clock.now();
    if (now < this.#askedAt + RENEWAL_INTERVAL) return [];
    const asked: Bytes[] = [];
    const isDue = (service: EntityTypeName) => this.#tickets.renewAt(service) <= now;
    const due = WANTED.filter(isDue);
    if (isDue('auth')) asked.push(this.#authenticate(this.#serverChallenge, ['auth', ...due]));
    else if (due.length > 0) asked.push(this.#askForTickets(due));
    if (this.#needsSecrets && this.#secretsDueIn() <= 0) asked.push(askForSecrets());
    if (asked.length > 0) this.#askedAt = now;
    return asked;
  }

  get #needsSecrets(): boolean {
    return ['osd', 'mgr', 'mds'].includes(this.entity.type);
  }

  /**
   * So long until new rotating secrets are to be fetched: a little after the current one is used up by the wall clock. When
   * that has jumped, those that the last fetch gave are used up no sooner than a ticket's life after it.
   */
  #secretsDueIn(): Instant {
    const { clock, config } = this.#world;
    const late = Math.min(MOST_LATE, config.auth_service_ticket_ttl / 4);
    const wall = secondsOf(clock.wall());
    if (needsRotation(this.#rotating, wall - late)) return 0;
    const [, current] = [...this.#rotating.secrets.values()];
    const byWall = seconds(secondsOf(current!.expiration) + late - wall);
    const byAge = this.#fetchedAt + seconds(config.auth_service_ticket_ttl + late) - clock.now();
    return Math.max(0, Math.min(byWall, byAge));
  }

  #askForTickets(wanted: readonly EntityTypeName[]): Bytes {
    const { crypto } = this.#world;
    const { sessionKey, ticket } = this.#tickets.get('auth')!;
    const to = new Encoder(256);
    to.u16(CephxRequest.principalSessionKey);
    const held = { service: 'auth', globalId: this.#globalId, sessionKey, ticket } as const;
    encodeAuthorizer(to, crypto, held, drawU64(crypto), undefined);
    encodeServiceTicketRequest(to, maskOf(wanted));
    return to.finish();
  }

  /**
   * Takes the answer to one of `renewals`; `result` is 0 or a negative errno.
   *
   * @throws MalformedInput
   */
  onReply(result: number, payload: Bytes): void {
    if (result < 0) return;
    const { crypto, clock } = this.#world;
    const from = new Decoder(payload);
    const { request, status } = decodeResponseHeader(from);
    if (status < 0) return;
    switch (request) {
      case CephxRequest.authSessionKey: {
        const [auth] = decodeTickets(from, crypto, this.#key, this.#tickets.get('auth')?.sessionKey);
        if (auth?.service !== 'auth') return from.fail('tickets', 'hold none for the monitors');
        from.blob('connection secret');
        const extra = from.blob('tickets');
        const tickets = extra.length === 0 ? [] : decodeTickets(new Decoder(extra), crypto, auth.sessionKey, undefined);
        this.#tickets.put([auth, ...tickets], clock.now());
        return;
      }
      case CephxRequest.principalSessionKey: {
        const auth = this.#tickets.get('auth');
        if (auth === undefined) return;
        this.#tickets.put(decodeTickets(from, crypto, auth.sessionKey, undefined), clock.now());
        return;
      }
      case CephxRequest.rotatingKey:
        this.#rotating = unseal(crypto, this.#key.secret, from.blob('rotating secrets'), 'rotating secrets', (plain) =>
          decodeRotatingSecrets(plain),
        );
        this.#fetchedAt = clock.now();
        return;
      default:
        from.fail('response type', `is ${request}`);
    }
  }
}

function askForSecrets(): Bytes {
  const to = new Encoder(2);
  to.u16(CephxRequest.rotatingKey);
  return to.finish();
}
