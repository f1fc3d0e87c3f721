/** What a scenario expects to see, and when: watched event by event, judged at the end. */
import type { Instant } from '@spirula/world';
import type { SimCluster } from './cluster.ts';
import { type Condition, isCondition, type Moment, parseCondition } from './conditions.ts';
import { conditionOf, describeExpectation, type Expectation } from './expectation.ts';
import { inSeconds, parseSpan } from './span.ts';

/** What came of an expectation. */
export interface Finding {
  readonly text: string;
  readonly met: boolean;
}

/** Watches for a condition to come to hold: where it does already, it must cease to first. */
class Edge {
  readonly #condition: Condition;
  #held: boolean;

  constructor(text: string, cluster: SimCluster) {
    this.#condition = parseCondition(text);
    this.#held = this.#condition.holds(cluster, undefined);
  }

  /** Whether it has just come to hold. */
  hasCome(cluster: SimCluster, moment: Moment): boolean {
    if (!concerns(this.#condition, moment)) return false;
    const before = this.#held;
    this.#held = this.#condition.holds(cluster, moment);
    return this.#held && !before;
  }
}

type Verdict = readonly [met: boolean, how: string];

/** One expectation while it is watched: waits for its window, looks at what comes within it. */
class Watch {
  readonly expectation: Expectation;
  readonly #condition: Condition | undefined;
  readonly #cluster: SimCluster;
  /** What opens and closes its window, where that is no fault. */
  #opens: Edge | undefined;
  #closes: Edge | undefined;
  readonly #grace: Instant;
  /** When the window opens, from when `after` was. */
  #from: Instant | undefined;
  #until: Instant | undefined;
  #firstAt: Instant | undefined;
  #lastAt: Instant | undefined;
  #count = 0;
  #slowest: Instant | undefined;
  /** It held when it was last looked at. */
  #held = false;

  constructor(expectation: Expectation, cluster: SimCluster) {
    this.expectation = expectation;
    this.#cluster = cluster;
    const { grace } = expectation as { grace?: string };
    const text = conditionOf(expectation);
    this.#condition = text === undefined ? undefined : parseCondition(text);
    this.#grace = grace === undefined ? 0 : parseSpan(grace)!;
  }

  begin(now: Instant): void {
    if ('finally' in this.expectation) return;
    const { after } = this.expectation;
    if (after === undefined) this.#open(now);
    else if (isCondition(after)) this.#opens = new Edge(after, this.#cluster);
  }

  onMark(name: string, now: Instant): void {
    const { after, until } = this.expectation as { after?: string; until?: string };
    if (after === name && this.#from === undefined) this.#open(now);
    else if (until === name && this.#from !== undefined) this.#until ??= now;
  }

  #open(now: Instant): void {
    this.#from = now + this.#grace;
    const { until } = this.expectation as { until?: string };
    if (until !== undefined && isCondition(until)) this.#closes = new Edge(until, this.#cluster);
    this.#held = this.#condition?.holds(this.#cluster, undefined) === true;
  }

  /** Whether anything that happens matters to it. */
  get isOpen(): boolean {
    const { expectation } = this;
    if ('finally' in expectation) return false;
    if (this.#from === undefined) return this.#opens !== undefined;
    if ('what' in expectation || 'never' in expectation)
      return this.#until === undefined && this.#firstAt === undefined;
    // Who waited in the window may be answered after it.
    return this.#until === undefined || 'slowest' in expectation;
  }

  onMoment(moment: Moment, now: Instant): void {
    if (this.#from === undefined && this.#opens!.hasCome(this.#cluster, moment)) this.#open(now);
    if (this.#from === undefined || now < this.#from) return;
    if (this.#until === undefined && this.#closes?.hasCome(this.#cluster, moment)) this.#until = now;
    if ('slowest' in this.expectation) this.#clock(this.expectation.slowest, moment, now);
    else if (this.#until === undefined) this.#look(moment, now);
  }

  #look(moment: Moment, now: Instant): void {
    const condition = this.#condition!;
    if (!concerns(condition, moment)) return;
    const holds = condition.holds(this.#cluster, moment);
    if (holds) {
      this.#firstAt ??= now;
      this.#lastAt = now;
      // Of what happens in a moment each time counts; of what lasts, each time that it begins.
      if (condition.times !== undefined) this.#count += condition.times(moment);
      else if (!this.#held) this.#count += 1;
    }
    this.#held = holds;
  }

  #clock(kind: 'write' | 'read' | 'request', { answers }: Moment, now: Instant): void {
    for (const answer of answers) {
      if (kind !== 'request' && answer.kind !== kind) continue;
      // As far as the window reaches: what it waited for later has other reasons.
      const waited = Math.min(now, this.#until ?? now) - (now - answer.tookUs);
      if (waited >= 0) this.#slowest = Math.max(this.#slowest ?? 0, waited);
    }
  }

  judge(): Verdict {
    const { expectation } = this;
    if ('finally' in expectation) {
      const met = this.#condition!.holds(this.#cluster, undefined);
      return [met, met ? 'it is so' : 'it is not so'];
    }
    if (this.#from === undefined) return [false, `${expectation.after} never came`];
    if ('never' in expectation) {
      return [this.#firstAt === undefined, this.#firstAt === undefined ? 'never' : this.#since(this.#firstAt)];
    }
    if ('count' in expectation) {
      const { atLeast = 0, atMost = Number.POSITIVE_INFINITY } = expectation;
      return [this.#count >= atLeast && this.#count <= atMost, `${this.#count} times`];
    }
    const { atLeast, atMost } = expectation;
    const within = (us: Instant) =>
      (atLeast === undefined || us >= parseSpan(atLeast)!) && (atMost === undefined || us <= parseSpan(atMost)!);
    if ('slowest' in expectation) {
      if (this.#slowest === undefined) return [false, 'none was answered'];
      return [within(this.#slowest), `${inSeconds(this.#slowest)} s`];
    }
    const at = 'last' in expectation ? this.#lastAt : this.#firstAt;
    return at === undefined ? [false, 'never'] : [within(this.#spent(at)), this.#since(at)];
  }

  #since(at: Instant): string {
    return `after ${inSeconds(this.#spent(at))} s`;
  }

  /** Since `after`. */
  #spent(at: Instant): Instant {
    return at - this.#from! + this.#grace;
  }
}

function concerns({ concerns: kinds }: Condition, { process }: Moment): boolean {
  return kinds === undefined || kinds.includes(process.spec.entity.type);
}

export class Expectations {
  readonly #cluster: SimCluster;
  readonly #watches: readonly Watch[];

  constructor(cluster: SimCluster, expectations: readonly Expectation[]) {
    this.#cluster = cluster;
    this.#watches = expectations.map((expectation) => new Watch(expectation, cluster));
  }

  /** The faults begin. */
  begin(): void {
    for (const watch of this.#watches) watch.begin(this.#now);
  }

  /** What has a name happens: see `marksOf`. */
  onMark(name: string): void {
    for (const watch of this.#watches) watch.onMark(name, this.#now);
  }

  /** Whether anything is watched now. */
  get watching(): boolean {
    return this.#watches.some(({ isOpen }) => isOpen);
  }

  onMoment(moment: Moment): void {
    for (const watch of this.#watches) if (watch.isOpen) watch.onMoment(moment, this.#now);
  }

  /** Everything is over. */
  judge(): Finding[] {
    return this.#watches.map((watch) => {
      const [met, how] = watch.judge();
      return { met, text: `${describeExpectation(watch.expectation)}: ${how}` };
    });
  }

  get #now(): Instant {
    return this.#cluster.simulation.now;
  }
}
