import { type Batch, invariant, type KeyValue, type Token } from '@spirula/world';
import type { StagedKv } from './staged-kv.ts';

/** A complete batch on its way to durability. */
export interface Commit {
  readonly batch: Batch;
  /** The flush that must come back before the batch may be submitted: it refers to blocks written before. */
  readonly awaits: Token | undefined;
  /** What its owner calls it; undefined for the store's own. */
  readonly owner: Token | undefined;
  /** Runs when the batch is durable. */
  onCommitted(): void;
}

/** Batches that were submitted while others are held, after which the overlay is built anew without them. */
const SETTLE_AFTER = 64;

/**
 * Submits batches in order, each once the flush it awaits has come back.
 *
 *     add --> held (until its flush, and all before it) --> submitted --> committed
 */
export class CommitQueue {
  readonly #kv: KeyValue;
  readonly #staged: StagedKv;
  #held: Commit[] = [];
  readonly #flushed = new Set<Token>();
  readonly #submitted: { readonly token: Token; readonly commit: Commit }[] = [];
  #lastToken = 0;
  #unsettled = 0;

  constructor(kv: KeyValue, staged: StagedKv) {
    this.#kv = kv;
    this.#staged = staged;
  }

  add(commit: Commit): void {
    this.#held.push(commit);
    this.#submitReady();
  }

  /** Submits past those that are held: for a batch that nothing depends on. */
  submitAside(batch: Batch, onCommitted: () => void): void {
    this.#submit({ batch, awaits: undefined, owner: undefined, onCommitted });
  }

  onFlushed(token: Token): void {
    if (!this.#held.some((commit) => commit.awaits === token)) return;
    this.#flushed.add(token);
    this.#submitReady();
  }

  /** Returns the owner's name of the batch that is now durable. */
  onCommitted(token: Token): Token | undefined {
    const head = this.#submitted.shift();
    invariant(head !== undefined && head.token === token, 'batches commit in the order of their submission');
    head.commit.onCommitted();
    return head.commit.owner;
  }

  #submitReady(): void {
    let ready = 0;
    for (const { awaits } of this.#held) {
      if (awaits !== undefined && !this.#flushed.delete(awaits)) break;
      ready += 1;
    }
    if (ready === 0) return;
    for (const commit of this.#held.splice(0, ready)) this.#submit(commit);
    this.#unsettled += ready;
    if (this.#held.length === 0 || this.#unsettled >= SETTLE_AFTER) {
      this.#unsettled = 0;
      this.#staged.settle(this.#held.map((commit) => commit.batch));
    }
  }

  #submit(commit: Commit): void {
    this.#lastToken += 1;
    this.#submitted.push({ token: this.#lastToken, commit });
    this.#kv.submit(commit.batch, this.#lastToken);
  }
}
