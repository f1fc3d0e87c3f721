/** Entities, and global ids: every client session gets one that no other ever had (mon/AuthMonitor.cc). */
import { type CryptoKey, type EntityAuth, generateKey, type Keyring } from '@spirula/auth';
import { EntityTable } from './entity-table.ts';
import { firstEntities } from './first-entities.ts';
import { type BadCaps, findBadCaps } from './health/auth-checks.ts';
import type { MonTransaction } from './mon-store.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';

const PREFIX = 'auth';
/** The monitors' own name. Its key is in the keyring of each, and in no table. */
const MON = 'mon.';
/** As in Ceph, the first ids stay free. */
const FIRST_ID = 4096;
/** How many ids one commit makes available. */
const CHUNK = 10_000;
/** When so few are left, more are asked for. */
const LOW = CHUNK / 2;

export class AuthMonitor implements PaxosService {
  readonly #context: ServiceContext;
  #max = 0;
  /**
   * Next id of this monitor, which takes those of its own residue, so that none is given twice; 0 until it knows which of
   * them it gave out in an earlier run.
   */
  #next = 0;
  #rank: number;
  #size: number;
  readonly #keyring: Keyring;
  readonly #entities: EntityTable;
  #moreIds = false;
  #badCaps: { readonly version: number; readonly found: BadCaps } | undefined;

  /** @param keyring `mon.`, and the entities that a new cluster begins with; empty under auth none */
  constructor(context: ServiceContext, rank: number, size: number, keyring: Keyring) {
    this.#context = context;
    this.#keyring = keyring;
    this.#rank = rank;
    this.#size = size;
    this.#entities = new EntityTable(context.store);
  }

  get dirty(): boolean {
    return this.#moreIds || this.#entities.dirty;
  }

  // Entities

  /** Key and caps of an entity by its name, `osd.0`; undefined when there is none such. `mon.` is known from the start. */
  entity(name: string): EntityAuth | undefined {
    return this.#entities.all.get(name) ?? (name === MON ? this.#keyring.get(MON) : undefined);
  }

  /** What is agreed on of all entities. */
  get entities(): Keyring {
    return this.#entities.all;
  }

  /** Capabilities that do not parse; looked at when the entities change. */
  get badCaps(): BadCaps {
    if (this.#badCaps?.version !== this.#entities.version) {
      this.#badCaps = { version: this.#entities.version, found: findBadCaps(this.#entities.all) };
    }
    return this.#badCaps.found;
  }

  /** What an entity is about to become; undefined when it stays as it is, or goes. */
  pending(name: string): EntityAuth | undefined {
    return this.#entities.pending(name);
  }

  /** The leader's: changes an entity or adds it; undefined removes it. */
  setEntity(name: string, entity: EntityAuth | undefined): void {
    this.#entities.set(name, entity);
    this.#context.changed();
  }

  createKey(): CryptoKey {
    return generateKey(this.#context.crypto, this.#context.wall());
  }

  // Global ids

  refresh(): void {
    this.#entities.refresh();
    const max = this.#context.store.getNumber(PREFIX, 'max_global_id');
    if (max === this.#max) return;
    this.#max = max;
    this.#moreIds = false;
  }

  /** The store is up to date: whatever an earlier run of this monitor gave out is at most what is available now. */
  onReadable(): void {
    if (this.#next === 0) this.#next = this.#ours(this.#max);
  }

  /**
   * The monitors are others, or in another order. Whatever was given out before is at most what is available now, so that
   * ids above it are nobody's yet.
   */
  reconfigure(rank: number, size: number): void {
    this.#rank = rank;
    this.#size = size;
    this.#next = 0;
  }

  #ours(above: number): number {
    const from = Math.max(above, FIRST_ID) + 1;
    return from + ((this.#rank - (from % this.#size) + this.#size) % this.#size);
  }

  onLeading(): void {
    this.#entities.forgetPending();
    // A cluster that authenticates begins with the monitor's keyring (AuthMonitor::create_initial).
    if (this.#entities.version === 0 && this.#keyring.size > 0) {
      const all = firstEntities(this.#keyring, () => this.createKey());
      for (const [name, entity] of all) this.setEntity(name, entity);
    }
    this.askForMore();
  }

  /** The leader's: makes more ids available. */
  askForMore(): void {
    this.#moreIds = true;
    this.#context.changed();
  }

  encodePending(transaction: MonTransaction): void {
    if (this.#entities.dirty) this.#entities.encodePending(transaction);
    if (this.#moreIds) transaction.putNumber(PREFIX, 'max_global_id', Math.max(this.#max, FIRST_ID) + CHUNK);
    this.#moreIds = false;
  }

  /** A fresh id; undefined until the monitors have agreed on more. */
  allocate(): bigint | undefined {
    if (this.#next === 0 || this.#next > this.#max) return undefined;
    const id = this.#next;
    this.#next += this.#size;
    return BigInt(id);
  }

  /** Whether ids run short at this monitor. */
  get isLow(): boolean {
    return this.#next + LOW > this.#max;
  }

  /** The leader's: keeps ids ahead of demand. */
  tick(): void {
    if (this.isLow) this.askForMore();
  }
}
