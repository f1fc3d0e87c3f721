/**
 * How far the monitors' wall clocks are apart (Monitor::timecheck_start and its like): the leader asks every member of the
 * quorum for its time, and takes off what the message may have spent on its way. For people only: nothing is decided by it.
 *
 *   start --ping to all--> round under way --all have answered--> finished --(mon_timecheck_interval)--> the next round
 *
 * After a round that found a skew the next comes sooner: mon_timecheck_skew_interval, twice that, and so on.
 */
import type { MonTimecheck } from '@spirula/messages';
import { type Clock, type Config, type Instant, SECOND, seconds } from '@spirula/world';

const TIMER = 'timecheck';
/** A round that is under way for so many intervals is given up. */
const PATIENCE = 3;

/** What is known of one monitor's clock. */
export interface ClockReading {
  /** Ahead of the leader's by at least so much, in microseconds; negative: behind. */
  readonly skewUs: number;
  /** From question to answer. */
  readonly latencyUs: Instant;
}

export interface TimeCheckView {
  /** Odd while a round is under way. */
  readonly round: number;
  /** By rank, the leader's own among them; empty before the first answer and on peons. */
  readonly readings: ReadonlyMap<number, ClockReading>;
}

export interface TimeCheckHost {
  readonly rank: number;
  readonly clock: Clock;
  readonly config: Config;
  send(rank: number, message: MonTimecheck): void;
}

export class TimeCheck {
  readonly #host: TimeCheckHost;
  #epoch = 0;
  #peers: readonly number[] = [];
  #round = 0;
  #roundBegan: Instant = 0;
  /** When those who have not answered in this round were asked. */
  readonly #asked = new Map<number, Instant>();
  readonly #readings = new Map<number, ClockReading>();
  /** Rounds in a row that found a skew. */
  #skewedRounds = 0;

  constructor(host: TimeCheckHost) {
    this.#host = host;
  }

  get view(): TimeCheckView {
    return { round: this.#round, readings: this.#readings };
  }

  /** This monitor leads: what was known under another quorum is forgotten. */
  lead(epoch: number, quorum: readonly number[]): void {
    this.follow(epoch);
    this.#peers = quorum.filter((rank) => rank !== this.#host.rank);
    if (this.#peers.length > 0) this.#startRound();
  }

  /** Another leads, and asks. */
  follow(epoch: number): void {
    this.stop();
    this.#epoch = epoch;
  }

  stop(): void {
    this.#host.clock.disarm(TIMER);
    this.#peers = [];
    this.#round = 0;
    this.#skewedRounds = 0;
    this.#asked.clear();
    this.#readings.clear();
  }

  /** A connection to `rank` broke and may be tried again: the question or its answer may be lost. */
  onPeerBack(rank: number): void {
    if (this.#asked.has(rank)) this.#ask(rank);
  }

  /** Whether the timer was this one. */
  onTimer(name: string): boolean {
    if (name !== TIMER) return false;
    const { clock, config } = this.#host;
    const isStuck = clock.now() - this.#roundBegan >= PATIENCE * seconds(config.mon_timecheck_interval);
    if (this.#isUnderWay && !isStuck) this.#arm();
    else this.#startRound();
    return true;
  }

  /** Whatever a peer sends, this does not throw. `leader` is whom this monitor follows. */
  onMessage(from: number, leader: number | undefined, { op, epoch, round, stampUs }: MonTimecheck): void {
    if (epoch !== this.#epoch) return;
    if (op === 'pong') return this.#onPong(from, round, stampUs);
    if (from === leader)
      this.#host.send(from, { type: 'mon_timecheck', op: 'pong', epoch, round, stampUs: this.#wallUs });
  }

  get #isUnderWay(): boolean {
    return this.#round % 2 === 1;
  }

  get #wallUs(): number {
    const { sec, nsec } = this.#host.clock.wall();
    return sec * SECOND + Math.floor(nsec / 1000);
  }

  #startRound(): void {
    this.#round += this.#isUnderWay ? 2 : 1;
    this.#roundBegan = this.#host.clock.now();
    this.#asked.clear();
    // The point of reference.
    this.#readings.set(this.#host.rank, { skewUs: 0, latencyUs: 0 });
    for (const rank of this.#peers) this.#ask(rank);
    this.#arm();
  }

  #ask(rank: number): void {
    this.#asked.set(rank, this.#host.clock.now());
    this.#host.send(rank, {
      type: 'mon_timecheck',
      op: 'ping',
      epoch: this.#epoch,
      round: this.#round,
      stampUs: this.#wallUs,
    });
  }

  #arm(): void {
    const { clock, config } = this.#host;
    const most = seconds(config.mon_timecheck_interval);
    const soon = seconds(config.mon_timecheck_skew_interval) * this.#skewedRounds;
    clock.arm(TIMER, clock.now() + (soon > 0 && soon <= most ? soon : most));
  }

  #onPong(from: number, round: number, stampUs: number): void {
    const askedAt = this.#asked.get(from);
    if (askedAt === undefined || round !== this.#round) return;
    this.#asked.delete(from);
    const latencyUs = this.#host.clock.now() - askedAt;
    const ahead = stampUs - this.#wallUs;
    const bound = Math.max(0, Math.abs(ahead) - latencyUs);
    const before = this.#readings.get(from);
    const skewUs = ahead < 0 ? -bound : bound;
    this.#readings.set(from, {
      skewUs: smooth(before?.skewUs, skewUs),
      latencyUs: smooth(before?.latencyUs, latencyUs),
    });
    if (this.#asked.size === 0) this.#finishRound();
  }

  #finishRound(): void {
    this.#round += 1;
    const isSkewed = [...this.#readings.values()].some((reading) => isTooFar(reading, this.#host.config));
    if (!isSkewed) {
      this.#skewedRounds = 0;
      return;
    }
    this.#skewedRounds += 1;
    this.#arm();
  }
}

/** A fifth of what is new, four fifths of what was known. */
function smooth(before: number | undefined, now: number): number {
  return before === undefined ? now : Math.round((before * 4 + now) / 5);
}

/** Whether a clock is further off than mon_clock_drift_allowed. */
export function isTooFar({ skewUs }: ClockReading, config: Config): boolean {
  return Math.abs(skewUs) > seconds(config.mon_clock_drift_allowed);
}

/** `clock skew 0.2s > max 0.05s`, as Monitor::timecheck_status says it. */
export function describeSkew({ skewUs }: ClockReading, config: Config): string {
  return `clock skew ${inSeconds(Math.abs(skewUs))}s > max ${config.mon_clock_drift_allowed}s`;
}

/** Microseconds as C++ prints a double of seconds: six digits, and an exponent for what is small. */
export function inSeconds(us: number): string {
  if (us === 0 || us >= 100) return String(Number((us / SECOND).toPrecision(6)));
  return us < 10 ? `${us}e-06` : `${us / 10}e-05`;
}
