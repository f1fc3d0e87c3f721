import type { Batch, KeyValue, Token } from '@spirula/world';

/**
 * Writes to the monitor's store, and what must wait for them. A promise to a peer leaves only when all that was
 * submitted before it survives a crash; because batches survive as a prefix, one rule serves for every kind of promise.
 */
export class StoreWriter {
  readonly #kv: KeyValue;
  #submitted: Token = 0;
  #durable: Token = 0;
  /** In the order of `after`. */
  readonly #held: { readonly after: Token; readonly run: () => void }[] = [];

  constructor(kv: KeyValue) {
    this.#kv = kv;
  }

  /** Readers see it at once. */
  submit(batch: Batch): void {
    this.#submitted += 1;
    this.#kv.submit(batch, this.#submitted);
  }

  /** Runs `then` when everything submitted so far is durable: at once when it is. In order. */
  whenDurable(then: () => void): void {
    if (this.#durable >= this.#submitted) then();
    else this.#held.push({ after: this.#submitted, run: then });
  }

  onCommitted(token: Token): void {
    this.#durable = token;
    while (this.#held.length > 0 && this.#held[0]!.after <= token) this.#held.shift()!.run();
  }
}
