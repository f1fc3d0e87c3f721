/** The fault rules of a gateway: set, listed and taken back while it serves; and what they make of each request. */
import { rawFromText } from '@spirula/encoding';
import { type Instant, SECOND } from '@spirula/world';
import { type FaultRule, operationsOf, parseFaultRule } from './fault-rule.ts';
import { type LatencyDraw, readLatency } from './latency.ts';
import { consider, type FaultCounts, type FaultMatch, type FaultRequest } from './matching.ts';

/** What becomes of one request: what all rules that fire want, together. */
export interface FaultPlan {
  /** Of all rules, summed. */
  readonly delayUs: number;
  /** How it ends, as the first rule wants that wants anything of the kind. */
  readonly ending: FaultEnding | undefined;
  /** The least of all rules. */
  readonly bytesPerSecond: number;
  /** The most of all rules: a listing does not see what was written in the last so many seconds. */
  readonly staleSeconds: number;
}

export type FaultEnding =
  | {
      readonly kind: 'error';
      readonly status: NonNullable<FaultRule['error']>;
      readonly retryAfter: number | undefined;
    }
  | { readonly kind: 'reset'; readonly at: NonNullable<FaultRule['reset']> }
  | { readonly kind: 'truncate'; readonly bytes: number };

/** A rule that is set, and what it has done. */
export interface FaultReport {
  readonly id: number;
  readonly rule: FaultRule;
  /** Requests that it was for, in its time. */
  readonly matches: number;
  readonly firings: number;
  /** How long it has been set. */
  readonly ageSeconds: number;
}

export interface FaultsOptions {
  readonly now: () => Instant;
  /** Names of the operations that there are. */
  readonly operations: ReadonlySet<string>;
}

interface SetRule {
  readonly id: number;
  readonly rule: FaultRule;
  readonly match: FaultMatch;
  readonly drawLatency: LatencyDraw;
  readonly setAt: Instant;
  counts: FaultCounts;
}

const MAX_RULES = 1000;
const US_PER_MS = 1000;
const USUAL_SEED = 1;
const USUAL_RETRY_AFTER = 1;

/** No more rules fit. */
export class TooManyFaultRules extends Error {
  override readonly name = 'TooManyFaultRules';
}

export class Faults {
  readonly #now: () => Instant;
  readonly #operations: ReadonlySet<string>;
  readonly #rules = new Map<number, SetRule>();
  #lastId = 0;

  constructor({ now, operations }: FaultsOptions) {
    this.#now = now;
    this.#operations = operations;
  }

  /** Sets rules: all of them, or none. @throws FaultRuleError, TooManyFaultRules */
  add(given: readonly unknown[]): FaultReport[] {
    const rules = given.map((each) => parseFaultRule(each, this.#operations));
    if (this.#rules.size + rules.length > MAX_RULES) throw new TooManyFaultRules(`At most ${MAX_RULES} rules are set`);
    return rules.map((rule) => {
      this.#lastId += 1;
      const counts = { matches: 0, firings: 0, random: rule.seed ?? USUAL_SEED };
      const set: SetRule = {
        id: this.#lastId,
        rule,
        match: matchOf(rule),
        drawLatency: readLatency(rule.latency ?? 0),
        setAt: this.#now(),
        counts,
      };
      this.#rules.set(set.id, set);
      return this.#report(set);
    });
  }

  /** In the order in which they were set. */
  list(): FaultReport[] {
    return [...this.#rules.values()].map((set) => this.#report(set));
  }

  /** Whether there was one. */
  remove(id: number): boolean {
    return this.#rules.delete(id);
  }

  /** How many there were. */
  clear(): number {
    const { size } = this.#rules;
    this.#rules.clear();
    return size;
  }

  /** What becomes of a request; undefined: nothing. Counts. */
  decide(request: FaultRequest): FaultPlan | undefined {
    const now = this.#now();
    let plan: FaultPlan | undefined;
    for (const set of this.#rules.values()) {
      const [counts, fires] = consider(set.match, set.counts, request, (now - set.setAt) / SECOND);
      set.counts = counts;
      if (fires) plan = withRule(plan, set);
    }
    return plan;
  }

  #report({ id, rule, counts, setAt }: SetRule): FaultReport {
    const { matches, firings } = counts;
    return { id, rule, matches, firings, ageSeconds: (this.#now() - setAt) / SECOND };
  }
}

function matchOf(rule: FaultRule): FaultMatch {
  const raw = (text: string | undefined) => (text === undefined ? undefined : rawFromText(text));
  const operations = operationsOf(rule);
  return {
    operations: operations.length === 0 ? undefined : new Set(operations),
    bucket: raw(rule.bucket),
    prefix: raw(rule.prefix),
    uid: raw(rule.uid),
    method: rule.method,
    probability: rule.probability ?? 1,
    count: rule.count ?? Number.POSITIVE_INFINITY,
    after: rule.after ?? 0,
    fromSeconds: rule.from ?? 0,
    untilSeconds: rule.until ?? Number.POSITIVE_INFINITY,
  };
}

function withRule(plan: FaultPlan | undefined, set: SetRule): FaultPlan {
  const { rule } = set;
  return {
    delayUs: (plan?.delayUs ?? 0) + drawDelay(set),
    ending: plan?.ending ?? endingOf(rule),
    bytesPerSecond: Math.min(
      plan?.bytesPerSecond ?? Number.POSITIVE_INFINITY,
      rule.throttle ?? Number.POSITIVE_INFINITY,
    ),
    staleSeconds: Math.max(plan?.staleSeconds ?? 0, rule.stale ?? 0),
  };
}

function drawDelay(set: SetRule): number {
  const [random, ms] = set.drawLatency(set.counts.random);
  set.counts = { ...set.counts, random };
  return Math.round(ms * US_PER_MS);
}

function endingOf({ error, retryAfter, reset, truncate }: FaultRule): FaultEnding | undefined {
  if (error !== undefined) {
    const usual = error === 500 ? undefined : USUAL_RETRY_AFTER;
    return { kind: 'error', status: error, retryAfter: retryAfter ?? usual };
  }
  if (reset !== undefined) return { kind: 'reset', at: reset };
  return truncate === undefined ? undefined : { kind: 'truncate', bytes: truncate };
}
