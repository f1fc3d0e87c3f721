/**
 * Monitors among themselves (Monitor::get_authorizer): each makes its own ticket, sealed with the key that all of them share,
 * and goes on as every holder of a ticket does.
 */
import type { EntityName, UTime } from '@spirula/encoding';
import { EntityType } from '@spirula/encoding';
import { AcceptingAuthorizer, ConnectingAuthorizer } from './cephx-authorizer.ts';
import { generateKey } from './cephx-rotating-secrets.ts';
import type { CephxCrypto } from './cephx-sealed.ts';
import { SHARED_SECRET_ID, sealTicket } from './cephx-ticket.ts';
import type { CryptoKey } from './crypto-key.ts';

/** The name of the key, and of every monitor where keys are concerned. */
export const MON_ENTITY: EntityName = { type: 'mon', id: '' };

export function connectMonitor(
  crypto: CephxCrypto,
  shared: CryptoKey,
  now: UTime,
  modes: readonly number[],
): ConnectingAuthorizer {
  const sessionKey = generateKey(crypto, now);
  const contents = { entity: MON_ENTITY, globalId: 0n, created: now, expires: now, caps: '', sessionKey };
  const ticket = sealTicket(crypto, SHARED_SECRET_ID, shared, contents);
  return new ConnectingAuthorizer(crypto, { service: 'mon', globalId: 0n, sessionKey, ticket }, modes, () => {});
}

export function acceptMonitor(crypto: CephxCrypto, shared: CryptoKey, mode: number): AcceptingAuthorizer {
  const findSecret = (service: number, id: bigint) =>
    service === EntityType.mon && id === SHARED_SECRET_ID ? shared : undefined;
  return new AcceptingAuthorizer(crypto, findSecret, mode);
}
