/**
 * Decides, while it happens, whether what clients are told of one object could have come from an object that takes one
 * operation at a time, each at some moment between its request and its reply.
 *
 * Kept are all the ways in which it may have gone so far: the state, which of the writes under way have taken effect, and
 * what each read under way may have seen. A reply rules ways out; when none is left, the history is no object's. Writes
 * take effect in a way as late as possible: only when a reply cannot be explained without.
 */
import { invariant } from '@spirula/world';
import { ABSENT, applyChanges, type Change, describeState, type ObjectState, type Outcome } from './object-model.ts';

export type OpId = number;

interface Way {
  readonly state: ObjectState;
  /** Writes under way that have taken effect, with what will be answered. */
  readonly applied: ReadonlyMap<OpId, number>;
  /** Every state since a read under way was asked. One that is not here has been under way for so long that it may have seen anything. */
  readonly seen: ReadonlyMap<OpId, readonly ObjectState[]>;
}

/** More ways than these are not followed: the object counts as unchecked from then on. */
const MAX_WAYS = 20_000;
/** And of what a read may have seen no more than these states. */
const MAX_SEEN = 16;
/** States shown to people. */
const MAX_DESCRIBED = 4;
/** Result of a write that nobody waits for. */
const UNKNOWN = 1;

export class ObjectHistory {
  #ways: Way[] = [{ state: ABSENT, applied: new Map(), seen: new Map() }];
  readonly #writes = new Map<OpId, readonly Change[]>();
  /** What each of them does to the states it may meet, by key. */
  readonly #outcomes = new Map<OpId, Map<string, Outcome>>();
  /** Writes that nobody waits for any more: they may take effect at any time, or never. */
  readonly #abandoned = new Set<OpId>();
  #checked = true;

  /** False when there were too many ways to follow. */
  get checked(): boolean {
    return this.#checked;
  }

  /** Requests under way, those with an unknown outcome included. */
  get pendingWrites(): number {
    return this.#writes.size;
  }

  get abandoned(): number {
    return this.#abandoned.size;
  }

  /** What the object may be now. */
  get possible(): readonly ObjectState[] {
    return [...new Map(this.#ways.map(({ state }) => [state.key, state])).values()];
  }

  /** As `possible`, were all that is under way to take effect or not. */
  reachable(): readonly ObjectState[] {
    const found = new Map<string, ObjectState>();
    this.#explore(this.#ways, (way) => {
      found.set(way.state.key, way.state);
      return 'go on';
    });
    return [...found.values()];
  }

  beginWrite(id: OpId, changes: readonly Change[]): void {
    invariant(!this.#writes.has(id), 'an operation begins once');
    this.#writes.set(id, changes);
    this.#outcomes.set(id, new Map());
  }

  beginRead(id: OpId): void {
    this.#ways = this.#ways.map((way) => ({ ...way, seen: new Map(way.seen).set(id, [way.state]) }));
  }

  /** A write was answered. Returns what is wrong with that, if anything. */
  endWrite(id: OpId, result: number): string | undefined {
    const kept = this.#explore(this.#ways, (way) => {
      const predicted = way.applied.get(id);
      return predicted === undefined ? 'go on' : predicted === result ? 'keep' : 'drop';
    });
    const before = this.#ways;
    this.#forget(id);
    this.#ways = this.#reduce(kept.map((way) => ({ ...way, applied: without(way.applied, id) })));
    if (this.#ways.length > 0 || !this.#checked) return undefined;
    this.#ways = before;
    return `a write was answered with ${result}; the object may have been ${describeAll(this.possible)}`;
  }

  /** A read was answered; `fits` says whether an object in a state would have been read so. */
  endRead(id: OpId, fits: (state: ObjectState) => boolean): string | undefined {
    const kept = this.#explore(this.#ways, (way) => (way.seen.get(id)?.some(fits) === false ? 'go on' : 'keep'));
    const before = this.#ways;
    this.#ways = this.#reduce(kept.map((way) => ({ ...way, seen: without(way.seen, id) })));
    if (this.#ways.length > 0 || !this.#checked) return undefined;
    this.#ways = before;
    const seen = new Map(before.flatMap((way) => way.seen.get(id) ?? []).map((state) => [state.key, state]));
    return `it may have been ${describeAll([...seen.values()])}, or after what was under way ${describeAll(this.reachable())}`;
  }

  /** No answer will come, or none that says what happened. */
  abandonWrite(id: OpId): void {
    this.#abandoned.add(id);
    this.#ways = this.#reduce(this.#ways);
  }

  abandonRead(id: OpId): void {
    this.#ways = this.#reduce(this.#ways.map((way) => ({ ...way, seen: without(way.seen, id) })));
  }

  /** Ways that come from `from` by letting writes under way take effect, until `judge` says keep or drop. */
  #explore(from: readonly Way[], judge: (way: Way) => 'keep' | 'drop' | 'go on'): Way[] {
    const known = new Set<string>();
    const kept: Way[] = [];
    const open = [...from];
    for (let way = open.pop(); way !== undefined; way = open.pop()) {
      const key = keyOf(way);
      if (known.has(key)) continue;
      known.add(key);
      if (known.size > MAX_WAYS) {
        this.#checked = false;
        return kept;
      }
      const verdict = judge(way);
      if (verdict === 'keep') kept.push(way);
      if (verdict !== 'go on') continue;
      for (const [id, changes] of this.#writes) if (!way.applied.has(id)) open.push(this.#apply(way, id, changes));
    }
    return kept;
  }

  #apply(way: Way, id: OpId, changes: readonly Change[]): Way {
    const known = this.#outcomes.get(id)!;
    let outcome = known.get(way.state.key);
    if (outcome === undefined) {
      outcome = applyChanges(way.state, changes);
      known.set(way.state.key, outcome);
    }
    const { state } = outcome;
    const result = this.#abandoned.has(id) ? UNKNOWN : outcome.result;
    const seen = new Map<OpId, readonly ObjectState[]>();
    for (const [read, states] of way.seen) {
      const longer = withState(states, state);
      if (longer.length <= MAX_SEEN) seen.set(read, longer);
    }
    return { state, applied: new Map(way.applied).set(id, result), seen };
  }

  /** Each way once. One in which abandoned writes are still to come may do all that the same one after them may. */
  #reduce(ways: readonly Way[]): Way[] {
    const groups = new Map<string, Way[]>();
    for (const way of ways) {
      let awaited = way.applied;
      for (const id of this.#abandoned) awaited = without(awaited, id);
      const key = keyOf({ ...way, applied: awaited });
      const group = groups.get(key) ?? [];
      if (group.some((other) => includes(way.applied, other.applied))) continue;
      groups.set(key, [...group.filter((other) => !includes(other.applied, way.applied)), way]);
    }
    let reduced = [...groups.values()].flat();
    for (const id of [...this.#abandoned]) {
      if (!reduced.every((way) => way.applied.has(id))) continue;
      this.#forget(id);
      reduced = reduced.map((way) => ({ ...way, applied: without(way.applied, id) }));
    }
    return reduced;
  }

  #forget(id: OpId): void {
    this.#writes.delete(id);
    this.#outcomes.delete(id);
    this.#abandoned.delete(id);
  }
}

function withState(states: readonly ObjectState[], state: ObjectState): readonly ObjectState[] {
  return states.some(({ key }) => key === state.key) ? states : [...states, state];
}

function without<T>(map: ReadonlyMap<OpId, T>, id: OpId): ReadonlyMap<OpId, T> {
  if (!map.has(id)) return map;
  const rest = new Map(map);
  rest.delete(id);
  return rest;
}

function includes(all: ReadonlyMap<OpId, number>, some: ReadonlyMap<OpId, number>): boolean {
  for (const id of some.keys()) if (!all.has(id)) return false;
  return true;
}

function keyOf({ state, applied, seen }: Way): string {
  const done = [...applied].map(([id, result]) => `${id}:${result}`).sort();
  const reads = [...seen].map(
    ([id, states]) =>
      `${id}:${states
        .map(({ key }) => key)
        .sort()
        .join(';')}`,
  );
  return `${state.key}|${done.join()}|${reads.join('/')}`;
}

function describeAll(states: readonly ObjectState[]): string {
  return states
    .slice(0, MAX_DESCRIBED)
    .map((state) => `[${describeState(state)}]`)
    .join(' or ');
}
