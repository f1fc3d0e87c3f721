import type { Bytes } from '@spirula/encoding';
import { type Batch, type KeyValue, KvOverlay, type KvRange, type Token } from '@spirula/world';

/** A key-value store that is gone with its daemon. */
export class MemoryKv implements KeyValue {
  readonly #table = new KvOverlay('stands-alone');
  readonly #onCommitted: (token: Token) => void;
  #tokens: Token[] = [];
  #stopped = false;

  constructor(onCommitted: (token: Token) => void) {
    this.#onCommitted = onCommitted;
  }

  get(key: Bytes): Bytes | undefined {
    const answer = this.#table.get(key);
    return answer === 'deleted' ? undefined : answer;
  }

  range(range: KvRange): Iterable<readonly [Bytes, Bytes]> {
    return this.#table.range(range);
  }

  submit(batch: Batch, token: Token): void {
    this.#table.apply(batch);
    this.#tokens.push(token);
    if (this.#tokens.length === 1) queueMicrotask(() => this.#commit());
  }

  stop(): void {
    this.#stopped = true;
  }

  #commit(): void {
    const tokens = this.#tokens;
    this.#tokens = [];
    for (const token of tokens) if (!this.#stopped) this.#onCommitted(token);
  }
}
