/** Secrets of access keys that Keystone has told of, and whose they are: for a few minutes (rgw::auth::keystone::SecretCache). */
import type { RawString, UTime } from '@spirula/encoding';
import type { KeystoneToken } from './keystone-client.ts';

/** s3_token_expiry_length */
const SECONDS = 300;

export interface KnownKey {
  readonly token: KeystoneToken;
  readonly secret: RawString;
}

export class SecretCache {
  readonly #size: number;
  /** In the order in which they were asked about. */
  readonly #keys = new Map<RawString, KnownKey & { readonly endsSec: number }>();

  /** @param size rgw_keystone_token_cache_size */
  constructor(size: number) {
    this.#size = size;
  }

  find(accessKey: RawString, now: UTime): KnownKey | undefined {
    const found = this.#keys.get(accessKey);
    if (!found) return undefined;
    this.#keys.delete(accessKey);
    if (found.token.expires.sec <= now.sec || found.endsSec < now.sec) return undefined;
    this.#keys.set(accessKey, found);
    return found;
  }

  add(accessKey: RawString, known: KnownKey, now: UTime): void {
    this.#keys.delete(accessKey);
    this.#keys.set(accessKey, { ...known, endsSec: now.sec + SECONDS });
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= this.#size) break;
      this.#keys.delete(oldest);
    }
  }
}
