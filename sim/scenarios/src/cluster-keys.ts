import { type CryptoKey, type EntityAuth, KEY_BYTES, type Keyring } from '@spirula/auth';
import type { SeededRandom } from '@spirula/sim-world';

/** May do everything everywhere. */
const EVERYTHING: EntityAuth['caps'] = new Map([
  ['mon', 'allow *'],
  ['osd', 'allow *'],
  ['mgr', 'allow *'],
  ['mds', 'allow *'],
]);
/** As deployments give them to their daemons. */
const DAEMON_CAPS: Readonly<Record<string, EntityAuth['caps']>> = {
  osd: new Map([
    ['mon', 'allow profile osd'],
    ['mgr', 'allow profile osd'],
    ['osd', 'allow *'],
  ]),
  mgr: new Map([
    ['mon', 'allow profile mgr'],
    ['osd', 'allow *'],
    ['mds', 'allow *'],
  ]),
};

/** The keys of a simulated cluster's entities, drawn from its seed. Under auth none there are none. */
export class ClusterKeys {
  readonly #auth: 'cephx' | 'none';
  readonly #random: (name: string) => SeededRandom;

  constructor(auth: 'cephx' | 'none', random: (name: string) => SeededRandom) {
    this.#auth = auth;
    this.#random = random;
  }

  of(name: string): CryptoKey | undefined {
    if (this.#auth === 'none') return undefined;
    const random = this.#random(`key ${name}`);
    const secret = Uint8Array.from({ length: KEY_BYTES }, () => random.below(256));
    return { created: { sec: 0, nsec: 0 }, secret };
  }

  /** What the monitors begin with: their own key, and those of `names`. */
  keyring(names: readonly string[]): Keyring {
    const keyring = new Map<string, EntityAuth>();
    for (const name of ['mon.', 'client.admin', ...names]) {
      const key = this.of(name);
      if (key !== undefined) keyring.set(name, { key, caps: DAEMON_CAPS[name.split('.')[0]!] ?? EVERYTHING });
    }
    return keyring;
  }
}
