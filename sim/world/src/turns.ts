import type { Instant, SessionId } from '@spirula/world';
import type { Cpu } from './cpu.ts';
import type { SeededRandom } from './random.ts';
import type { Scheduler } from './scheduler.ts';

interface Job {
  readonly work: () => void;
  readonly bytes: number;
}

/**
 * In which order, and when, a run of a daemon does what comes in. One job at a time; what comes from one source keeps its
 * order.
 *
 *    idle --job--> busy for what it costs --> done: all that it does happens now --> busy for what it owes --> idle
 *
 * A job is done at the end of its time: what it sends leaves then, and a crash before takes it along whole. What is only
 * known once it is done, as the time that its reads of the disk took, is owed behind it, and keeps the next job waiting.
 * Those that wait have their turn one from each source after another; after a hang in an order that is drawn.
 *
 * With a processor that costs nothing, a job is done as it comes.
 */
export class Turns {
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #cpu: Cpu;
  #hung = false;
  #stopped = false;
  /** Whether a job is being done, on the stack. */
  #doing = false;
  /** Has the processor until `#busyUntil`. */
  #current: Job | undefined;
  #busyUntil: Instant = 0;
  /** While it hangs: how much of that was left. */
  #leftUs: Instant = 0;
  readonly #waiting = new Map<SessionId, Job[]>();
  #drawn = false;
  #wakes = false;

  constructor(scheduler: Scheduler, random: SeededRandom, cpu: Cpu) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#cpu = cpu;
  }

  get hung(): boolean {
    return this.#hung;
  }

  post(source: SessionId, work: () => void, bytes = 0): void {
    if (this.#stopped) return;
    const queue = this.#waiting.get(source);
    if (queue !== undefined) {
      queue.push({ work, bytes });
      return;
    }
    const free = this.#cpu.isFree;
    const busy = this.#current !== undefined || this.#busyUntil > this.#scheduler.now;
    if (this.#hung || busy || (this.#doing && !free)) {
      this.#waiting.set(source, [{ work, bytes }]);
      this.#wake();
    } else if (this.#doing) this.#scheduler.after(0, () => this.post(source, work, bytes));
    else if (free) work();
    else this.#begin({ work, bytes });
  }

  /** While `work` is done on the stack, nothing else is. */
  during(work: () => void): void {
    this.#doing = true;
    try {
      work();
    } finally {
      this.#doing = false;
    }
  }

  get isDoing(): boolean {
    return this.#doing;
  }

  /** What was just done has taken so much longer. */
  owe(us: Instant): void {
    this.#busyUntil = Math.max(this.#busyUntil, this.#scheduler.now) + us;
  }

  /** The process is stopped in what it does, however far that is. */
  hang(): void {
    if (this.#hung) return;
    this.#hung = true;
    this.#leftUs = Math.max(0, this.#busyUntil - this.#scheduler.now);
  }

  /** And goes on there. */
  resume(): void {
    if (!this.#hung) return;
    this.#hung = false;
    this.#busyUntil = this.#scheduler.now + this.#leftUs;
    this.#drawn = this.#waiting.size > 0;
    this.#wake();
  }

  /** Nothing is done any more. */
  stop(): void {
    this.#stopped = true;
    this.#current = undefined;
    this.#waiting.clear();
  }

  #begin(job: Job): void {
    this.#current = job;
    this.#busyUntil = this.#scheduler.now + this.#cpu.costOf(job.bytes);
    this.#wake();
  }

  /** Goes on when the processor has the time. */
  #wake(): void {
    if (this.#wakes || this.#hung || (this.#current === undefined && this.#waiting.size === 0)) return;
    this.#wakes = true;
    this.#scheduler.at(Math.max(this.#busyUntil, this.#scheduler.now), () => {
      this.#wakes = false;
      if (!this.#stopped && !this.#hung && this.#busyUntil <= this.#scheduler.now) this.#goOn();
      this.#wake();
    });
  }

  #goOn(): void {
    const job = this.#current ?? this.#takeNext();
    if (job === undefined) return;
    if (this.#current === undefined && !this.#cpu.isFree) {
      this.#begin(job);
      return;
    }
    this.#current = undefined;
    job.work();
  }

  #takeNext(): Job | undefined {
    if (this.#waiting.size === 0) return undefined;
    const first = this.#waiting.entries().next().value!;
    const [source, queue] = this.#drawn ? this.#random.pick([...this.#waiting]) : first;
    const job = queue.shift()!;
    if (this.#drawn) {
      if (queue.length === 0) this.#waiting.delete(source);
      this.#drawn = this.#waiting.size > 0;
      return job;
    }
    this.#waiting.delete(source);
    // Behind the others: each source in turn.
    if (queue.length > 0) this.#waiting.set(source, queue);
    return job;
  }
}
