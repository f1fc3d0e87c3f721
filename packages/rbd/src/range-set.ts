/** Bytes by number: ranges in order, none touching the next (include/interval_set.h). */
import type { Range } from './image-layout.ts';

export class RangeSet {
  #ranges: readonly Range[];

  constructor(ranges: Iterable<Range> = []) {
    this.#ranges = joined(ranges);
  }

  get ranges(): readonly Range[] {
    return this.#ranges;
  }

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  /** With what was not in it, or was. */
  add(...ranges: readonly Range[]): void {
    this.#ranges = joined([...this.#ranges, ...ranges]);
  }

  remove(...ranges: readonly Range[]): void {
    for (const { offset, length } of ranges.filter(hasBytes)) {
      const end = offset + length;
      this.#ranges = this.#ranges.flatMap((range) => [
        ...between(range.offset, Math.min(range.offset + range.length, offset)),
        ...between(Math.max(range.offset, end), range.offset + range.length),
      ]);
    }
  }

  /** What is in both. */
  within(others: Iterable<Range>): RangeSet {
    const [mine, theirs] = [this.#ranges, joined(others)];
    const shared: Range[] = [];
    for (let i = 0, k = 0; i < mine.length && k < theirs.length; ) {
      const [a, b] = [mine[i]!, theirs[k]!];
      const [aEnd, bEnd] = [a.offset + a.length, b.offset + b.length];
      shared.push(...between(Math.max(a.offset, b.offset), Math.min(aEnd, bEnd)));
      if (aEnd < bEnd) i += 1;
      else k += 1;
    }
    return new RangeSet(shared);
  }
}

function between(from: number, end: number): readonly Range[] {
  return end > from ? [{ offset: from, length: end - from }] : [];
}

function hasBytes({ length }: Range): boolean {
  return length > 0;
}

function joined(ranges: Iterable<Range>): readonly Range[] {
  const result: { offset: number; length: number }[] = [];
  for (const { offset, length } of [...ranges].filter(hasBytes).sort((a, b) => a.offset - b.offset)) {
    const last = result.at(-1);
    if (last && last.offset + last.length >= offset) {
      last.length = Math.max(last.length, offset + length - last.offset);
    } else {
      result.push({ offset, length });
    }
  }
  return result;
}
