import type { UTime } from '@spirula/encoding';
import { type Clock, type Instant, SECOND } from '@spirula/world';
import type { SeededRandom } from './random.ts';
import type { Scheduled, Scheduler } from './scheduler.ts';

/** When every run begins, in wall time: 2026-01-01 00:00:00 UTC. */
const WALL_BEGIN_SEC = 1_767_225_600;
const MILLION = 1_000_000;

export interface ClockProfile {
  /** How far the wall clock is ahead, in microseconds; negative: behind. */
  readonly wallSkewUs: number;
  /** How much faster than true time the monotonic clock runs, in parts per million. */
  readonly driftPpm: number;
  /** A timer fires up to so many microseconds late. */
  readonly timerSlackUs: number;
}

export const EXACT_CLOCK: ClockProfile = { wallSkewUs: 0, driftPpm: 0, timerSlackUs: 0 };

/** The clocks and timers of one run of a daemon. The monotonic clock counts from its start. */
export class SimClock implements Clock {
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #profile: ClockProfile;
  readonly #started: Instant;
  readonly #onDue: (take: () => string | undefined) => void;
  readonly #timers = new Map<string, Scheduled>();

  /** `onDue` is told of a timer that is due; `take` says its name when its turn comes, unless it was moved meanwhile. */
  constructor(
    scheduler: Scheduler,
    random: SeededRandom,
    profile: ClockProfile,
    onDue: (take: () => string | undefined) => void,
  ) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#profile = profile;
    this.#started = scheduler.now;
    this.#onDue = onDue;
  }

  now(): Instant {
    return this.#local(this.#scheduler.now);
  }

  wall(): UTime {
    const us = this.#scheduler.now + this.#profile.wallSkewUs;
    const sec = Math.floor(us / SECOND);
    return { sec: WALL_BEGIN_SEC + sec, nsec: (us - sec * SECOND) * 1000 };
  }

  arm(name: string, at: Instant): void {
    this.disarm(name);
    const { timerSlackUs } = this.#profile;
    const slack = timerSlackUs > 0 ? this.#random.below(timerSlackUs) : 0;
    const timer = this.#scheduler.at(this.#global(at) + slack, () => {
      this.#onDue(() => {
        if (this.#timers.get(name) !== timer) return undefined;
        this.#timers.delete(name);
        return name;
      });
    });
    this.#timers.set(name, timer);
  }

  disarm(name: string): void {
    const timer = this.#timers.get(name);
    if (timer === undefined) return;
    this.#scheduler.cancel(timer);
    this.#timers.delete(name);
  }

  /** No timer is due any more. */
  stop(): void {
    for (const timer of this.#timers.values()) this.#scheduler.cancel(timer);
    this.#timers.clear();
  }

  #local(at: Instant): Instant {
    return Math.floor(((at - this.#started) * (MILLION + this.#profile.driftPpm)) / MILLION);
  }

  /** The first virtual time at which the local clock shows at least `at`. */
  #global(at: Instant): Instant {
    let global = this.#started + Math.floor((at * MILLION) / (MILLION + this.#profile.driftPpm));
    while (this.#local(global) < at) global += 1;
    return global;
  }
}
