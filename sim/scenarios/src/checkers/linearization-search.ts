/**
 * Whether operations that overlapped in time could have taken effect one at a time, each between its call and its return.
 *
 * The search of Wing and Gong (Testing and verifying concurrent objects, 1993): let an operation take effect that no
 * unfinished one precedes, go on with the rest, and undo it when that leads nowhere. Lowe's memory of configurations
 * (Testing for linearizability, 2017) cuts what was tried before: the set of operations that have taken effect and the state
 * say all about what may follow. Calls and returns are a doubly linked list in order of time, from which an operation is
 * lifted and put back in constant time, as in Lowe's and Porcupine's.
 *
 *     head <-> call a <-> call b <-> return a <-> call c <-> return b <-> return c
 *
 * An operation whose call comes before the first return may be next. At a return the search turns back.
 */

/** Two states with one key are the same. */
export interface Keyed {
  readonly key: string;
}

/** An operation as the search sees it. Times are places in one order of calls and returns, no two alike. */
export interface TimedOperation<S extends Keyed> {
  readonly calledAt: number;
  /** Infinity: nobody knows whether it has taken effect or ever will. */
  readonly returnedAt: number;
  /** False: whatever the state was, it left it as it was. */
  readonly changes: boolean;
  /** The state after it; undefined when it would not have been answered as it was. */
  step(before: S): S | undefined;
}

/** How it may have ended: a state, with those operations of unknown outcome that have taken effect on the way. */
interface Ending<S extends Keyed, O extends TimedOperation<S> = TimedOperation<S>> {
  readonly state: S;
  readonly applied: ReadonlySet<O>;
}

export type Verdict = 'possible' | 'impossible' | 'undecided';

/** Steps that searches may take together: equal on every machine, which a time limit is not. */
export class StepBudget {
  #left: number;

  constructor(steps: number) {
    this.#left = steps;
  }

  /** Takes one. False when there is none left. */
  take(): boolean {
    this.#left -= 1;
    return this.#left >= 0;
  }
}

interface SearchOptions<S extends Keyed, O extends TimedOperation<S>> {
  readonly from: S;
  readonly operations: readonly O[];
  readonly budget: StepBudget;
  /** Called for each way it may have ended. Returns whether to look for more. */
  onEnding(ending: Ending<S, O>): boolean;
}

/**
 * Looks for ways in which `operations` may have taken effect. Those of unknown outcome take effect as late as the others
 * allow: an ending in which one has not yet stands for those in which it follows.
 *
 * @returns `undecided` when the budget ended first
 */
export function searchLinearizations<S extends Keyed, O extends TimedOperation<S>>(
  options: SearchOptions<S, O>,
): Verdict {
  return new Search(options).run();
}

interface Frame<S> {
  readonly operation: number;
  readonly before: S;
  /** A read, and answered right: had it come later, nothing would be gained. */
  readonly free: boolean;
}

const HEAD = 0;
/** Instead of a node: all has been tried. */
const NONE = -1;

class Search<S extends Keyed, O extends TimedOperation<S>> {
  readonly #operations: readonly O[];
  readonly #budget: StepBudget;
  readonly #onEnding: (ending: Ending<S, O>) => boolean;
  /** The list. Node 1 + 2i is the call of operation i, node 2 + 2i its return. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** Operations that have taken effect, a bit each. */
  readonly #done: Uint32Array;
  /** Configurations that were reached, by the hash of `done`. */
  readonly #reached = new Map<string, Set<string>>();
  readonly #stack: Frame<S>[] = [];
  #state: S;
  /** Operations with a return that have not taken effect. */
  #remaining: number;
  #found = false;

  constructor({ from, operations, budget, onEnding }: SearchOptions<S, O>) {
    this.#state = from;
    this.#operations = operations;
    this.#budget = budget;
    this.#onEnding = onEnding;
    this.#next = new Int32Array(1 + 2 * operations.length).fill(HEAD);
    this.#previous = new Int32Array(1 + 2 * operations.length).fill(HEAD);
    this.#done = new Uint32Array((operations.length + 31) >> 5);
    this.#remaining = operations.filter(({ returnedAt }) => returnedAt !== Number.POSITIVE_INFINITY).length;
    this.#link();
  }

  #link(): void {
    const nodes: { readonly node: number; readonly at: number }[] = [];
    for (const [i, { calledAt, returnedAt }] of this.#operations.entries()) {
      nodes.push({ node: 1 + 2 * i, at: calledAt });
      if (returnedAt !== Number.POSITIVE_INFINITY) nodes.push({ node: 2 + 2 * i, at: returnedAt });
    }
    nodes.sort((a, b) => a.at - b.at);
    let last = HEAD;
    for (const { node } of nodes) {
      this.#next[last] = node;
      this.#previous[node] = last;
      last = node;
    }
  }

  run(): Verdict {
    let node = this.#next[HEAD]!;
    for (;;) {
      if (this.#remaining === 0) {
        this.#found = true;
        if (!this.#onEnding({ state: this.#state, applied: this.#applied() })) return 'possible';
        node = this.#turnBack();
      } else if (node % 2 === 0) node = this.#turnBack();
      else {
        if (!this.#budget.take()) return 'undecided';
        node = this.#tryOperation((node - 1) >> 1);
      }
      if (node === NONE) return this.#found ? 'possible' : 'impossible';
    }
  }

  /** Returns the node to look at next. */
  #tryOperation(i: number): number {
    const operation = this.#operations[i]!;
    const after = operation.step(this.#state);
    const call = 1 + 2 * i;
    if (after === undefined) return this.#next[call]!;
    const isAwaited = operation.returnedAt !== Number.POSITIVE_INFINITY;
    const isSame = after.key === this.#state.key;
    // Nobody would know whether it has happened.
    if (isSame && !isAwaited) return this.#next[call]!;
    const free = isSame && !operation.changes;
    this.#flip(i);
    if (!this.#reach(after.key)) {
      this.#flip(i);
      return free ? this.#turnBack() : this.#next[call]!;
    }
    this.#stack.push({ operation: i, before: this.#state, free });
    this.#state = after;
    this.#lift(i, isAwaited);
    if (isAwaited) this.#remaining -= 1;
    return this.#next[HEAD]!;
  }

  /** Undoes the newest operation instead of which another could be tried. */
  #turnBack(): number {
    for (let frame = this.#stack.pop(); frame !== undefined; frame = this.#stack.pop()) {
      const { operation: i, before, free } = frame;
      const isAwaited = this.#operations[i]!.returnedAt !== Number.POSITIVE_INFINITY;
      this.#state = before;
      this.#putBack(i, isAwaited);
      this.#flip(i);
      if (isAwaited) this.#remaining += 1;
      if (!free) return this.#next[1 + 2 * i]!;
    }
    return NONE;
  }

  #lift(i: number, withReturn: boolean): void {
    this.#unlink(1 + 2 * i);
    if (withReturn) this.#unlink(2 + 2 * i);
  }

  #putBack(i: number, withReturn: boolean): void {
    if (withReturn) this.#relink(2 + 2 * i);
    this.#relink(1 + 2 * i);
  }

  #unlink(node: number): void {
    const [before, after] = [this.#previous[node]!, this.#next[node]!];
    this.#next[before] = after;
    this.#previous[after] = before;
  }

  #relink(node: number): void {
    this.#next[this.#previous[node]!] = node;
    this.#previous[this.#next[node]!] = node;
  }

  #flip(i: number): void {
    this.#done[i >> 5]! ^= 1 << (i & 31);
  }

  /** Notes the configuration. False when it was reached before. */
  #reach(stateKey: string): boolean {
    const done = this.#done.join();
    const states = this.#reached.get(done);
    if (states === undefined) {
      this.#reached.set(done, new Set([stateKey]));
      return true;
    }
    if (states.has(stateKey)) return false;
    states.add(stateKey);
    return true;
  }

  #applied(): ReadonlySet<O> {
    const applied = new Set<O>();
    for (const { operation } of this.#stack) {
      const found = this.#operations[operation]!;
      if (found.returnedAt === Number.POSITIVE_INFINITY) applied.add(found);
    }
    return applied;
  }
}
