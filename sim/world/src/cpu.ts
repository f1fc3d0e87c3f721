import { type Instant, invariant } from '@spirula/world';
import { Layers, type Undo } from './layers.ts';

/** What handling an event costs, in microseconds. */
export interface CpuProfile {
  readonly eventUs: Instant;
  /** For each KiB of a message, counted in proportion. */
  readonly perKiBUs: Instant;
}

/** Handling takes no time, as in a world where only network and disks do. */
export const FREE_CPU: CpuProfile = { eventUs: 0, perKiBUs: 0 };

/** The processor of a machine. */
export class Cpu {
  readonly #profile: CpuProfile;
  #slowness = 1;
  readonly #slowed = new Layers<number>((factors) => {
    this.#slowness = Math.max(1, ...factors);
  });

  constructor(profile: CpuProfile) {
    this.#profile = profile;
  }

  /** @param factor how often the usual time everything takes: an integer, at least 1; the largest counts */
  slow(factor: number): Undo {
    invariant(Number.isSafeInteger(factor) && factor >= 1, 'a processor is slowed by a whole factor');
    return this.#slowed.add(factor);
  }

  mend(): void {
    this.#slowed.clear();
  }

  get isFree(): boolean {
    return this.#profile.eventUs === 0 && this.#profile.perKiBUs === 0;
  }

  costOf(bytes: number): Instant {
    const { eventUs, perKiBUs } = this.#profile;
    return (eventUs + Math.ceil((bytes * perKiBUs) / 1024)) * this.#slowness;
  }
}
