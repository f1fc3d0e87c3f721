/**
 * A run that somebody steps through, acts upon by hand, and goes back in.
 *
 *     open --> advance, act, advance ... --> over
 *       ^                 |
 *       +----- rewind ----+
 *
 * Nothing is kept to go back: the run is done again from its seed, and what was done by hand before is done again at the very
 * same place. Digests noted on the way are compared: a difference would mean that the same past has two futures, a bug.
 */
import type { Instant } from '@spirula/world';
import type { Lab } from './lab.ts';
import type { Outcome } from './scenario.ts';

/** A place in a history. */
export interface Position {
  /** Virtual time. */
  readonly at: Instant;
  /** Events that daemons have handled. */
  readonly events: number;
}

interface Place extends Position {
  /** Things that have happened since the cluster was up: events, and what happens between machines. */
  readonly turns: number;
  /** Stretches of the lab's course that were begun. */
  readonly stretches: number;
}

/** What somebody does by hand. */
export interface HandAction {
  readonly text: string;
  /** Does it, now; the same whenever the past is the same. Promises it leaves hang on events of the simulation only. */
  begin(lab: Lab): void;
}

export interface DoneAction<A extends HandAction> {
  readonly action: A;
  readonly position: Position;
}

interface Recorded<A extends HandAction> {
  readonly action: A;
  readonly position: Place;
}

export interface Limits {
  /** Time passes until then at most. */
  readonly until?: Instant;
  /** Asked after everything that happens. */
  readonly stop?: () => boolean;
}

/**
 * `time`: it is as late as was asked for. `stopped`: somebody asked to stop. `violated`: just now something happened that must
 * never happen. `over`: the run has its verdict. `interrupted`: by those who look on.
 */
export type Halt = 'time' | 'stopped' | 'violated' | 'over' | 'interrupted';

/** The same seed and the same actions made another history. */
export class HistoryDiffers extends Error {
  override readonly name = 'HistoryDiffers';
}

/** The cluster did not come up. */
export class NoCluster extends Error {
  override readonly name = 'NoCluster';
}

/**
 * Called twice a second of virtual time, for progress to be shown and hosts to breathe; true interrupts. Nothing that it does
 * may touch the simulation.
 */
export type Onlooker = (lab: Lab, isReplay: boolean) => Promise<boolean> | boolean;

export class Timeline<A extends HandAction = HandAction> {
  readonly #makeLab: () => Lab;
  readonly #onlooker: Onlooker;
  #lab!: Lab;
  #course!: ReturnType<Lab['course']>;
  #stretchEnd: Instant = 0;
  #outcome: Outcome | undefined;
  #turns = 0;
  #stretches = 0;
  #actions: Recorded<A>[] = [];
  /** What the history was at the end of each stretch, two a second of virtual time, and before each action. */
  #notes = new Map<string, string>();

  private constructor(makeLab: () => Lab, onlooker: Onlooker) {
    this.#makeLab = makeLab;
    this.#onlooker = onlooker;
  }

  /**
   * Brings the cluster up.
   *
   * @param makeLab makes the same lab each time, not booted
   * @throws NoCluster
   */
  static open<A extends HandAction>(makeLab: () => Lab, onlooker: Onlooker = () => false): Timeline<A> {
    const timeline = new Timeline<A>(makeLab, onlooker);
    timeline.#restart();
    return timeline;
  }

  get lab(): Lab {
    return this.#lab;
  }

  get position(): Position {
    const { at, events } = this.#place;
    return { at, events };
  }

  /** Once the run is over. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  /** What was done by hand, in order. */
  get actions(): readonly DoneAction<A>[] {
    return this.#actions;
  }

  /** Lets things happen, until one of the limits is met. */
  async advance({ until = Number.MAX_SAFE_INTEGER, stop }: Limits): Promise<Halt> {
    const { simulation } = this.#lab;
    const violations = simulation.violations.length;
    while (this.#outcome === undefined) {
      const end = this.#stretchEnd;
      if (simulation.scheduler.step(Math.min(until, end))) {
        this.#turns += 1;
        if (simulation.promisesDue) await simulation.settlePromises();
        if (simulation.violations.length > violations) return 'violated';
        if (stop?.() === true) return 'stopped';
        continue;
      }
      if (end <= until) {
        this.#note(this.#stretch);
        this.#nextStretch();
        if (await this.#onlooker(this.#lab, false)) return 'interrupted';
      }
      if (until <= end) return 'time';
    }
    return 'over';
  }

  /** Does something by hand. What throws was not done. */
  async act(action: A): Promise<void> {
    const position = this.#place;
    this.#note(`action ${this.#actions.length}`);
    action.begin(this.#lab);
    this.#actions.push({ action, position });
    await this.#lab.simulation.settlePromises();
  }

  /**
   * Goes back to a time or to a number of events, to before what was done by hand there: that, and what was done later, is
   * dropped.
   *
   * @returns what was dropped
   * @throws HistoryDiffers
   */
  async rewind(target: { readonly at: Instant } | { readonly events: number }): Promise<readonly DoneAction<A>[]> {
    const isBefore = ({ at, events }: Position) => ('at' in target ? at < target.at : events < target.events);
    const kept = this.#actions.filter(({ position }) => isBefore(position));
    const dropped = this.#actions.slice(kept.length);
    const old = this.#notes;
    this.#restart();
    for (const { action, position } of kept) {
      await this.#replay(
        old,
        () => this.#turns >= position.turns && this.#stretches >= position.stretches,
        Number.MAX_SAFE_INTEGER,
      );
      // Time may have passed since, with nothing happening in it.
      if (this.#lab.simulation.now < position.at) await this.#replay(old, () => false, position.at);
      this.#check(`action ${this.#actions.length}`, old);
      await this.act(action);
    }
    if ('at' in target) await this.#replay(old, () => false, target.at);
    else await this.#replay(old, () => this.#lab.simulation.events >= target.events, Number.MAX_SAFE_INTEGER);
    return dropped;
  }

  /** As `advance`, past what was seen before. */
  async #replay(old: ReadonlyMap<string, string>, arrived: () => boolean, until: Instant): Promise<void> {
    const { simulation } = this.#lab;
    while (!arrived() && this.#outcome === undefined) {
      const end = this.#stretchEnd;
      if (simulation.scheduler.step(Math.min(until, end))) {
        this.#turns += 1;
        if (simulation.promisesDue) await simulation.settlePromises();
        continue;
      }
      if (end <= until) {
        this.#check(this.#stretch, old);
        this.#nextStretch();
        await this.#onlooker(this.#lab, true);
      }
      if (until <= end) return;
    }
  }

  #restart(): void {
    this.#lab = this.#makeLab();
    const failure = this.#lab.boot();
    if (failure !== undefined) throw new NoCluster(failure);
    this.#course = this.#lab.course();
    this.#outcome = undefined;
    this.#turns = 0;
    this.#stretches = 0;
    this.#actions = [];
    this.#notes = new Map();
    this.#nextStretch();
  }

  #nextStretch(): void {
    const { done, value } = this.#course.next();
    if (done) this.#outcome = value;
    else this.#stretchEnd = value;
    this.#stretches += 1;
  }

  get #place(): Place {
    const { now, events } = this.#lab.simulation;
    return { at: now, events, turns: this.#turns, stretches: this.#stretches };
  }

  /** Notes how the history up to here is told from others. */
  #note(place: string): void {
    const { digest, events, now } = this.#lab.simulation;
    this.#notes.set(place, `${digest} after ${events} events at ${now} us`);
  }

  /** Notes it, and holds it against what was noted before. */
  #check(place: string, old: ReadonlyMap<string, string>): void {
    this.#note(place);
    const [before, now] = [old.get(place), this.#notes.get(place)];
    if (before !== undefined && before !== now) {
      throw new HistoryDiffers(`a bug: done again, this history is ${now}; before, it was ${before}`);
    }
  }

  get #stretch(): string {
    return `stretch ${this.#stretches} after ${this.#actions.length} actions`;
  }
}
