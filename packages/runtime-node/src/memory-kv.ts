import type { Bytes } from '@spirula/encoding';
import type { Batch, KeyValue, KvOverlay, KvRange, Token } from '@spirula/world';
import type { MemoryDisk } from './memory-disk.ts';

/** A key-value store over a memory disk: everything submitted survives. */
export class MemoryKv implements KeyValue {
  readonly #table: KvOverlay;
  readonly #onCommitted: (token: Token) => void;
  #tokens: Token[] = [];
  #stopped = false;

  constructor(disk: MemoryDisk, onCommitted: (token: Token) => void) {
    this.#table = disk.table;
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
