/** What a scenario expects to see, and when: watched event by event, judged at the end. */
import { type Instant, SECOND } from '@spirula/world';
import { z } from 'zod';
import type { SimCluster } from './cluster.ts';
import { type Condition, conditionSchema, type Moment, parseCondition } from './conditions.ts';
import { span } from './faults/fault.ts';
import { inSeconds, parseSpan } from './span.ts';

/**
 * `what` must come to hold, at least and at most so long after the fault called `after` (or, without it, after the start), or
 * must `never` do so from `after` on until the fault called `until` has struck. `finally`: it holds when everything is over.
 */
export const expectationSchema = z.union(
  [
    z.strictObject({
      what: conditionSchema,
      after: z.string().optional(),
      atLeast: span.optional(),
      atMost: span.optional(),
    }),
    z.strictObject({
      never: conditionSchema,
      after: z.string().optional(),
      /** So long after `after` it begins to count: what was under way may still end. */
      grace: span.optional(),
      until: z.string().optional(),
    }),
    z.strictObject({ finally: conditionSchema }),
  ],
  { error: 'an expectation says one of what, never and finally, with after, atLeast, atMost, grace, until' },
);

export type Expectation = z.infer<typeof expectationSchema>;

/** What came of an expectation. */
export interface Finding {
  readonly text: string;
  readonly met: boolean;
}

interface Watched {
  readonly text: string;
  readonly expectation: Expectation;
  readonly condition: Condition;
  /** Since when it is watched. */
  from: Instant | undefined;
  /** Until when. */
  until: Instant | undefined;
  /** When it first held, while it was watched. */
  heldAt: Instant | undefined;
}

export class Expectations {
  readonly #cluster: SimCluster;
  readonly #watched: readonly Watched[];

  constructor(cluster: SimCluster, expectations: readonly Expectation[]) {
    this.#cluster = cluster;
    this.#watched = expectations.map((expectation) => ({
      text: describe(expectation),
      expectation,
      condition: parseCondition(conditionOf(expectation)),
      from: undefined,
      until: undefined,
      heldAt: undefined,
    }));
  }

  /** The faults begin. */
  begin(): void {
    for (const each of this.#watched) {
      if ('finally' in each.expectation || each.expectation.after !== undefined) continue;
      this.#watch(each);
    }
  }

  /** A fault that has a name strikes. */
  onFault(name: string): void {
    for (const each of this.#watched) {
      if ('finally' in each.expectation) continue;
      if (each.expectation.after === name && each.from === undefined) this.#watch(each);
      if ('never' in each.expectation && each.expectation.until === name) each.until ??= this.#now;
    }
  }

  #watch(each: Watched): void {
    const { grace } = each.expectation as { grace?: string };
    each.from = this.#now + (grace === undefined ? 0 : parseSpan(grace)!);
  }

  /** Whether anything is watched now. */
  get watching(): boolean {
    return this.#watched.some(isOpen);
  }

  onMoment(moment: Moment): void {
    const kind = moment.process.spec.entity.type;
    const now = this.#now;
    for (const each of this.#watched) {
      if (!isOpen(each) || now < each.from!) continue;
      const { concerns } = each.condition;
      if (concerns !== undefined && !concerns.includes(kind)) continue;
      if (each.condition.holds(this.#cluster, moment)) each.heldAt = now;
    }
  }

  /** Everything is over. */
  judge(): Finding[] {
    return this.#watched.map((each) => {
      const { met, how } = this.#judgeOne(each);
      return { met, text: `${each.text}: ${how}` };
    });
  }

  #judgeOne({ expectation, condition, from, heldAt }: Watched): { readonly met: boolean; readonly how: string } {
    if ('finally' in expectation) {
      const met = condition.holds(this.#cluster, undefined);
      return { met, how: met ? 'it is so' : 'it is not so' };
    }
    if (from === undefined) return { met: false, how: `${expectation.after} never happened` };
    const took = heldAt === undefined ? undefined : `after ${inSeconds(heldAt - from)} s`;
    if ('never' in expectation) return { met: took === undefined, how: took ?? 'never' };
    if (took === undefined) return { met: false, how: 'never' };
    const spent = heldAt! - from;
    const early = expectation.atLeast !== undefined && spent < parseSpan(expectation.atLeast)!;
    const late = expectation.atMost !== undefined && spent > parseSpan(expectation.atMost)!;
    return { met: !early && !late, how: took };
  }

  get #now(): Instant {
    return this.#cluster.simulation.now;
  }
}

function isOpen({ from, until, heldAt }: Watched): boolean {
  return from !== undefined && until === undefined && heldAt === undefined;
}

function conditionOf(expectation: Expectation): string {
  return 'what' in expectation ? expectation.what : 'never' in expectation ? expectation.never : expectation.finally;
}

function describe(expectation: Expectation): string {
  if ('finally' in expectation) return `in the end ${expectation.finally}`;
  const after = expectation.after === undefined ? '' : ` after ${expectation.after}`;
  if ('never' in expectation) {
    return `never ${expectation.never}${after}${expectation.until === undefined ? '' : ` until ${expectation.until}`}`;
  }
  const { atLeast, atMost } = expectation;
  const seconds = (text: string) => `${parseSpan(text)! / SECOND} s`;
  const bounds =
    atLeast !== undefined && atMost !== undefined
      ? ` (${seconds(atLeast)} to ${seconds(atMost)})`
      : atMost !== undefined
        ? ` (within ${seconds(atMost)})`
        : atLeast !== undefined
          ? ` (not before ${seconds(atLeast)})`
          : '';
  return `${expectation.what}${after}${bounds}`;
}
