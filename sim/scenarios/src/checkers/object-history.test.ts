import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Keyed, StepBudget, searchLinearizations, type TimedOperation } from './linearization-search.ts';
import { type Answer, ObjectHistory, type Operation } from './object-history.ts';

/** The smallest object that shows it all: a register that is written, read, and added to. */
interface Register extends Keyed {
  readonly value: number;
}

function register(value: number): Register {
  return { key: String(value), value };
}

function newHistory(): ObjectHistory<Register> {
  return new ObjectHistory({ initial: register(0), describe: ({ key }) => key, now: () => '0' });
}

function write(value: number): Operation<Register> {
  return { client: 'a', what: () => `write ${value}`, changes: true, effect: () => register(value) };
}

function add(value: number): Operation<Register> {
  return { client: 'a', what: () => `add ${value}`, changes: true, effect: (before) => register(before.value + value) };
}

const READ: Operation<Register> = { client: 'b', what: () => 'read', changes: false, effect: (before) => before };

function done(operation: Operation<Register>): Answer<Register> {
  return { told: () => 'done', changes: true, step: (before) => operation.effect(before) };
}

function saw(value: number): Answer<Register> {
  const reveals = register(value);
  return {
    told: () => `read ${value}`,
    changes: false,
    reveals,
    step: (before) => (before.value === value ? before : undefined),
  };
}

describe('an object that takes one operation at a time', () => {
  test('a read under way together with a write may see the state before it or after', () => {
    for (const value of [0, 1]) {
      const history = newHistory();
      history.begin(1, write(1));
      history.begin(2, READ);
      expect(history.end(2, saw(value))).toBeUndefined();
      expect(history.end(1, done(write(1)))).toBeUndefined();
    }
  });

  test('a read that begins when a write was answered does not see the state before', () => {
    const history = newHistory();
    history.begin(1, write(1));
    history.end(1, done(write(1)));
    history.begin(2, READ);

    expect(history.end(2, saw(0))).toMatch(/^read 0; it may have been \[1\]\n {4}0 to 0 b: read -> read 0$/);
  });

  test('what one read has seen the next one does not unsee', () => {
    const history = newHistory();
    history.begin(1, write(1));
    history.begin(2, READ);
    history.end(2, saw(1));
    history.begin(3, READ);
    history.end(3, saw(0));

    expect(history.end(1, done(write(1)))).toMatch(/^read 0; it may have been \[1\]\n/);
  });

  test('two writes that overlap may have happened in any order, and reads say in which', () => {
    const history = newHistory();
    history.begin(1, write(1));
    history.begin(2, write(2));
    history.end(1, done(write(1)));
    history.end(2, done(write(2)));
    for (const id of [3, 4]) {
      history.begin(id, READ);
      expect(history.end(id, saw(1))).toBeUndefined();
    }
    history.begin(5, READ);

    expect(history.end(5, saw(2))).toContain('read 2; it may have been [1]');
  });

  test('a write without an answer may take effect at any time later, once, or never', () => {
    const history = newHistory();
    history.begin(1, add(1));
    history.abandon(1);
    for (const [id, value] of [0, 0, 1, 1].entries()) {
      history.begin(10 + id, READ);
      expect(history.end(10 + id, saw(value))).toBeUndefined();
    }
    expect(history.carried).toBe(0);
    history.begin(20, READ);

    expect(history.end(20, saw(2))).toContain('it may have been [1]');
  });

  test('a write that is under way when all ends may have taken effect', () => {
    const history = newHistory();
    history.begin(1, write(1));
    history.begin(2, READ);
    history.end(2, saw(1));

    expect(history.finish()).toBeUndefined();
  });

  test('a violation in a window that does not end is found at the end', () => {
    const history = newHistory();
    history.begin(1, write(1));
    history.begin(2, READ);
    history.end(2, saw(7));

    expect(history.finish()).toContain('read 7; it may have been [1] or [0]');
  });

  test('a window that grows on is looked at before it ends, and asks to be left alone', () => {
    const history = newHistory();
    history.begin(1, write(1));
    const problems = [];
    for (let id = 2; !history.wantsQuiet; id++) {
      history.begin(id, READ);
      problems.push(history.end(id, saw(id === 10 ? 5 : 0)));
    }

    expect(problems.at(-1)).toContain('read 5;');
    expect(problems.slice(0, -1).filter(Boolean)).toEqual([]);
  });

  test('what cannot be decided is counted, and checked again from the next answer that tells all', () => {
    const history = newHistory();
    // 2^9 states may be left by each window, and nothing ever reads.
    for (let round = 0; history.givenUp === 0; round++) {
      expect(round).toBeLessThan(100);
      for (let i = 0; i < 9; i++) history.begin(i, appendDigit(i));
      for (let i = 0; i < 9; i++) history.end(i, done(appendDigit(i)));
    }
    history.begin(1, READ);
    expect(history.end(1, saw(3))).toBeUndefined();
    history.begin(2, READ);

    expect(history.end(2, saw(4))).toContain('it may have been [3]');
  });
});

/** Where order matters, every order leaves another state. */
function appendDigit(digit: number): Operation<Register> {
  const effect = ({ value }: Register) => register((value * 10 + digit) % 1_000_000_007);
  return { client: 'a', what: () => `append ${digit}`, changes: true, effect };
}

// Small histories, compared with what the definition says.

interface Script {
  readonly kind: 'write' | 'add' | 'read';
  readonly argument: number;
  /** Places in time; ties are broken by number. */
  readonly at: number;
  readonly length: number;
  readonly answered: boolean;
}

const script = fc.record<Script>({
  kind: fc.constantFrom('write', 'add', 'read'),
  argument: fc.nat(2),
  at: fc.nat(8),
  length: fc.nat(5),
  answered: fc.boolean(),
});
const scripts = fc.array(script, { minLength: 1, maxLength: 5 });

function operationOf({ kind, argument }: Script): Operation<Register> {
  return kind === 'read' ? READ : kind === 'write' ? write(argument) : add(argument);
}

function answerOf(each: Script): Answer<Register> {
  return each.kind === 'read' ? saw(each.argument) : done(operationOf(each));
}

/** Calls and ends in order of time: at one time, calls before ends. */
function eventsOf(list: readonly Script[]) {
  return list
    .flatMap(({ at, length }, id) => [
      { id, at: 2 * at, call: true },
      { id, at: 2 * (at + length) + 1, call: false },
    ])
    .sort((a, b) => a.at - b.at || a.id - b.id);
}

function judge(list: readonly Script[]): boolean {
  const history = newHistory();
  const problems: (string | undefined)[] = [];
  for (const { id, call } of eventsOf(list)) {
    const each = list[id]!;
    if (call) history.begin(id, operationOf(each));
    else problems.push(each.answered ? history.end(id, answerOf(each)) : history.abandon(id));
  }
  problems.push(history.finish());
  expect(history.givenUp).toBe(0);
  return problems.every((problem) => problem === undefined);
}

/** Tries every order of every choice of unanswered operations. */
function judgeByDefinition(list: readonly Script[]): boolean {
  const times = new Map<number, { calledAt: number; returnedAt: number }>();
  for (const [time, { id, call }] of eventsOf(list).entries()) {
    const known = times.get(id);
    if (call) times.set(id, { calledAt: time, returnedAt: Number.POSITIVE_INFINITY });
    else if (list[id]!.answered) times.set(id, { ...known!, returnedAt: time });
  }
  const search = (state: Register, rest: readonly number[]): boolean => {
    if (rest.every((id) => !list[id]!.answered)) return true;
    return rest.some((id) => {
      const { calledAt } = times.get(id)!;
      if (rest.some((other) => times.get(other)!.returnedAt < calledAt)) return false;
      const each = list[id]!;
      const after = each.answered ? answerOf(each).step(state) : operationOf(each).effect(state);
      return (
        after !== undefined &&
        search(
          after,
          rest.filter((other) => other !== id),
        )
      );
    });
  };
  return search(register(0), [...list.keys()]);
}

test('what is judged of a short history is what the definition says', () => {
  const seen = { possible: 0, impossible: 0 };
  fc.assert(
    fc.property(scripts, (list) => {
      const expected = judgeByDefinition(list);
      seen[expected ? 'possible' : 'impossible'] += 1;
      expect(judge(list)).toBe(expected);
    }),
    { numRuns: 5000 },
  );
  expect(Math.min(seen.possible, seen.impossible)).toBeGreaterThan(500);
});

/** Runs operations on one register, each at a moment between its call and its return: what it answers is right. */
function play(list: readonly Script[], moments: readonly number[]): Script[] {
  let state = register(0);
  const took = list.map((each, id) => ({ id, at: each.at + ((moments[id] ?? 0) % (each.length + 1)) }));
  const read = new Map<number, number>();
  for (const { id } of took.sort((a, b) => a.at - b.at || a.id - b.id)) {
    if (list[id]!.kind === 'read') read.set(id, state.value);
    else state = operationOf(list[id]!).effect(state);
  }
  return list.map((each, id) => ({ ...each, argument: read.get(id) ?? each.argument }));
}

const longScripts = fc.array(
  fc.record<Script>({
    kind: fc.constantFrom('write', 'add', 'read'),
    argument: fc.nat(3),
    at: fc.nat(60),
    length: fc.nat(6),
    answered: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  }),
  { minLength: 1, maxLength: 40 },
);
const moments = fc.array(fc.nat(5), { minLength: 40, maxLength: 40 });

test('a history that a real object made is never refused', () => {
  fc.assert(
    fc.property(longScripts, moments, (list, when) => judge(play(list, when))),
    { numRuns: 500 },
  );
});

test('a search that takes more steps than it may says so', () => {
  const operations = Array.from({ length: 12 }, (_, i): TimedOperation<Register> => {
    const { effect } = appendDigit(i);
    return { calledAt: i, returnedAt: 100 + i, changes: true, step: effect };
  });
  const last: TimedOperation<Register> = { calledAt: 200, returnedAt: 201, changes: true, step: () => undefined };
  const search = (steps: number) =>
    searchLinearizations({
      from: register(0),
      operations: [...operations.slice(0, 4), last],
      budget: new StepBudget(steps),
      onEnding: () => false,
    });

  expect(search(10)).toBe('undecided');
  expect(search(10_000)).toBe('impossible');
});
