import type { CryptoKey } from './crypto-key.ts';

/** A type of daemon that checks capabilities. */
export type CapsService = 'mon' | 'osd' | 'mgr' | 'mds';

/** What the monitors know of an entity (auth/Auth.h, EntityAuth). */
export interface EntityAuth {
  readonly key: CryptoKey;
  /** What it may do at each type of daemon, in that daemon's grammar; nothing where there is no entry. */
  readonly caps: ReadonlyMap<CapsService, string>;
}
