import type { Instant } from '@spirula/world';
import type { Paths } from './paths.ts';
import type { Scheduler } from './scheduler.ts';

interface Packet {
  readonly bytes: number;
  readonly due: Instant;
  readonly arrive: () => void;
}

export interface PipeListener {
  /** What was sent has not got through for so long that TCP gives up. */
  onTimeout(): void;
  onClose(): void;
}

/**
 * One direction of a connection: what is sent arrives once, in order, after the latency of the path. While the path is
 * cut it waits, as TCP sends it again and again.
 */
export class Pipe {
  readonly from: string;
  readonly to: string;
  readonly #scheduler: Scheduler;
  readonly #paths: Paths;
  readonly #listener: PipeListener;
  #packets: Packet[] = [];
  #headScheduled = false;
  #stalledSince: Instant | undefined;
  #closed = false;

  constructor(scheduler: Scheduler, paths: Paths, from: string, to: string, listener: PipeListener) {
    this.#scheduler = scheduler;
    this.#paths = paths;
    this.from = from;
    this.to = to;
    this.#listener = listener;
  }

  /** Packets sent that have not arrived. */
  get inFlight(): number {
    return this.#packets.length;
  }

  send(bytes: number, arrive: () => void): void {
    if (this.#closed) return;
    const alone = this.#scheduler.now + this.#paths.drawLatency(this.from, this.to);
    const previous = this.#packets.at(-1)?.due ?? 0;
    const due = Math.max(alone, previous) + this.#paths.transferTime(bytes);
    this.#packets.push({ bytes, due, arrive });
    if (this.#packets.length === 1) this.#scheduleHead(due);
  }

  /** All but the first `kept` packets are lost. */
  cut(kept: number): void {
    this.#packets.splice(kept);
  }

  /** Nothing arrives any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#packets = [];
    this.#paths.forgetStalled(this);
    this.#listener.onClose();
  }

  /** The path may be free again. */
  retry(): void {
    if (this.#stalledSince === undefined || this.#paths.isCut(this.from, this.to)) return;
    this.#stalledSince = undefined;
    this.#paths.forgetStalled(this);
    this.#scheduleHead(this.#scheduler.now + this.#paths.drawRetransmit());
  }

  #scheduleHead(at: Instant): void {
    if (this.#headScheduled || this.#stalledSince !== undefined) return;
    this.#headScheduled = true;
    this.#scheduler.at(at, () => this.#onHeadDue());
  }

  #onHeadDue(): void {
    this.#headScheduled = false;
    if (this.#closed || this.#packets.length === 0) return;
    if (this.#paths.isCut(this.from, this.to)) {
      this.#stall();
      return;
    }
    const head = this.#packets.shift()!;
    const next = this.#packets[0];
    if (next !== undefined) this.#scheduleHead(next.due);
    // Data arrive, but their acknowledgements do not.
    if (this.#paths.isCut(this.to, this.from)) this.#watchAcknowledgement();
    head.arrive();
  }

  #stall(): void {
    const since = this.#scheduler.now;
    this.#stalledSince = since;
    this.#paths.addStalled(this);
    this.#scheduler.after(this.#paths.profile.stallTimeoutUs, () => {
      if (this.#stalledSince === since && !this.#closed) this.#listener.onTimeout();
    });
  }

  #watchAcknowledgement(): void {
    const cut = this.#paths.cutSince(this.to, this.from);
    this.#scheduler.after(this.#paths.profile.stallTimeoutUs, () => {
      if (!this.#closed && this.#paths.cutSince(this.to, this.from) === cut) this.#listener.onTimeout();
    });
  }
}
