/**
 * Who may serve reads, and until when. A primary sends leases to its acting set and serves reads only up to the least
 * that all of it has acknowledged; a member that has acknowledged one knows until when the primary, cut off or not, may go
 * on reading. The primary of a later interval waits that long before it serves anything, unless it knows that the earlier
 * primaries have left their intervals (readable_until, PeeringState; since Octopus).
 *
 * Everything is counted on each OSD's own monotonic clock, never by wall time, which may jump. The primary counts a lease
 * from before it sends it; whoever waits for its end counts from when it arrived, and longer by what the two clocks may
 * differ (`outlast`: each within 1 in 1,000 of true time). Ceph measures the difference of clocks by its pings
 * (readable_until_ub, hb_stamps) and takes their rates for equal.
 */
import type { OsdId } from '@spirula/encoding';
import type { Lease } from '@spirula/messages';
import { type Instant, outlast } from '@spirula/world';

export class ReadLease {
  readonly #lengthUs: Instant;
  /** As primary: when the newest lease sent runs out. */
  #sentUntil: Instant = 0;
  readonly #acked = new Map<OsdId, Instant>();
  /** As replica: until when the primary of this interval may read, at most. */
  #grantedUntil: Instant = 0;
  /** Until when primaries of earlier intervals may read, at most. */
  #priorUntil: Instant = 0;

  constructor(lengthUs: Instant) {
    this.#lengthUs = lengthUs;
  }

  /** Primary: a new lease to send. */
  renew(now: Instant): Lease {
    this.#sentUntil = Math.max(this.#sentUntil, now + this.#lengthUs);
    return { until: this.#sentUntil, intervalUs: this.#lengthUs };
  }

  /** Primary: `from` will not serve another primary's writes before `until`. More than was sent counts as that. */
  onAck(from: OsdId, until: Instant): void {
    this.#acked.set(from, Math.max(this.#acked.get(from) ?? 0, Math.min(until, this.#sentUntil)));
  }

  /** Primary: reads are allowed before this instant. */
  readableUntil(others: readonly OsdId[]): Instant {
    let until = this.#sentUntil;
    for (const osd of others) until = Math.min(until, this.#acked.get(osd) ?? 0);
    return until;
  }

  /** Replica: a lease of the current primary has arrived. Acknowledge its `until`. */
  onLease(lease: Lease, now: Instant): void {
    this.#grantedUntil = Math.max(this.#grantedUntil, now + outlast(lease.intervalUs));
  }

  /** The interval is over; what was promised in it stays in force. */
  onNewInterval(): void {
    this.#priorUntil = Math.max(this.#priorUntil, this.#grantedUntil);
    this.#grantedUntil = 0;
    this.#sentUntil = 0;
    this.#acked.clear();
  }

  /** This OSD has forgotten what it promised: it may have been as much as a whole lease. */
  onRestart(now: Instant): void {
    this.#priorUntil = now + outlast(this.#lengthUs);
  }

  /**
   * A peer says how much longer earlier primaries may read, as far as it knows. What it counts is enough on the fastest
   * clock, so it is here, too; but for the microsecond of which this clock shows only that it has begun.
   */
  onPeerPrior(remainingUs: Instant, now: Instant): void {
    const bounded = Math.min(remainingUs, 2 * this.#lengthUs);
    this.#priorUntil = Math.max(this.#priorUntil, now + bounded + 1);
  }

  /** Every primary of an earlier interval is known to have left it. */
  forgetPrior(): void {
    this.#priorUntil = 0;
  }

  /** How much longer primaries of earlier intervals may read, at most. */
  priorRemaining(now: Instant): Instant {
    return Math.max(0, this.#priorUntil - now);
  }

  get priorUntil(): Instant {
    return this.#priorUntil;
  }
}
