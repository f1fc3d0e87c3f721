/** Entities, and global ids: every client session gets one that no other ever had (mon/AuthMonitor.cc). */
import type { EntityAuth } from '@spirula/auth';
import type { MonTransaction } from './mon-store.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';

const PREFIX = 'auth';
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
  readonly #rank: number;
  readonly #size: number;
  readonly #initial: ReadonlyMap<string, EntityAuth>;
  dirty = false;

  /** @param initial the entities that a new cluster begins with, `mon.` among them; none under auth none */
  constructor(context: ServiceContext, rank: number, size: number, initial: ReadonlyMap<string, EntityAuth>) {
    this.#context = context;
    this.#initial = initial;
    this.#rank = rank;
    this.#size = size;
  }

  /** Key and caps of an entity by its name, `osd.0`; undefined when there is none such. */
  entity(name: string): EntityAuth | undefined {
    return this.#initial.get(name);
  }

  refresh(): void {
    const max = this.#context.store.getNumber(PREFIX, 'max_global_id');
    if (max === this.#max) return;
    this.#max = max;
    this.dirty = false;
  }

  /** The store is up to date: whatever an earlier run of this monitor gave out is at most what is available now. */
  onReadable(): void {
    if (this.#next === 0) this.#next = this.#ours(this.#max);
  }

  #ours(above: number): number {
    const from = Math.max(above, FIRST_ID) + 1;
    return from + ((this.#rank - (from % this.#size) + this.#size) % this.#size);
  }

  onLeading(): void {
    this.askForMore();
  }

  /** The leader's: makes more ids available. */
  askForMore(): void {
    this.dirty = true;
    this.#context.changed();
  }

  encodePending(transaction: MonTransaction): void {
    transaction.putNumber(PREFIX, 'max_global_id', Math.max(this.#max, FIRST_ID) + CHUNK);
    this.dirty = false;
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
