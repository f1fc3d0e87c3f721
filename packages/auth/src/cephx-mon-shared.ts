/**
 * How monitors prove who they are (Monitor::get_authorizer): each makes its own ticket, and goes on as every holder of a ticket
 * does. For other monitors it is sealed with the key that all of them share, for a manager with a secret of managers.
 */
import { type EntityName, EntityType, type EntityTypeName, type UTime } from '@spirula/encoding';
import { AcceptingAuthorizer, ConnectingAuthorizer } from './cephx-authorizer.ts';
import { generateKey, type RotatingSecrets, sealingSecret, secondsOf, toUTime } from './cephx-rotating-secrets.ts';
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
  return connectWithOwnTicket(crypto, 'mon', { secretId: SHARED_SECRET_ID, key: shared, expires: now }, now, modes);
}

/** To a manager; undefined while there are no secrets of managers. `ttlSeconds`: how long a ticket is good. */
export function connectMonitorToMgr(
  crypto: CephxCrypto,
  secrets: RotatingSecrets | undefined,
  ttlSeconds: number,
  now: UTime,
  modes: readonly number[],
): ConnectingAuthorizer | undefined {
  const sealing = secrets && sealingSecret(secrets, now, ttlSeconds);
  if (sealing === undefined) return undefined;
  const expires = toUTime(secondsOf(now) + sealing.validForSeconds);
  return connectWithOwnTicket(crypto, 'mgr', { ...sealing, expires }, now, modes);
}

function connectWithOwnTicket(
  crypto: CephxCrypto,
  service: EntityTypeName,
  { secretId, key, expires }: { readonly secretId: bigint; readonly key: CryptoKey; readonly expires: UTime },
  now: UTime,
  modes: readonly number[],
): ConnectingAuthorizer {
  const sessionKey = generateKey(crypto, now);
  const contents = { entity: MON_ENTITY, globalId: 0n, created: now, expires, caps: '', sessionKey };
  const ticket = sealTicket(crypto, secretId, key, contents);
  return new ConnectingAuthorizer(crypto, { service, globalId: 0n, sessionKey, ticket }, modes, () => {});
}

export function acceptMonitor(crypto: CephxCrypto, shared: CryptoKey, mode: number): AcceptingAuthorizer {
  const findSecret = (service: number, id: bigint) =>
    service === EntityType.mon && id === SHARED_SECRET_ID ? shared : undefined;
  return new AcceptingAuthorizer(crypto, findSecret, mode);
}
