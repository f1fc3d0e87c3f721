/**
 * Tickets (auth/cephx/CephxProtocol.h, auth/Auth.h): the monitors give a client, for each type of service, a session key
 * and a ticket that holds the same key, sealed with a secret that only the service and the monitors know.
 *
 *     for the client    seal(its key, session key, how long)          ServiceTicket
 *     for the service   secret id, seal(secret, TicketContents)       TicketBlob, opaque to the client
 */
import {
  type Bytes,
  Decoder,
  decodeUTime,
  EMPTY,
  Encoder,
  type EntityName,
  EntityType,
  type EntityTypeName,
  encodeUTime,
  entityTypeName,
  type UTime,
} from '@spirula/encoding';
import { type CephxCrypto, seal, unseal } from './cephx-sealed.ts';
import { type CryptoKey, decodeCryptoKey, encodeCryptoKey } from './crypto-key.ts';
import { decodeEntityName, encodeEntityName } from './entity-name.ts';

/** Sealed with a secret of the service's that goes by this number. */
export interface TicketBlob {
  readonly secretId: bigint;
  /** Empty: no ticket. */
  readonly blob: Bytes;
}

/** Of a ticket that is sealed with the key which all monitors share. */
export const SHARED_SECRET_ID = 0xffff_ffff_ffff_ffffn;
export const NO_TICKET: TicketBlob = { secretId: 0n, blob: EMPTY };

/** What the monitors vouch for: AuthTicket, and the session key. */
export interface TicketContents {
  readonly entity: EntityName;
  readonly globalId: bigint;
  readonly created: UTime;
  readonly expires: UTime;
  /** What the entity may do at the service. */
  readonly caps: string;
  readonly sessionKey: CryptoKey;
}

/** A ticket in its owner's hands. */
export interface ServiceTicket {
  readonly service: EntityTypeName;
  readonly sessionKey: CryptoKey;
  readonly validForSeconds: number;
  readonly ticket: TicketBlob;
}

const STRUCT_VERSION = 1;
const AUTH_TICKET_VERSION = 2;
/** CEPH_AUTH_UID_DEFAULT. */
const ANY_UID = 0xffff_ffff_ffff_ffffn;

export function encodeTicketBlob(to: Encoder, { secretId, blob }: TicketBlob): void {
  to.u8(STRUCT_VERSION);
  to.u64big(secretId);
  to.blob(blob);
}

/** @throws MalformedInput */
export function decodeTicketBlob(from: Decoder): TicketBlob {
  from.u8('ticket version');
  return { secretId: from.u64big('ticket secret id'), blob: from.blob('ticket') };
}

/** Seals a ticket for a service, which looks its secret up by `secretId`. */
export function sealTicket(
  crypto: CephxCrypto,
  secretId: bigint,
  secret: CryptoKey,
  ticket: TicketContents,
): TicketBlob {
  const blob = seal(crypto, secret.secret, (plain) => {
    plain.u8(STRUCT_VERSION);
    plain.u8(AUTH_TICKET_VERSION);
    encodeEntityName(plain, ticket.entity);
    plain.u64big(ticket.globalId);
    plain.u64big(ANY_UID);
    encodeUTime(plain, ticket.created);
    encodeUTime(plain, ticket.expires);
    plain.u8(STRUCT_VERSION);
    plain.bool(false);
    const caps = new Encoder(ticket.caps.length + 8);
    caps.string(ticket.caps);
    plain.blob(caps.finish());
    plain.u32(0);
    encodeCryptoKey(plain, ticket.sessionKey);
  });
  return { secretId, blob };
}

/** @throws MalformedInput when it was sealed with another secret. */
export function openTicket(crypto: CephxCrypto, secret: CryptoKey, { blob }: TicketBlob): TicketContents {
  return unseal(crypto, secret.secret, blob, 'ticket', (plain) => {
    plain.u8('ticket version');
    const version = plain.u8('auth ticket version');
    const entity = decodeEntityName(plain);
    const globalId = plain.u64big('ticket global id');
    plain.u64big('ticket uid');
    const created = decodeUTime(plain, 'ticket created');
    const expires = decodeUTime(plain, 'ticket expires');
    const caps = version >= AUTH_TICKET_VERSION ? decodeCaps(plain) : '';
    if (version >= AUTH_TICKET_VERSION) plain.u32('ticket flags');
    return { entity, globalId, created, expires, caps, sessionKey: decodeCryptoKey(plain) };
  });
}

function decodeCaps(plain: Decoder): string {
  plain.u8('caps version');
  plain.bool('caps allow all');
  const caps = plain.blob('ticket caps');
  return caps.length === 0 ? '' : new Decoder(caps).string('ticket caps');
}

/**
 * Writes tickets for their owner, whose key or session key is `key`. With `oldSessionKey` the tickets are sealed with it:
 * only who held the owner's last ticket can use them (cephx_build_service_ticket_reply).
 */
export function encodeTickets(
  to: Encoder,
  crypto: CephxCrypto,
  key: CryptoKey,
  tickets: readonly ServiceTicket[],
  oldSessionKey?: CryptoKey,
): void {
  to.u8(STRUCT_VERSION);
  to.list(tickets, ({ service, sessionKey, validForSeconds, ticket }) => {
    to.u32(EntityType[service]);
    to.u8(STRUCT_VERSION);
    to.blob(
      seal(crypto, key.secret, (plain) => {
        plain.u8(STRUCT_VERSION);
        encodeCryptoKey(plain, sessionKey);
        const sec = Math.floor(validForSeconds);
        encodeUTime(plain, { sec, nsec: Math.floor((validForSeconds - sec) * 1e9) });
      }),
    );
    const blob = new Encoder(ticket.blob.length + 16);
    encodeTicketBlob(blob, ticket);
    to.bool(oldSessionKey !== undefined);
    if (oldSessionKey === undefined) to.blob(blob.finish());
    else to.blob(seal(crypto, oldSessionKey.secret, (plain) => plain.blob(blob.finish())));
  });
}

/** @throws MalformedInput when they are not for the owner of `key`. */
export function decodeTickets(
  from: Decoder,
  crypto: CephxCrypto,
  key: CryptoKey,
  oldSessionKey: CryptoKey | undefined,
): ServiceTicket[] {
  from.u8('tickets version');
  return from.list('tickets', 14, () => {
    const number = from.u32('ticket service');
    const service = entityTypeName(number) ?? from.fail('ticket service', `is ${number}`);
    from.u8('ticket version');
    const { sessionKey, validity } = unseal(
      crypto,
      key.secret,
      from.blob('service ticket'),
      'service ticket',
      (plain) => {
        plain.u8('service ticket version');
        return { sessionKey: decodeCryptoKey(plain), validity: decodeUTime(plain, 'ticket validity') };
      },
    );
    const isSealed = from.bool('ticket is sealed');
    const bytes = from.blob('ticket blob');
    if (isSealed && oldSessionKey === undefined) from.fail('ticket blob', 'is sealed with a key that is not held');
    const blob = isSealed
      ? unseal(crypto, oldSessionKey!.secret, bytes, 'ticket blob', (plain) => plain.blob('ticket blob'))
      : bytes;
    const validForSeconds = validity.sec + validity.nsec / 1e9;
    // Kept for long: not as a view of all that came along.
    const { secretId, blob: opaque } = decodeTicketBlob(new Decoder(blob));
    return { service, sessionKey: copyKey(sessionKey), validForSeconds, ticket: { secretId, blob: opaque.slice() } };
  });
}

function copyKey({ created, secret }: CryptoKey): CryptoKey {
  return { created, secret: secret.slice() };
}
