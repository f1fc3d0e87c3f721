import type { Instant } from '@spirula/world';
import type { SeededRandom } from './random.ts';
import type { Scheduler } from './scheduler.ts';

export interface NetworkProfile {
  /** One way, between these, in microseconds. */
  readonly latencyUs: readonly [min: Instant, max: Instant];
  /** One packet in so many takes up to `spikeUs` longer; 0: none does. */
  readonly spikeOneIn: number;
  readonly spikeUs: Instant;
  /** Of each direction of each connection; 0: without limit. */
  readonly bytesPerSecond: number;
  /** How long TCP tries before it gives a connection up. */
  readonly stallTimeoutUs: Instant;
  /** One message in so many goes through its codec; 0: none does. */
  readonly codecOneIn: number;
}

export const QUICK_NETWORK: NetworkProfile = {
  latencyUs: [50, 500],
  spikeOneIn: 0,
  spikeUs: 0,
  bytesPerSecond: 0,
  stallTimeoutUs: 30_000_000,
  codecOneIn: 8,
};

/** What came through a cut path is sent again within this time once it is free. */
const RETRANSMIT_US: Instant = 400_000;

/** What waits for a path to be mended. */
export interface Stalled {
  retry(): void;
}

/** The ways between machines: how long a packet takes, and which are cut. Each direction stands for itself. */
export class Paths {
  readonly profile: NetworkProfile;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #cuts = new Map<string, Instant>();
  readonly #delays = new Map<string, Instant>();
  readonly #off = new Map<string, Instant>();
  readonly #stalled = new Set<Stalled>();

  constructor(scheduler: Scheduler, random: SeededRandom, profile: NetworkProfile) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.profile = profile;
  }

  /** Nothing that `from` sends reaches `to`. */
  cut(from: string, to: string): void {
    if (!this.#cuts.has(key(from, to))) this.#cuts.set(key(from, to), this.#scheduler.now);
  }

  mend(from: string, to: string): void {
    if (this.#cuts.delete(key(from, to))) this.#retryStalled();
  }

  mendAll(): void {
    this.#cuts.clear();
    this.#retryStalled();
  }

  /** Whatever `from` sends to `to` takes up to `extraUs` longer; 0: no longer. */
  delay(from: string, to: string, extraUs: Instant): void {
    if (extraUs === 0) this.#delays.delete(key(from, to));
    else this.#delays.set(key(from, to), extraUs);
  }

  endDelays(): void {
    this.#delays.clear();
  }

  /** A machine without power neither sends nor answers. */
  setPower(machine: string, on: boolean): void {
    if (!on) {
      if (!this.#off.has(machine)) this.#off.set(machine, this.#scheduler.now);
    } else if (this.#off.delete(machine)) this.#retryStalled();
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(key(from, to)) || this.#off.has(to) || this.#off.has(from);
  }

  /** Since when the path is cut; undefined when it is not. */
  cutSince(from: string, to: string): Instant | undefined {
    return this.#cuts.get(key(from, to)) ?? this.#off.get(to) ?? this.#off.get(from);
  }

  drawLatency(from: string, to: string): Instant {
    const { latencyUs, spikeOneIn, spikeUs } = this.profile;
    let latency = this.#random.between(...latencyUs);
    if (this.#random.oneIn(spikeOneIn)) latency += this.#random.below(spikeUs);
    const extra = this.#delays.get(key(from, to));
    return extra === undefined ? latency : latency + this.#random.below(extra);
  }

  drawRetransmit(): Instant {
    return this.#random.below(RETRANSMIT_US);
  }

  transferTime(bytes: number): Instant {
    const { bytesPerSecond } = this.profile;
    return bytesPerSecond === 0 ? 0 : Math.ceil((bytes * 1_000_000) / bytesPerSecond);
  }

  addStalled(pipe: Stalled): void {
    this.#stalled.add(pipe);
  }

  forgetStalled(pipe: Stalled): void {
    this.#stalled.delete(pipe);
  }

  #retryStalled(): void {
    for (const pipe of [...this.#stalled]) pipe.retry();
  }
}

function key(from: string, to: string): string {
  return `${from}>${to}`;
}
