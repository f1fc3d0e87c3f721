import type { UTime } from '@spirula/encoding';
import { type Clock, type Instant, invariant, SECOND } from '@spirula/world';
import type { SeededRandom } from './random.ts';
import type { Scheduled, Scheduler } from './scheduler.ts';

/** When every run begins, in wall time: 2026-01-01 00:00:00 UTC. */
const WALL_BEGIN_SEC = 1_767_225_600;
const MILLION = 1_000_000;

export interface ClockProfile {
  /** How far the wall clock is ahead, in microseconds; negative: behind. */
  readonly wallSkewUs: number;
  /** How much faster than true time the monotonic clock runs, in parts per million; above -1,000,000. */
  readonly driftPpm: number;
  /** A timer fires up to so many microseconds late. */
  readonly timerSlackUs: number;
}

export const EXACT_CLOCK: ClockProfile = { wallSkewUs: 0, driftPpm: 0, timerSlackUs: 0 };

interface Timer {
  /** When it is due on the local clock. */
  readonly at: Instant;
  /** How late it comes, in virtual time. */
  readonly slack: Instant;
  scheduled: Scheduled;
}

/**
 * The clocks and timers of one run of a daemon. The monotonic clock counts from its start. Whatever is done to its rate,
 * it never goes back: from each change on it counts at the new rate from where it stood.
 */
export class SimClock implements Clock {
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  #profile: ClockProfile;
  /** Virtual and local time of the last change of rate, and the millionths of a microsecond the local clock was beyond. */
  #virtualBase: Instant;
  #localBase: Instant = 0;
  #millionths = 0;
  readonly #onDue: (take: () => string | undefined) => void;
  readonly #timers = new Map<string, Timer>();

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
    this.#virtualBase = scheduler.now;
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
    const timer: Timer = { at, slack, scheduled: this.#schedule(name, at, slack) };
    this.#timers.set(name, timer);
  }

  #schedule(name: string, at: Instant, slack: Instant): Scheduled {
    const scheduled = this.#scheduler.at(this.#virtual(at) + slack, () => {
      this.#onDue(() => {
        if (this.#timers.get(name)?.scheduled !== scheduled) return undefined;
        this.#timers.delete(name);
        return name;
      });
    });
    return scheduled;
  }

  disarm(name: string): void {
    const timer = this.#timers.get(name);
    if (timer === undefined) return;
    this.#scheduler.cancel(timer.scheduled);
    this.#timers.delete(name);
  }

  /** Skew, drift and slack are these from now on; what is armed moves to when the clock will show its time. */
  adjust(profile: ClockProfile): void {
    invariant(profile.driftPpm > -MILLION, 'a clock goes on');
    const { driftPpm } = this.#profile;
    const { now } = this.#scheduler;
    const gained = (now - this.#virtualBase) * driftPpm + this.#millionths;
    this.#localBase = this.#local(now);
    this.#millionths = gained - Math.floor(gained / MILLION) * MILLION;
    this.#virtualBase = now;
    this.#profile = profile;
    if (profile.driftPpm === driftPpm) return;
    for (const [name, timer] of this.#timers) {
      this.#scheduler.cancel(timer.scheduled);
      timer.scheduled = this.#schedule(name, timer.at, timer.slack);
    }
  }

  /** No timer is due any more. */
  stop(): void {
    for (const { scheduled } of this.#timers.values()) this.#scheduler.cancel(scheduled);
    this.#timers.clear();
  }

  #local(at: Instant): Instant {
    const passed = at - this.#virtualBase;
    return this.#localBase + passed + Math.floor((passed * this.#profile.driftPpm + this.#millionths) / MILLION);
  }

  /** The first virtual time at which the local clock shows at least `at`. */
  #virtual(at: Instant): Instant {
    const left = at - this.#localBase;
    let virtual =
      this.#virtualBase + Math.floor((left * MILLION - this.#millionths) / (MILLION + this.#profile.driftPpm));
    while (this.#local(virtual) < at) virtual += 1;
    return virtual;
  }
}
