/** What is due when. Times are minutes since 1970. */

import type { ScheduledTarget } from './level-spec.ts';
import type { Schedule } from './schedule.ts';

/** A target, and what people call it. */
export interface Scheduled extends ScheduledTarget {
  readonly name: string;
}

export interface Due<T> {
  readonly at: number;
  readonly target: T;
}

export class ScheduleQueue<T extends Scheduled> {
  #due: readonly Due<T>[] = [];

  /** By their times; those of one time in the order in which they came. */
  list(): readonly Due<T>[] {
    return this.#due;
  }

  /** What is to be done at set times is what these are, each by its schedule. What is due already stays so. */
  rebuild(targets: readonly T[], find: (target: T) => Schedule | undefined, nowSeconds: number): void {
    const overdue = this.#due.filter(({ at, target }) => at * 60 <= nowSeconds && isAmong(target, targets));
    this.#due = overdue;
    for (const target of targets) this.enqueue(target, find(target), nowSeconds);
  }

  enqueue(target: T, schedule: Schedule | undefined, nowSeconds: number): void {
    if (!schedule) return;
    const at = schedule.nextRun(nowSeconds);
    if (this.#due.some((each) => each.at === at && isSame(each.target, target))) return;
    this.#due = [...this.#due, { at, target }].sort((a, b) => a.at - b.at);
  }

  /** Takes the first one out that is due. */
  take(nowSeconds: number): T | undefined {
    const [first, ...rest] = this.#due;
    if (!first || first.at * 60 > nowSeconds) return undefined;
    this.#due = rest;
    return first.target;
  }
}

function isSame(a: ScheduledTarget, b: ScheduledTarget): boolean {
  return a.pool === b.pool && a.namespace === b.namespace && a.imageId === b.imageId;
}

function isAmong(target: ScheduledTarget, targets: readonly ScheduledTarget[]): boolean {
  return targets.some((each) => isSame(each, target));
}
