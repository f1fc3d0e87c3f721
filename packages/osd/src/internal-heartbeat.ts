/**
 * Whether this OSD's own work goes on (common/HeartbeatMap.cc). The work watched is the oldest transaction that its disk
 * has not made durable: beyond osd_op_thread_timeout the OSD answers no pings, so that its peers report it and others take
 * over; beyond osd_op_thread_suicide_timeout it ends. Time in which the OSD itself was stopped does not count.
 */
import type { Instant } from '@spirula/world';

export interface InternalHeartbeatOptions {
  /** How often `check` is called, and how much later than that it may be for the OSD to count as running. */
  readonly maxIntervalUs: Instant;
  readonly timeoutUs: Instant;
  readonly suicideUs: Instant;
}

export class InternalHeartbeat {
  readonly #options: InternalHeartbeatOptions;
  #oldest: number | undefined;
  #stuckUs: Instant = 0;
  #checkedAt: Instant;

  constructor(now: Instant, options: InternalHeartbeatOptions) {
    this.#checkedAt = now;
    this.#options = options;
  }

  get isHealthy(): boolean {
    return this.#stuckUs <= this.#options.timeoutUs;
  }

  /** @param oldest names the oldest piece of work that is under way; undefined: there is none */
  check(now: Instant, oldest: number | undefined): 'healthy' | 'timed out' | 'suicide' {
    const elapsed = Math.min(now - this.#checkedAt, this.#options.maxIntervalUs);
    this.#checkedAt = now;
    this.#stuckUs = oldest !== undefined && oldest === this.#oldest ? this.#stuckUs + elapsed : 0;
    this.#oldest = oldest;
    if (this.#stuckUs > this.#options.suicideUs) return 'suicide';
    return this.isHealthy ? 'healthy' : 'timed out';
  }
}
