import type { Instant } from '@spirula/world';
import type { Path } from './path.ts';
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
 * cut or clogged it waits: cut, as TCP sends it again and again; clogged, on the way.
 */
export class Pipe {
  readonly path: Path;
  readonly #scheduler: Scheduler;
  readonly #paths: Paths;
  readonly #listener: PipeListener;
  readonly #onDue = () => this.#onHeadDue();
  #packets: Packet[] = [];
  #headScheduled = false;
  #stalledSince: Instant | undefined;
  #closed = false;

  constructor(scheduler: Scheduler, paths: Paths, path: Path, listener: PipeListener) {
    this.#scheduler = scheduler;
    this.#paths = paths;
    this.path = path;
    this.#listener = listener;
  }

  /** Packets sent that have not arrived. */
  get inFlight(): number {
    return this.#packets.length;
  }

  send(bytes: number, arrive: () => void): void {
    if (this.#closed) return;
    const { path } = this;
    const passed = path.links.length === 0 ? this.#scheduler.now : this.#paths.passLinks(path, bytes);
    const alone = passed + this.#paths.drawLatency(path);
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
    if (this.#stalledSince === undefined || this.path.isCut) return;
    this.#stalledSince = undefined;
    this.#paths.forgetStalled(this);
    this.#scheduleHead(this.#scheduler.now + this.#paths.drawRetransmit());
  }

  #scheduleHead(at: Instant): void {
    if (this.#headScheduled || this.#stalledSince !== undefined) return;
    this.#headScheduled = true;
    this.#scheduler.at(at, this.#onDue);
  }

  #onHeadDue(): void {
    if (this.#closed || this.#packets.length === 0) {
      this.#headScheduled = false;
      return;
    }
    if (this.path.cloggedUntil !== undefined) {
      this.path.held.push(this.#onDue);
      return;
    }
    this.#headScheduled = false;
    if (this.path.isCut) {
      this.#stall();
      return;
    }
    const head = this.#packets.shift()!;
    const next = this.#packets[0];
    if (next !== undefined) this.#scheduleHead(next.due);
    // Data arrive, but their acknowledgements do not.
    if (this.path.reverse.isCut) this.#watchAcknowledgement();
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
    const { reverse } = this.path;
    const cut = reverse.cutSince;
    this.#scheduler.after(this.#paths.profile.stallTimeoutUs, () => {
      if (!this.#closed && reverse.cutSince === cut) this.#listener.onTimeout();
    });
  }
}
