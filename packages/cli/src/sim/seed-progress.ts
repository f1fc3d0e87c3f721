import { SingleBar } from 'cli-progress';
import type { SeedResult } from './seed-pool.ts';

/** Without a terminal, a line so often. */
const LINE_MS = 30_000;

/** Shows how far a run over many seeds is: a bar on a terminal, a line now and then elsewhere; both on standard error. */
export class SeedProgress {
  readonly #total: number;
  /** Instead of a number of seeds. */
  readonly #untilSeconds: number | undefined;
  readonly #jobs: number;
  readonly #began = performance.now();
  readonly #bar: SingleBar | undefined;
  #lastLine = this.#began;
  #done = 0;
  #failed = 0;
  #events = 0;
  #virtualSeconds = 0;

  /** @param goal how many seeds there are, or how long to go on */
  constructor(goal: number | { readonly seconds: number }, jobs: number) {
    const bySeeds = typeof goal === 'number';
    this.#untilSeconds = bySeeds ? undefined : goal.seconds;
    this.#total = bySeeds ? goal : Math.round(goal.seconds);
    this.#jobs = jobs;
    if (!process.stderr.isTTY) return;
    this.#bar = new SingleBar({
      format: bySeeds
        ? '{bar} {value}/{total} seeds, {failed} failed, {rate}, {eta_formatted} left'
        : '{bar} {value}/{total} s, {seeds} seeds, {failed} failed, {rate}',
      stream: process.stderr,
      hideCursor: true,
    });
    this.#bar.start(this.#total, 0, { failed: 0, rate: '', seeds: 0 });
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
      const value = this.#untilSeconds === undefined ? this.#done : Math.min(this.#total, Math.round(this.#seconds()));
      this.#bar.update(value, { failed: this.#failed, rate: this.#rate(), seeds: this.#done });
      return;
    }
    const now = performance.now();
    if (now - this.#lastLine < LINE_MS) return;
    this.#lastLine = now;
    process.stderr.write(`${this.#reached()}, ${this.#failed} failed, ${this.#rate()}\n`);
  }

  #reached(): string {
    if (this.#untilSeconds === undefined) return `${this.#done}/${this.#total} seeds`;
    return `${this.#done} seeds in ${span(this.#seconds())} of ${span(this.#untilSeconds)}`;
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
