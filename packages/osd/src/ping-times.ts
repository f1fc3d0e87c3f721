import { type Instant, SECOND } from '@spirula/world';

/** How long the answers are gathered that make one mean. */
const WINDOW: Instant = 60 * SECOND;
/** So many means are kept: a quarter of an hour. */
const KEPT = 15;

/**
 * How long a peer takes to answer pings on one network: means over the last minute, five minutes and fifteen, in whole
 * microseconds (HeartbeatInfo in osd/OSD.h, OSD::handle_osd_ping).
 */
export class PingTimes {
  #began: Instant | undefined;
  #sum: Instant = 0;
  #count = 0;
  /** Oldest first. */
  #means: number[] = [];

  record(took: Instant, now: Instant): void {
    this.#began ??= now;
    this.#sum += took;
    this.#count += 1;
    if (now - this.#began < WINDOW) return;
    this.#means = [...this.#means, Math.round(this.#sum / this.#count)].slice(-KEPT);
    [this.#began, this.#sum, this.#count] = [now, 0, 0];
  }

  /** Empty before the first minute is over. */
  get averages(): readonly number[] {
    const means = this.#means;
    if (means.length === 0) return [];
    return [1, 5, KEPT].map((minutes) => {
      const last = means.slice(-minutes);
      return Math.round(last.reduce((sum, each) => sum + each, 0) / last.length);
    });
  }
}
