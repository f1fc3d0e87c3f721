import type { Clock, Config, Instant } from '@spirula/world';
import { paxosTimeout } from './timers.ts';

/** How long what is stored here counts as the newest: a peon's lease, or what all of a leader's quorum have acknowledged. */
export class Lease {
  readonly #clock: Clock;
  readonly #config: Config;
  /** Infinite when the leader is alone. */
  #until: Instant = 0;
  /** Of leases given and not acknowledged by all: those of one leaseAck timeout at most. */
  readonly #sentAt = new Map<number, Instant>();

  constructor(clock: Clock, config: Config) {
    this.#clock = clock;
    this.#config = config;
  }

  /** After a hang the end of a lease may be noticed late: hence the clock, not a timer. */
  get holds(): boolean {
    return this.#clock.now() < this.#until;
  }

  /** A leader's beginning: all of its quorum, itself included, have just voted. */
  onElected(quorumSize: number): void {
    this.#sentAt.clear();
    this.#until = quorumSize === 1 ? Number.POSITIVE_INFINITY : this.#after(this.#clock.now());
  }

  /** A peon was given one. */
  onGranted(): void {
    this.#until = this.#after(this.#clock.now());
  }

  /** A leader gave its quorum one; it counts once all have acknowledged it. */
  onSent(lease: number): void {
    this.#sentAt.set(lease, this.#clock.now());
  }

  /** None of the quorum looks for another leader for so long. */
  onAcknowledged(lease: number): void {
    const sentAt = this.#sentAt.get(lease);
    for (const each of this.#sentAt.keys()) if (each <= lease) this.#sentAt.delete(each);
    if (sentAt !== undefined) this.#until = this.#after(sentAt);
  }

  #after(from: Instant): Instant {
    return from + paxosTimeout('lease', this.#config);
  }
}
