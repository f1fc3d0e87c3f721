/** Work that a gateway does beside requests, every so often: never two rounds at once. */
import { RadosError } from '@spirula/rados';
import { seconds, type World } from '@spirula/world';

export interface ChoreOptions {
  /** Of the clock: names the chore. */
  readonly timer: string;
  /** From the end of a round to the next; asked each time. */
  readonly periodSeconds: () => number;
  readonly run: () => Promise<unknown>;
}

export class Chore {
  readonly timer: string;
  readonly #world: Pick<World, 'clock' | 'log'>;
  readonly #periodSeconds: () => number;
  readonly #run: () => Promise<unknown>;
  #running = false;

  constructor(world: Pick<World, 'clock' | 'log'>, { timer, periodSeconds, run }: ChoreOptions) {
    this.timer = timer;
    this.#world = world;
    this.#periodSeconds = periodSeconds;
    this.#run = run;
  }

  arm(): void {
    this.#world.clock.arm(this.timer, this.#world.clock.now() + seconds(this.#periodSeconds()));
  }

  /** A round that RADOS ends is gone on with in the next. */
  async onTimer(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      await this.#run();
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      this.#world.log.warn('a round ends early', { of: this.timer, error: error.message });
    } finally {
      this.#running = false;
    }
    this.arm();
  }
}
