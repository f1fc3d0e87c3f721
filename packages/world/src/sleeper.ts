/** Waits on a daemon's clock: as many as one likes, of one timer. */
import type { Clock } from './world.ts';

interface Wait {
  readonly at: number;
  readonly resolve: () => void;
}

export class Sleeper {
  readonly #clock: Pick<Clock, 'now' | 'arm'>;
  readonly #timer: string;
  /** One a request that waits. */
  readonly #waits = new Set<Wait>();

  constructor(clock: Pick<Clock, 'now' | 'arm'>, timer: string) {
    this.#clock = clock;
    this.#timer = timer;
  }

  sleep(us: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waits.add({ at: this.#clock.now() + us, resolve });
      this.#arm();
    });
  }

  /** The timer fired. */
  onTimer(): void {
    const now = this.#clock.now();
    for (const wait of this.#waits) {
      if (wait.at > now) continue;
      this.#waits.delete(wait);
      wait.resolve();
    }
    if (this.#waits.size > 0) this.#arm();
  }

  #arm(): void {
    let first = Number.POSITIVE_INFINITY;
    for (const { at } of this.#waits) first = Math.min(first, at);
    this.#clock.arm(this.#timer, first);
  }
}
