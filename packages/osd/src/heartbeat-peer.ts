import type { Epoch, OsdId } from '@spirula/encoding';
import type { Instant, SessionId } from '@spirula/world';

/** The two networks that peers ping one another on: failure of either is failure. */
export const CHANNELS = ['front', 'back'] as const;
export type Channel = (typeof CHANNELS)[number];

interface SentPing {
  readonly stamp: Instant;
  readonly unanswered: Set<Channel>;
}

/** What is known of one OSD that is pinged (HeartbeatInfo). */
export class HeartbeatPeer {
  readonly osd: OsdId;
  /** Which incarnation it is. */
  readonly upFrom: Epoch;
  readonly sessions: Record<Channel, SessionId | undefined> = { front: undefined, back: undefined };
  readonly #lastReply: Record<Channel, Instant | undefined> = { front: undefined, back: undefined };
  #firstPing: Instant | undefined;
  /** Not answered on both channels yet, oldest first. Bounded: one a heartbeat, until the peer is reported and leaves the map. */
  #pings: SentPing[] = [];

  constructor(osd: OsdId, upFrom: Epoch) {
    this.osd = osd;
    this.upFrom = upFrom;
  }

  onPing(stamp: Instant): void {
    this.#firstPing ??= stamp;
    this.#pings.push({ stamp, unanswered: new Set(CHANNELS) });
  }

  onReply(channel: Channel, stamp: Instant, now: Instant): void {
    const at = this.#pings.findIndex((ping) => ping.stamp === stamp);
    if (at < 0) return;
    this.#lastReply[channel] = now;
    this.#pings[at]!.unanswered.delete(channel);
    if (this.#pings[at]!.unanswered.size === 0) this.#pings.splice(0, at + 1);
  }

  /** Every ping older than `grace` was answered, on both channels. */
  isHealthy(now: Instant, grace: Instant): boolean {
    const oldest = this.#pings[0];
    return oldest === undefined || now < oldest.stamp + grace;
  }

  /** What it left unanswered does not count: this side was not there to hear it. */
  forgive(): void {
    this.#pings = [];
  }

  /** Since when it has not been heard of on one channel at least. */
  silentSince(now: Instant): Instant {
    const { front, back } = this.#lastReply;
    if (front === undefined || back === undefined) return this.#firstPing ?? now;
    return Math.min(front, back);
  }
}
