/**
 * What clients did to one object and were told, checked while it grows.
 *
 *     | window of operations that overlap |  quiet  | window | quiet | ...
 *
 * Whenever nothing is under way, the window that ends there is searched for all the ways it may have gone, and replaced by
 * the states that they may have left. An operation of unknown outcome is carried on from window to window: it may take
 * effect at any time later, or never.
 */
import { invariant } from '@spirula/world';
import { type Keyed, StepBudget, searchLinearizations, type TimedOperation } from './linearization-search.ts';

export type OperationId = number;

/** Something that a client asked of the object. */
export interface Operation<S extends Keyed> {
  /** For people: who asked for what. */
  readonly client: string;
  what(): string;
  /** False: a read, of which nothing remains when nobody has the answer. */
  readonly changes: boolean;
  /** What it makes of the object; `S` again where it would be refused. */
  effect(before: S): S;
}

/** What a client was told. */
export interface Answer<S extends Keyed> {
  /** For people. */
  told(): string;
  /** False: it is a read, or was refused, and left everything as it was. */
  readonly changes: boolean;
  /** The state after it, if an object in a state would have been answered for like this. */
  step(before: S): S | undefined;
  /** The whole state, where the answer tells it. */
  readonly reveals?: S;
}

interface Recorded<S extends Keyed> extends TimedOperation<S> {
  readonly operation: Operation<S>;
  told(): string;
  readonly reveals: S | undefined;
  /** Virtual time of the call and of the answer, for people. */
  readonly from: string;
  readonly to: string;
}

/** A way in which it may have gone so far. */
interface Way<S extends Keyed> {
  readonly state: S;
  /** Those carried on that have taken effect in it. */
  readonly applied: ReadonlySet<Recorded<S>>;
}

/** A window is searched with so many steps, and with more at the very end. */
const WINDOW_STEPS = 50_000;
const LAST_STEPS = 500_000;
/** A window that may have left more states than these stays open: what is read next rules most of them out. */
const MAX_WAYS = 64;
/** Beyond so many operations, a window that stays open, or cannot be decided, is given up. */
const MAX_WINDOW = 400;
/** At so many operations the object should be left alone until it is quiet; a window that grows on is looked at. */
const LONG_WINDOW = 60;
/** For people: states and operations around what is wrong. */
const MAX_DESCRIBED = 4;
const OPERATIONS_BEFORE = 4;

export interface HistoryOptions<S extends Keyed> {
  readonly initial: S;
  describe(state: S): string;
  /** Virtual time, for people. */
  now(): string;
}

export class ObjectHistory<S extends Keyed> {
  readonly #options: HistoryOptions<S>;
  /** Undefined: given up; anything may be there. */
  #ways: readonly Way<S>[] | undefined;
  readonly #underWay = new Map<OperationId, { operation: Operation<S>; calledAt: number; from: string }>();
  #window: Recorded<S>[] = [];
  #carried: Recorded<S>[] = [];
  #lastTime = 0;
  /** The window is looked at again when it has so many operations. */
  #lookAt = 1;
  #givenUp = 0;

  constructor(options: HistoryOptions<S>) {
    this.#options = options;
    this.#ways = [{ state: options.initial, applied: new Set() }];
  }

  /** Windows that could not be decided. */
  get givenUp(): number {
    return this.#givenUp;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** Operations that change the object and have no answer, those nobody waits for included. */
  get pendingChanges(): number {
    let changes = this.#carried.length;
    for (const { operation } of this.#underWay.values()) if (operation.changes) changes += 1;
    return changes;
  }

  /** Operations whose outcome nobody will know. */
  get carried(): number {
    return this.#carried.length;
  }

  /** Whether the object should be left alone until nothing is under way: the longer a window, the harder its search. */
  get wantsQuiet(): boolean {
    return this.#underWay.size > 0 && this.#window.length >= LONG_WINDOW;
  }

  begin(id: OperationId, operation: Operation<S>): void {
    invariant(!this.#underWay.has(id), 'an operation begins once');
    this.#underWay.set(id, { operation, calledAt: this.#tick(), from: this.#options.now() });
  }

  /** It was answered. Returns what is wrong, as soon as that is seen. */
  end(id: OperationId, answer: Answer<S>): string | undefined {
    const { operation, calledAt, from } = this.#take(id);
    this.#window.push({
      operation,
      changes: answer.changes,
      told: () => answer.told(),
      reveals: answer.reveals,
      calledAt,
      from,
      returnedAt: this.#tick(),
      to: this.#options.now(),
      step: remember((before) => answer.step(before)),
    });
    return this.#afterEnd();
  }

  /** No answer will come, or none that says what happened. */
  abandon(id: OperationId): string | undefined {
    const { operation, calledAt, from } = this.#take(id);
    if (operation.changes) this.#carried.push(asUnknown(operation, calledAt, from));
    return this.#afterEnd();
  }

  /** Checks what has not been checked. Call once, at the end. */
  finish(): string | undefined {
    if (this.#ways === undefined) return undefined;
    const problem = this.#look(LAST_STEPS);
    if (problem === 'undecided') this.#givenUp += 1;
    return problem === 'undecided' ? undefined : problem;
  }

  #take(id: OperationId) {
    const found = this.#underWay.get(id);
    invariant(found !== undefined, 'an operation ends once');
    this.#underWay.delete(id);
    return found;
  }

  #tick(): number {
    this.#lastTime += 1;
    return this.#lastTime;
  }

  #afterEnd(): string | undefined {
    if (this.#window.length === 0) return undefined;
    if (this.#ways === undefined) {
      this.#find();
      return undefined;
    }
    if (this.#window.length < this.#lookAt) return undefined;
    if (this.#underWay.size === 0) return this.#close(this.#ways);
    if (!this.wantsQuiet) return undefined;
    this.#lookAt = 2 * this.#window.length;
    const problem = this.#look(WINDOW_STEPS);
    return problem === 'undecided' ? undefined : problem;
  }

  /** Nothing is under way: replaces the window by what it may have left. */
  #close(before: readonly Way<S>[]): string | undefined {
    const budget = new StepBudget(WINDOW_STEPS);
    const ways = new Ways<S>();
    let undecided = false;
    for (const way of before) {
      const verdict = searchLinearizations<S, Recorded<S>>({
        from: way.state,
        operations: [...this.#window, ...this.#carried.filter((each) => !way.applied.has(each))],
        budget,
        onEnding: (ending) => ways.add(way, ending) <= MAX_WAYS,
      });
      undecided ||= verdict === 'undecided';
    }
    if (undecided || ways.size > MAX_WAYS) {
      if (this.#window.length > MAX_WINDOW) this.#giveUp();
      else this.#lookAt = 2 * this.#window.length;
      return undefined;
    }
    if (ways.size === 0) return this.#explain(before);
    this.#restart(ways.list);
    return undefined;
  }

  #restart(ways: readonly Way<S>[]): void {
    const isDone = (each: Recorded<S>) => ways.every(({ applied }) => applied.has(each));
    const done = this.#carried.filter(isDone);
    this.#carried = this.#carried.filter((each) => !isDone(each));
    this.#ways = ways.map(({ state, applied }) => {
      const rest = new Set(applied);
      for (const each of done) rest.delete(each);
      return { state, applied: rest };
    });
    this.#window = [];
    this.#lookAt = 1;
  }

  #giveUp(): void {
    this.#givenUp += 1;
    this.#ways = undefined;
    this.#window = [];
    this.#lookAt = 1;
  }

  /** Given up, and nothing is known until an answer that nothing overlapped tells all. */
  #find(): void {
    if (this.#underWay.size > 0) return;
    const [only, ...others] = this.#window;
    this.#window = [];
    if (others.length > 0 || only?.reveals === undefined) return;
    this.#ways = [{ state: only.reveals, applied: new Set() }];
  }

  /** Looks at all that has happened, whatever is under way. */
  #look(steps: number): string | 'undecided' | undefined {
    const before = this.#ways!;
    const verdict = this.#isPossible(before, this.#window, this.#unanswered(), new StepBudget(steps));
    if (verdict === 'undecided') return 'undecided';
    return verdict === 'possible' ? undefined : this.#explain(before);
  }

  #unanswered(): Recorded<S>[] {
    const pending = [...this.#underWay.values()].filter(({ operation }) => operation.changes);
    return pending.map(({ operation, calledAt, from }) => asUnknown(operation, calledAt, from));
  }

  #isPossible(
    before: readonly Way<S>[],
    answered: readonly TimedOperation<S>[],
    unanswered: readonly TimedOperation<S>[],
    budget: StepBudget,
  ): 'possible' | 'impossible' | 'undecided' {
    let verdict: 'impossible' | 'undecided' = 'impossible';
    for (const way of before) {
      const carried = this.#carried.filter((each) => !way.applied.has(each));
      const operations = [...answered, ...carried, ...unanswered];
      const each = searchLinearizations<S, TimedOperation<S>>({
        from: way.state,
        operations,
        budget,
        onEnding: () => false,
      });
      if (each === 'possible') return 'possible';
      if (each === 'undecided') verdict = 'undecided';
    }
    return verdict;
  }

  /** Finds the first answer that cannot be, and says what could have been. */
  #explain(before: readonly Way<S>[]): string {
    const unanswered = this.#unanswered();
    const answered = this.#window.toSorted((a, b) => a.returnedAt - b.returnedAt);
    const budget = new StepBudget(LAST_STEPS);
    for (const [i, culprit] of answered.entries()) {
      const earlier = answered.slice(0, i);
      // What has not returned by then may have taken effect, or not.
      const later = answered.slice(i + 1).filter(({ calledAt }) => calledAt < culprit.returnedAt);
      const pending = later
        .filter(({ operation }) => operation.changes)
        .map(({ operation, calledAt, from }) => asUnknown(operation, calledAt, from));
      const tried = new Map<string, S>();
      const step = (state: S) => {
        tried.set(state.key, state);
        return culprit.step(state);
      };
      const verdict = this.#isPossible(before, [...earlier, { ...culprit, step }], [...pending, ...unanswered], budget);
      if (verdict === 'possible') continue;
      const around = [...earlier.slice(-OPERATIONS_BEFORE), culprit, ...later, ...this.#carried, ...unanswered];
      return [
        `${culprit.told()}; it may have been ${this.#describe([...tried.values()])}`,
        ...around.map(describeOperation),
      ].join('\n    ');
    }
    return `${answered.length} operations cannot have happened in any order`;
  }

  #describe(states: readonly S[]): string {
    const shown = states.slice(0, MAX_DESCRIBED).map((state) => `[${this.#options.describe(state)}]`);
    const more = states.length > MAX_DESCRIBED ? ` or one of ${states.length - MAX_DESCRIBED} more` : '';
    return shown.join(' or ') + more;
  }
}

/** The ways found, without those that others stand for. */
class Ways<S extends Keyed> {
  readonly #byState = new Map<string, Way<S>[]>();
  size = 0;

  get list(): readonly Way<S>[] {
    return [...this.#byState.values()].flat();
  }

  /** Returns how many there are. */
  add(before: Way<S>, ending: Way<S>): number {
    const way: Way<S> = { state: ending.state, applied: new Set([...before.applied, ...ending.applied]) };
    const alike = this.#byState.get(way.state.key) ?? [];
    // One in which operations of unknown outcome are still to come may do all that the same one after them may.
    if (alike.some((other) => isWithin(other.applied, way.applied))) return this.size;
    const kept = alike.filter((other) => !isWithin(way.applied, other.applied));
    this.size += 1 + kept.length - alike.length;
    this.#byState.set(way.state.key, [...kept, way]);
    return this.size;
  }
}

function isWithin<T>(part: ReadonlySet<T>, whole: ReadonlySet<T>): boolean {
  for (const each of part) if (!whole.has(each)) return false;
  return true;
}

function asUnknown<S extends Keyed>(operation: Operation<S>, calledAt: number, from: string): Recorded<S> {
  return {
    operation,
    changes: true,
    told: () => 'no answer',
    reveals: undefined,
    calledAt,
    from,
    returnedAt: Number.POSITIVE_INFINITY,
    to: '',
    step: remember((before) => operation.effect(before)),
  };
}

/** Searches come by the same states again and again, and objects may be large. */
function remember<S extends Keyed>(step: (before: S) => S | undefined): (before: S) => S | undefined {
  const known = new Map<string, S | undefined>();
  return (before) => {
    let after = known.get(before.key);
    if (after === undefined && !known.has(before.key)) {
      after = step(before);
      known.set(before.key, after);
    }
    return after;
  };
}

function describeOperation<S extends Keyed>({ operation, told, from, to }: Recorded<S>): string {
  return `${from} to ${to || 'unknown'} ${operation.client}: ${operation.what()} -> ${told()}`;
}
