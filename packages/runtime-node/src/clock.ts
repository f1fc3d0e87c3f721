import type { UTime } from '@spirula/encoding';
import type { Clock, Instant } from '@spirula/world';

/** setTimeout takes no more than this. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

interface ArmedTimer {
  readonly at: Instant;
  handle: NodeJS.Timeout | undefined;
}

/** The machine's clocks; named timers on Node's. */
export class NodeClock implements Clock {
  readonly #started = process.hrtime.bigint();
  readonly #timers = new Map<string, ArmedTimer>();
  readonly #onDue: (take: () => string | undefined) => void;

  /**
   * `onDue` queues what it is given; when the timer's turn comes, `take` says its name, or undefined when it was moved or
   * disarmed meanwhile.
   */
  constructor(onDue: (take: () => string | undefined) => void) {
    this.#onDue = onDue;
  }

  now(): Instant {
    return Number((process.hrtime.bigint() - this.#started) / 1000n);
  }

  wall(): UTime {
    const ms = performance.timeOrigin + performance.now();
    const sec = Math.floor(ms / 1000);
    return { sec, nsec: Math.floor((ms - sec * 1000) * 1_000_000) };
  }

  arm(name: string, at: Instant): void {
    this.disarm(name);
    const timer: ArmedTimer = { at, handle: undefined };
    this.#timers.set(name, timer);
    this.#wait(name, timer);
  }

  disarm(name: string): void {
    clearTimeout(this.#timers.get(name)?.handle);
    this.#timers.delete(name);
  }

  /** No timer is due any more. */
  stop(): void {
    for (const { handle } of this.#timers.values()) clearTimeout(handle);
    this.#timers.clear();
  }

  #wait(name: string, timer: ArmedTimer): void {
    const ms = Math.min(Math.max(0, Math.ceil((timer.at - this.now()) / 1000)), MAX_TIMEOUT_MS);
    timer.handle = setTimeout(() => {
      // Node rounds: a timer may come a little early.
      if (this.now() < timer.at) this.#wait(name, timer);
      else this.#onDue(() => this.#take(name, timer));
    }, ms);
  }

  #take(name: string, timer: ArmedTimer): string | undefined {
    if (this.#timers.get(name) !== timer) return undefined;
    this.#timers.delete(name);
    return name;
  }
}
