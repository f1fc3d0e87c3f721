import type { Bytes } from '@spirula/encoding';
import { type Batch, invariant, type KvOp, KvOverlay, type KvRange, type Token } from '@spirula/world';
import type { SeededRandom } from './random.ts';
import { isIntact, type Seal, sealMessage } from './seal.ts';

const MAX_KEY_BYTES = 1024;
const EVERYTHING: KvRange = { start: new Uint8Array([0]), end: new Uint8Array(MAX_KEY_BYTES + 1).fill(0xff) };

interface Submitted {
  readonly batch: Batch;
  /** What reads have seen since, with bytes that its owner does not have. */
  readonly own: Batch;
  readonly token: Token;
  /** Taken when it was submitted: nobody changes it since. */
  readonly seal: Seal;
}

/** How a group of batches ended: those that are durable, whether the next had no room, and whether its owner changed one. */
export interface GroupEnd {
  readonly tokens: readonly Token[];
  readonly refused: boolean;
  readonly changed: boolean;
}

/** Key-value batches: as reads see them, and as a crash would leave them, which is a prefix of them. */
export class KvLog {
  readonly #random: SeededRandom;
  readonly #durable = new KvOverlay('stands-alone');
  #view = new KvOverlay('stands-alone');
  /** Not durable yet, oldest first. */
  #submitted: Submitted[] = [];
  /** Nothing that waits, or is still submitted, will ever be durable. */
  #hasEnded = false;
  /** Of all durable keys and values; counted only while somebody asks. */
  #usedBytes: number | undefined;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  get(key: Bytes): Bytes | undefined {
    const answer = this.#view.get(key);
    return answer === 'deleted' ? undefined : answer;
  }

  range(range: KvRange): Iterable<readonly [Bytes, Bytes]> {
    return this.#view.range(range);
  }

  submit(batch: Batch, token: Token): void {
    for (const op of batch) checkKeys(op);
    const own = batch.map(ownOp);
    this.#view.apply(own);
    if (!this.#hasEnded) this.#submitted.push({ batch, own, token, seal: sealMessage(batch) });
  }

  get waiting(): number {
    return this.#submitted.length;
  }

  /** What the batches that wait take to write. */
  get waitingBytes(): number {
    return this.#submitted.reduce((sum, { seal }) => sum + seal.bytes, 0);
  }

  /** Keys and values that are durable. */
  usedBytes(): number {
    this.#usedBytes ??= this.#count(EVERYTHING);
    return this.#usedBytes;
  }

  /** Makes the oldest `count` batches durable, up to the first that would not leave the table within `limitBytes`. */
  commit(count: number, limitBytes: number | undefined): GroupEnd {
    const tokens: Token[] = [];
    let changed = false;
    for (const { batch, own, token, seal } of this.#submitted.slice(0, count)) {
      if (!isIntact(batch, seal)) changed = true;
      const growth = limitBytes === undefined ? 0 : this.#growthOf(batch);
      if (limitBytes !== undefined && growth > 0 && this.usedBytes() + growth > limitBytes) {
        this.#submitted.splice(0, tokens.length);
        return { tokens, refused: true, changed };
      }
      this.#durable.apply(own);
      this.#usedBytes = limitBytes === undefined ? undefined : this.usedBytes() + growth;
      tokens.push(token);
    }
    this.#submitted.splice(0, count);
    return { tokens, refused: false, changed };
  }

  /** None of what waits will ever be durable, nor what its owner submits until it hears of that. */
  end(): void {
    this.#submitted = [];
    this.#hasEnded = true;
  }

  /** All that was submitted is durable. */
  close(): void {
    for (const { own } of this.#submitted) this.#durable.apply(own);
    this.#forget();
  }

  /** What was durable is there, and a prefix of what waited. */
  crash(): void {
    const survivors = this.#random.oneIn(2) ? 0 : this.#random.below(this.#submitted.length + 1);
    for (const { own } of this.#submitted.slice(0, survivors)) this.#durable.apply(own);
    this.#view = this.#durable.copy();
    this.#forget();
  }

  #forget(): void {
    this.#submitted = [];
    this.#hasEnded = false;
    this.#usedBytes = undefined;
  }

  #growthOf(batch: Batch): number {
    let growth = 0;
    for (const op of batch) {
      if (op.op === 'delRange') {
        growth -= this.#count(op);
        continue;
      }
      const old = this.#durable.get(op.key);
      if (old !== undefined && old !== 'deleted') growth -= op.key.length + old.length;
      if (op.op === 'put') growth += op.key.length + op.value.length;
    }
    return growth;
  }

  #count(range: KvRange): number {
    let bytes = 0;
    for (const [key, value] of this.#durable.range(range)) bytes += key.length + value.length;
    return bytes;
  }
}

/** Values that are part of a larger buffer are copied: once for what reads see and what is durable. */
function ownOp(op: KvOp): KvOp {
  if (op.op !== 'put' || op.value.buffer.byteLength === op.value.length) return op;
  return { op: 'put', key: op.key, value: op.value.slice() };
}

function checkKeys(op: KvOp): void {
  if (op.op === 'delRange') return;
  invariant(op.key.length >= 1 && op.key.length <= MAX_KEY_BYTES, 'keys are 1 to 1024 bytes');
}
