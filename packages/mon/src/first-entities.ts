/** What a new cluster's entity table begins with (AuthMonitor::create_initial, create_initial_keys). */
import type { CapsService, CryptoKey, EntityAuth, Keyring } from '@spirula/auth';

const EVERYTHING: readonly CapsService[] = ['mon', 'osd', 'mds', 'mgr'];
/** Kinds of daemon that may be added with a key which does nothing else. */
const BOOTSTRAPPED = ['osd', 'rgw', 'mds', 'mgr', 'rbd', 'rbd-mirror'];

/** The entities of a monitor's keyring but `mon.`, an administrator, and who may add daemons of each kind. */
export function firstEntities(keyring: Keyring, createKey: () => CryptoKey): Map<string, EntityAuth> {
  const entities = new Map([...keyring].filter(([name]) => name !== 'mon.'));
  const addMissing = (name: string, caps: EntityAuth['caps']) => {
    if (!entities.has(name)) entities.set(name, { key: createKey(), caps });
  };
  addMissing('client.admin', new Map(EVERYTHING.map((service) => [service, 'allow *'])));
  for (const kind of BOOTSTRAPPED) {
    addMissing(`client.bootstrap-${kind}`, new Map([['mon', `allow profile bootstrap-${kind}`]]));
  }
  return entities;
}
