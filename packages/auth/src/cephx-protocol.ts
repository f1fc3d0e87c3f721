/** What clients ask the monitors for, and how they are answered (auth/cephx/CephxProtocol.h). */
import { type Bytes, Decoder, Encoder, type EntityName, EntityType, type EntityTypeName } from '@spirula/encoding';
import { AuthPurpose } from './auth-none.ts';
import { decodeTicketBlob, encodeTicketBlob, type TicketBlob } from './cephx-ticket.ts';
import { decodeEntityName, encodeEntityName } from './entity-name.ts';

export const CephxRequest = { authSessionKey: 0x100, principalSessionKey: 0x200, rotatingKey: 0x400 } as const;

const VERSION = 1;
/** From this one on a client that has a ticket shows it. */
const AUTHENTICATE_VERSION = 3;

/** Services as the bits of a mask. */
export function servicesOf(mask: number): EntityTypeName[] {
  return (Object.keys(EntityType) as EntityTypeName[]).filter((name) => (mask & EntityType[name]) !== 0);
}

export function maskOf(services: readonly EntityTypeName[]): number {
  return services.reduce((mask, name) => mask | EntityType[name], 0);
}

/** The first payload to a monitor: who this is, and what the monitors have called it, 0n before they have. */
export function encodeMonGreeting(entity: EntityName, globalId: bigint): Bytes {
  const to = new Encoder(64);
  to.u8(AuthPurpose.monitor);
  encodeEntityName(to, entity);
  to.u64big(globalId);
  return to.finish();
}

/** After the purpose. @throws MalformedInput */
export function decodeMonGreeting(from: Decoder): { readonly entity: EntityName; readonly globalId: bigint } {
  return { entity: decodeEntityName(from), globalId: from.u64big('global id') };
}

export function encodeServerChallenge(challenge: bigint): Bytes {
  const to = new Encoder(16);
  to.u8(VERSION);
  to.u64big(challenge);
  return to.finish();
}

/** @throws MalformedInput */
export function decodeServerChallenge(bytes: Bytes): bigint {
  const from = new Decoder(bytes);
  from.u8('server challenge version');
  return from.u64big('server challenge');
}

/** CephXAuthenticate. */
export interface Authenticate {
  readonly clientChallenge: bigint;
  /** Made of both challenges with the client's key: eight bytes. */
  readonly answer: Bytes;
  /** The client's last ticket for the monitors. */
  readonly oldTicket: TicketBlob;
  /** Services that tickets are wanted for. */
  readonly wanted: number;
}

export function encodeAuthenticate(to: Encoder, request: Authenticate): void {
  to.u16(CephxRequest.authSessionKey);
  to.u8(AUTHENTICATE_VERSION);
  to.u64big(request.clientChallenge);
  to.raw(request.answer);
  encodeTicketBlob(to, request.oldTicket);
  to.u32(request.wanted);
}

/** After the request type. @throws MalformedInput */
export function decodeAuthenticate(from: Decoder): Authenticate {
  const version = from.u8('authenticate version');
  const clientChallenge = from.u64big('client challenge');
  const answer = from.raw(8, 'answer');
  const oldTicket = decodeTicketBlob(from);
  return { clientChallenge, answer, oldTicket, wanted: version >= 2 ? from.u32('wanted services') : 0 };
}

/** CephXServiceTicketRequest, behind an authorizer. */
export function encodeServiceTicketRequest(to: Encoder, wanted: number): void {
  to.u8(VERSION);
  to.u32(wanted);
}

/** @throws MalformedInput */
export function decodeServiceTicketRequest(from: Decoder): number {
  from.u8('ticket request version');
  return from.u32('wanted services');
}

export function encodeResponseHeader(to: Encoder, request: number, status: number): void {
  to.u16(request);
  to.i32(status);
}

/** @throws MalformedInput */
export function decodeResponseHeader(from: Decoder): { readonly request: number; readonly status: number } {
  return { request: from.u16('response type'), status: from.i32('response status') };
}
