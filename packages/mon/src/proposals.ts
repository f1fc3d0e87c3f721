import { type Clock, type Config, type Instant, seconds } from '@spirula/world';
import type { Request } from './requester.ts';

const TIMER = 'propose';

/** A request whose answer leaves when the changes it made are committed. */
export interface Waiter {
  readonly request: Request;
  readonly finish: () => void;
}

/**
 * When the leader proposes, and who waits for it (PaxosService::should_propose). After a pause the first change waits
 * paxos_min_wait for company; otherwise proposals are paxos_propose_interval apart. One transaction carries the changes of
 * all services.
 *
 *   change --> gathering --(timer, Paxos active)--> proposed --(committed)--> answered
 */
export class Proposals {
  readonly #clock: Clock;
  readonly #config: Config;
  /** Whether to propose at once for once, without company. */
  readonly #atOnce: () => boolean;
  #lastCommitAt: Instant = Number.NEGATIVE_INFINITY;
  #armed = false;
  #gathering: Waiter[] = [];
  #proposed: Waiter[] = [];

  constructor(clock: Clock, config: Config, atOnce: () => boolean) {
    this.#clock = clock;
    this.#atOnce = atOnce;
    this.#config = config;
  }

  /** Whether somebody waits for a proposal that has not been made. */
  get awaited(): boolean {
    return this.#gathering.length > 0;
  }

  await(waiter: Waiter): void {
    this.#gathering.push(waiter);
  }

  /** There is something to propose. `fresh`: the store is new, and nothing is gained by waiting. */
  soon(fresh: boolean): void {
    if (this.#armed) return;
    const interval = seconds(this.#config.paxos_propose_interval);
    const now = this.#clock.now();
    const idle = now - this.#lastCommitAt > interval;
    const at = idle ? now + seconds(this.#config.paxos_min_wait) : this.#lastCommitAt + interval;
    this.#armed = true;
    this.#clock.arm(TIMER, fresh || this.#atOnce() ? now : at);
  }

  /** Whether the timer was this one: it is time to propose. */
  onTimer(name: string): boolean {
    if (name !== TIMER) return false;
    this.#armed = false;
    return true;
  }

  /** What was gathered is being decided. */
  onProposed(): void {
    this.#proposed = this.#gathering;
    this.#gathering = [];
  }

  onCommitted(): void {
    this.#lastCommitAt = this.#clock.now();
  }

  /** The round is over: those it was for are answered. */
  finish(): void {
    const done = this.#proposed;
    this.#proposed = [];
    for (const { finish } of done) finish();
  }

  /** The quorum is gone. What was not answered is asked again of the next; commands are such that twice does no harm. */
  abandon(): Request[] {
    this.#clock.disarm(TIMER);
    this.#armed = false;
    const unanswered = [...this.#proposed, ...this.#gathering].map(({ request }) => request);
    this.#proposed = [];
    this.#gathering = [];
    return unanswered;
  }
}
