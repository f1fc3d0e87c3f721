import { type Instant, invariant } from '@spirula/world';

/** Something that will happen, until it is cancelled. */
export interface Scheduled {
  readonly at: Instant;
  /** Breaks ties: what was scheduled first happens first. */
  readonly order: number;
  /** Undefined once it has happened or was cancelled. */
  run: (() => void) | undefined;
}

/**
 * Virtual time: a queue of what will happen (a binary heap by time, then by order of scheduling). Time moves only when the
 * next thing happens.
 */
export class Scheduler {
  readonly #heap: Scheduled[] = [];
  #now: Instant = 0;
  #order = 0;

  /** Microseconds since the beginning of the run. */
  get now(): Instant {
    return this.#now;
  }

  /** What is scheduled, that which was cancelled but is still queued included. */
  get size(): number {
    return this.#heap.length;
  }

  /** Makes `run` happen at `at`, an integer; at once, after what is scheduled for now, when that is past. */
  at(at: Instant, run: () => void): Scheduled {
    invariant(Number.isSafeInteger(at), 'virtual time is counted in whole microseconds');
    const entry = { at: Math.max(at, this.#now), order: this.#order, run };
    this.#order += 1;
    this.#push(entry);
    return entry;
  }

  after(delay: Instant, run: () => void): Scheduled {
    return this.at(this.#now + delay, run);
  }

  cancel(entry: Scheduled): void {
    entry.run = undefined;
  }

  /** Lets the next thing happen that is due no later than `limit`. Returns false, at time `limit`, when there is none. */
  step(limit: Instant): boolean {
    for (let next = this.#heap[0]; next !== undefined && next.at <= limit; next = this.#heap[0]) {
      this.#pop();
      const { run } = next;
      if (run === undefined) continue;
      this.#now = next.at;
      next.run = undefined;
      run();
      return true;
    }
    this.#now = Math.max(this.#now, limit);
    return false;
  }

  #push(entry: Scheduled): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
