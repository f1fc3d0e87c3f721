/**
 * The secrets that tickets for one type of service are sealed with (auth/Auth.h, RotatingSecrets): three at a time, so that
 * a ticket of the one before is taken for as long as it is good, and daemons know the next before it is used.
 *
 *     oldest   last one's tickets        in use until `current` would expire
 *     current  seals new tickets         expires
 *     next     daemons have it already   a ticket's life later
 */
import { type Bytes, Decoder, decodeUTime, Encoder, encodeUTime, type UTime } from '@spirula/encoding';
import type { CephxCrypto } from './cephx-sealed.ts';
import { type CryptoKey, decodeCryptoKey, encodeCryptoKey, KEY_BYTES } from './crypto-key.ts';

const GENERATIONS = 3;
const VERSION = 1;

interface ExpiringKey {
  readonly key: CryptoKey;
  readonly expiration: UTime;
}

export interface RotatingSecrets {
  /** By number, oldest first; at most three. */
  readonly secrets: ReadonlyMap<bigint, ExpiringKey>;
  /** The highest number given out. */
  readonly newest: bigint;
}

export const NO_SECRETS: RotatingSecrets = { secrets: new Map(), newest: 0n };

export function secondsOf({ sec, nsec }: UTime): number {
  return sec + nsec / 1e9;
}

export function toUTime(seconds: number): UTime {
  const sec = Math.max(0, Math.floor(seconds));
  return { sec, nsec: Math.max(0, Math.min(999_999_999, Math.round((seconds - sec) * 1e9))) };
}

/** A fresh key. */
export function generateKey(crypto: Pick<CephxCrypto, 'randomBytes'>, now: UTime): CryptoKey {
  return { created: now, secret: crypto.randomBytes(KEY_BYTES) };
}

/** The one that seals new tickets: the second of three, or the only one. */
function current({ secrets }: RotatingSecrets): readonly [bigint, ExpiringKey] | undefined {
  const [first, second] = secrets;
  return second ?? first;
}

/** Whether there are too few, or the current one is used up at `now` (RotatingSecrets::need_new_secrets). */
export function needsRotation(secrets: RotatingSecrets, now: number): boolean {
  if (secrets.secrets.size < GENERATIONS) return true;
  return secondsOf(current(secrets)![1].expiration) <= now;
}

/** All the new secrets that are due at `now` (KeyServer::_rotate_secret); the same object when none is. */
export function rotate(
  secrets: RotatingSecrets,
  now: UTime,
  ttlSeconds: number,
  crypto: Pick<CephxCrypto, 'randomBytes'>,
): RotatingSecrets {
  let rotated = secrets;
  while (needsRotation(rotated, secondsOf(now))) rotated = addGeneration(rotated, now, ttlSeconds, crypto);
  return rotated;
}

/** One more secret, for the oldest when there are three. */
export function addGeneration(
  secrets: RotatingSecrets,
  now: UTime,
  ttlSeconds: number,
  crypto: Pick<CephxCrypto, 'randomBytes'>,
): RotatingSecrets {
  const last = [...secrets.secrets.values()].at(-1);
  const from = last === undefined ? secondsOf(now) : Math.max(secondsOf(now) + ttlSeconds, secondsOf(last.expiration));
  const newest = secrets.newest + 1n;
  const all = new Map(secrets.secrets).set(newest, {
    key: generateKey(crypto, now),
    expiration: toUTime(from + ttlSeconds),
  });
  const [oldest] = all.keys();
  if (all.size > GENERATIONS) all.delete(oldest!);
  return { secrets: all, newest };
}

/** What seals a ticket now, and how long such a ticket may be good (KeyServerData::get_service_secret). */
export function sealingSecret(
  secrets: RotatingSecrets,
  now: UTime,
  ttlSeconds: number,
): { readonly secretId: bigint; readonly key: CryptoKey; readonly validForSeconds: number } | undefined {
  const all = [...secrets.secrets];
  const newest = all.at(-1);
  if (newest === undefined) return undefined;
  let index = Math.min(1, all.length - 1);
  if (secondsOf(all[index]![1].expiration) < secondsOf(now)) index = Math.min(index + 1, all.length - 1);
  const [secretId, { key }] = all[index]!;
  // Not beyond the next one: then this one is gone.
  const left = secondsOf(newest[1].expiration) - secondsOf(now);
  return { secretId, key, validForSeconds: Math.max(0, Math.min(ttlSeconds, left)) };
}

export function encodeRotatingSecrets(to: Encoder, { secrets, newest }: RotatingSecrets): void {
  to.u8(VERSION);
  to.map(
    secrets,
    (id) => to.u64big(id),
    ({ key, expiration }) => {
      to.u8(VERSION);
      encodeCryptoKey(to, key);
      encodeUTime(to, expiration);
    },
  );
  to.u64big(newest);
}

/** @throws MalformedInput */
export function decodeRotatingSecrets(from: Decoder): RotatingSecrets {
  from.u8('rotating secrets version');
  const secrets = from.map(
    'rotating secrets',
    45,
    () => from.u64big('secret id'),
    () => {
      from.u8('expiring key version');
      const { created, secret } = decodeCryptoKey(from);
      return { key: { created, secret: secret.slice() }, expiration: decodeUTime(from, 'key expiration') };
    },
  );
  return { secrets, newest: from.u64big('newest secret id') };
}

/** All services' secrets, as the monitors keep them. */
export function encodeSecretsByService(all: ReadonlyMap<string, RotatingSecrets>): Bytes {
  const to = new Encoder(1024);
  to.map(
    all,
    (service) => to.string(service),
    (secrets) => encodeRotatingSecrets(to, secrets),
  );
  return to.finish();
}

/** @throws MalformedInput */
export function decodeSecretsByService(bytes: Bytes): ReadonlyMap<string, RotatingSecrets> {
  const from = new Decoder(bytes);
  return from.map(
    'secrets by service',
    17,
    () => from.string('service'),
    () => decodeRotatingSecrets(from),
  );
}
