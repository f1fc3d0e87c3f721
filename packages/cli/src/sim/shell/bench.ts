/** What the commands of a shell work on. */
import { type Halt, inSeconds, type Lab, parseSpan, type Scenario, Timeline } from '@spirula/sim-scenarios';
import type { Instant } from '@spirula/world';
import type { ShellAction } from './shell-action.ts';
import { TraceRing } from './trace-ring.ts';

/** A command that cannot be carried out: why. */
export class ShellError extends Error {
  override readonly name = 'ShellError';
}

export interface BenchOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  /** Makes the same lab each time. */
  makeLab(): Lab;
  print(text: string): void;
  /** Called twice a second of virtual time: shows how far it is; true interrupts. */
  onProgress?(at: Instant, isReplay: boolean): Promise<boolean> | boolean;
}

export class Bench {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly print: (text: string) => void;
  readonly timeline: Timeline<ShellAction>;
  #trace!: TraceRing;

  /** @throws NoCluster */
  constructor({ scenario, seed, makeLab, print, onProgress }: BenchOptions) {
    this.scenario = scenario;
    this.seed = seed;
    this.print = print;
    this.timeline = Timeline.open(
      () => {
        const lab = makeLab();
        this.#trace = new TraceRing(lab);
        return lab;
      },
      (lab, isReplay) => onProgress?.(lab.simulation.now, isReplay) ?? false,
    );
  }

  get lab(): Lab {
    return this.timeline.lab;
  }

  /** What happened last in this history. */
  get trace(): TraceRing {
    return this.#trace;
  }

  get now(): Instant {
    return this.lab.simulation.now;
  }

  /** @throws ShellError when the run has its verdict */
  checkOpen(): void {
    if (this.timeline.outcome !== undefined) {
      throw new ShellError('the run is over: "finish" prints its verdict, "rewind 10s" goes back');
    }
  }

  /** Says what a halt that was not asked for is about. @throws ShellError */
  explain(halt: Halt): void {
    if (halt === 'violated') {
      throw new ShellError(`violation ${this.lab.simulation.violations.at(-1)}\n"finish" gives the verdict`);
    }
    if (halt === 'interrupted') throw new ShellError(`interrupted at ${inSeconds(this.now)} s`);
    if (halt === 'over') this.print(`the run is over, at ${inSeconds(this.now)} s: "finish" prints its verdict`);
  }
}

/** @throws ShellError */
export function readSpan(text: string): Instant {
  const span = parseSpan(text);
  if (span === undefined) throw new ShellError(`${text}: expected a span of time such as 10s, 1.5m or 200ms`);
  return span;
}

/** @throws ShellError */
export function readCount(text: string | undefined, usual: number): number {
  if (text === undefined) return usual;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new ShellError(`${text}: expected a whole number from 1`);
  return Number(text);
}

export interface Command {
  readonly usage: string;
  readonly help: string;
  /** @throws ShellError and what its parts throw: the message is for people */
  run(bench: Bench, words: readonly string[], line: string): Promise<void> | void;
}

export type Commands = Readonly<Record<string, Command>>;

/** @throws ShellError when there are more words than a command takes */
export function takeWords(words: readonly string[], most: number, { usage }: Pick<Command, 'usage'>): void {
  if (words.length > most) throw new ShellError(`${words[most]}: expected ${usage}`);
}
