/** Tokens that Keystone has told of, until they end: of too many, those that were not asked about for longest are forgotten. */
import type { UTime } from '@spirula/encoding';
import type { KeystoneToken } from './keystone-client.ts';

export class TokenCache {
  readonly #size: number;
  /** In the order in which they were asked about. */
  readonly #tokens = new Map<string, KeystoneToken>();

  /** @param size rgw_keystone_token_cache_size */
  constructor(size: number) {
    this.#size = size;
  }

  /** @param key what a token is known by: not itself, so that nobody finds it here */
  find(key: string, now: UTime): KeystoneToken | undefined {
    const found = this.#tokens.get(key);
    if (!found) return undefined;
    this.#tokens.delete(key);
    if (found.expires.sec <= now.sec) return undefined;
    this.#tokens.set(key, found);
    return found;
  }

  add(key: string, token: KeystoneToken): void {
    this.#tokens.set(key, token);
    for (const oldest of this.#tokens.keys()) {
      if (this.#tokens.size <= this.#size) break;
      this.#tokens.delete(oldest);
    }
  }
}
