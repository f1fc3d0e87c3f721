/** What happened to the blocks of an image, each of which is a register: whether it may have happened one after the other. */
import { expect } from 'vitest';
import {
  type Keyed,
  StepBudget,
  searchLinearizations,
  type TimedOperation,
} from '../../sim/scenarios/src/checkers/linearization-search.ts';

/** Bytes. */
export const BLOCK = 1024;
export const BLOCKS = 32;
/** Of a block that nobody has written. */
export const NOTHING = 0;
const MAX_STEPS = 2_000_000;

interface State extends Keyed {
  readonly key: string;
}

type Operation = { -readonly [K in keyof TimedOperation<State>]: TimedOperation<State>[K] };

/** A time without an end: nobody knows whether it happened. */
const NEVER = Number.POSITIVE_INFINITY;

export class ImageHistory {
  readonly #blocks: Operation[][] = Array.from({ length: BLOCKS }, () => []);
  readonly #first: readonly number[];
  #order = 0;

  /** @param first what the blocks held at the beginning */
  constructor(first: readonly number[]) {
    this.#first = first;
  }

  tick(): number {
    return ++this.#order;
  }

  /** The blocks from `first` on are given the tags. Ends with `ended`, or nobody knows. */
  write(first: number, tags: readonly number[], calledAt = this.tick()): { ended(at?: number): void } {
    const operations = tags.map((tag, i): Operation => {
      const operation = { calledAt, returnedAt: NEVER, changes: true, step: () => ({ key: String(tag) }) };
      this.#blocks[first + i]!.push(operation);
      return operation;
    });
    return {
      ended: (at = this.tick()) => {
        for (const operation of operations) operation.returnedAt = at;
      },
    };
  }

  read(first: number, tags: readonly number[], calledAt: number, returnedAt: number): void {
    for (const [i, tag] of tags.entries()) {
      const step = (before: State) => (before.key === String(tag) ? before : undefined);
      this.#blocks[first + i]!.push({ calledAt, returnedAt, changes: false, step });
    }
  }

  verdicts(): string[] {
    return this.#blocks.map((operations, block) =>
      searchLinearizations({
        from: { key: String(this.#first[block]) },
        operations,
        budget: new StepBudget(MAX_STEPS),
        onEnding: () => false,
      }),
    );
  }
}

/** What blocks of bytes say; each is written whole. */
export function tagsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / BLOCK }, (_, block) => {
    const tag = view.getUint32(block * BLOCK);
    for (let at = 0; at < BLOCK; at += 4) expect(view.getUint32(block * BLOCK + at)).toBe(tag);
    return tag;
  });
}

export function tagged(tags: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(tags.length * BLOCK);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 4) view.setUint32(at, tags[Math.floor(at / BLOCK)]!);
  return bytes;
}
