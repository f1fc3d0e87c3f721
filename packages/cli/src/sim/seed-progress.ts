import { SingleBar } from 'cli-progress';
import type { SeedResult } from './seed-pool.ts';

/** Without a terminal, a line so often. */
const LINE_MS = 30_000;

/** Shows how far a run over many seeds is: a bar on a terminal, a line now and then elsewhere; both on standard error. */
export class SeedProgress {
  readonly #total: number;
  readonly #jobs: number;
  readonly #began = performance.now();
  readonly #bar: SingleBar | undefined;
  #lastLine = this.#began;
  #done = 0;
  #failed = 0;
  #events = 0;
  #virtualSeconds = 0;

  constructor(total: number, jobs: number) {
    this.#total = total;
    this.#jobs = jobs;
    if (!process.stderr.isTTY) return;
    this.#bar = new SingleBar({
      format: '{bar} {value}/{total} seeds, {failed} failed, {rate}, {eta_formatted} left',
      stream: process.stderr,
      hideCursor: true,
    });
    this.#bar.start(total, 0, { failed: 0, rate: '' });
  }

  add(result: SeedResult): void {
    this.#done += 1;
    this.#events += result.events;
    this.#virtualSeconds += result.virtualSeconds;
    if (result.problems.length > 0) this.#failed += 1;
    this.#show();
  }

  #show(): void {
    if (this.#bar !== undefined) {
      this.#bar.update(this.#done, { failed: this.#failed, rate: this.#rate() });
      return;
    }
    const now = performance.now();
    if (now - this.#lastLine < LINE_MS) return;
    this.#lastLine = now;
    process.stderr.write(`${this.#done}/${this.#total} seeds, ${this.#failed} failed, ${this.#rate()}\n`);
  }

  /** Prints a line of its own. */
  say(text: string): void {
    if (this.#bar === undefined) {
      console.log(text);
      return;
    }
    process.stderr.write('\r\u001b[K');
    console.log(text);
    this.#show();
  }

  end(): void {
    this.#bar?.stop();
  }

  /** What was done, and how fast. */
  summary(failed: number): string {
    const threads = this.#jobs === 1 ? 'one thread' : `${this.#jobs} threads`;
    return (
      `${this.#done} seeds, ${failed} failed; ${this.#events.toLocaleString('en')} events, ` +
      `${span(this.#virtualSeconds)} of virtual time in ${span(this.#seconds())} on ${threads}: ${this.#rate()}`
    );
  }

  #rate(): string {
    const seconds = this.#seconds();
    const times = this.#virtualSeconds / seconds;
    return `${Math.round(this.#events / seconds).toLocaleString('en')} events/s, ${times.toFixed(0)}x real time`;
  }

  #seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }
}

function span(seconds: number): string {
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  return seconds < 7200 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
