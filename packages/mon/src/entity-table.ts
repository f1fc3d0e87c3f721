/**
 * The entities that may authenticate, with keys and caps, as the monitors agree on them (KeyServerData of
 * auth/cephx/CephxKeyServer.h, kept by mon/AuthMonitor.cc).
 *
 *   auth_entities   <name> -> key, caps; version: how many changes there were, 0 before the first keys
 */
import { type CapsService, decodeCryptoKey, type EntityAuth, encodeCryptoKey, type Keyring } from '@spirula/auth';
import { type Bytes, Decoder, Encoder } from '@spirula/encoding';
import type { MonStore, MonTransaction } from './mon-store.ts';

const PREFIX = 'auth_entities';
const META_PREFIX = 'auth';
const VERSION = 'entities_version';

export class EntityTable {
  readonly #store: MonStore;
  readonly #committed = new Map<string, EntityAuth>();
  #version = 0;
  #pending = new Map<string, EntityAuth | undefined>();

  constructor(store: MonStore) {
    this.#store = store;
  }

  /** As committed. */
  get all(): Keyring {
    return this.#committed;
  }

  /** How many times the table was changed; 0: it never was. */
  get version(): number {
    return this.#version;
  }

  get dirty(): boolean {
    return this.#pending.size > 0;
  }

  /** What an entity is about to become; undefined when it stays as it is, or goes. */
  pending(name: string): EntityAuth | undefined {
    return this.#pending.get(name);
  }

  /** Undefined removes the entity. */
  set(name: string, entity: EntityAuth | undefined): void {
    this.#pending.set(name, entity);
  }

  refresh(): void {
    const version = this.#store.getNumber(META_PREFIX, VERSION);
    if (version === this.#version) return;
    this.#version = version;
    this.#committed.clear();
    for (const [name, bytes] of this.#store.list(PREFIX)) this.#committed.set(name, decodeEntity(bytes));
  }

  forgetPending(): void {
    this.#pending.clear();
  }

  encodePending(transaction: MonTransaction): void {
    for (const [name, entity] of this.#pending) {
      if (entity === undefined) transaction.del(PREFIX, name);
      else transaction.put(PREFIX, name, encodeEntity(entity));
    }
    transaction.putNumber(META_PREFIX, VERSION, this.#version + 1);
    this.#pending = new Map();
  }
}

function encodeEntity({ key, caps }: EntityAuth): Bytes {
  const to = new Encoder(256);
  encodeCryptoKey(to, key);
  to.list([...caps], ([service, text]) => {
    to.string(service);
    to.string(text);
  });
  return to.finish();
}

function decodeEntity(bytes: Bytes): EntityAuth {
  const from = new Decoder(bytes);
  const key = decodeCryptoKey(from);
  const caps = from.list('caps', 8, () => [from.string('service') as CapsService, from.string('caps')] as const);
  return { key, caps: new Map(caps) };
}
