import type { Decoder, Encoder } from '@spirula/encoding';
import type { SnapInterval } from './pool.ts';

/** interval_set<snapid_t>. */
export function encodeSnapIntervals(to: Encoder, intervals: readonly SnapInterval[]): void {
  to.list(intervals, ({ start, length }) => {
    to.u64big(start);
    to.u64big(length);
  });
}

export function decodeSnapIntervals(from: Decoder, field: string): SnapInterval[] {
  return from.list(field, 16, () => ({ start: from.u64big(field), length: from.u64big(field) }));
}

/** The set of one snap. */
export function oneSnap(snap: bigint): SnapInterval[] {
  return [{ start: snap, length: 1n }];
}

/** The snaps of both sets, as ascending intervals that do not touch. */
export function unionOfSnaps(a: readonly SnapInterval[], b: readonly SnapInterval[]): SnapInterval[] {
  const merged: SnapInterval[] = [];
  for (const each of [...a, ...b].sort((x, y) => (x.start < y.start ? -1 : 1))) {
    const last = merged.at(-1);
    if (last === undefined || each.start > endOf(last)) merged.push(each);
    else if (endOf(each) > endOf(last)) {
      merged[merged.length - 1] = { start: last.start, length: endOf(each) - last.start };
    }
  }
  return merged;
}

/** The snaps of `from` that are not in `what`. */
export function subtractSnaps(from: readonly SnapInterval[], what: readonly SnapInterval[]): SnapInterval[] {
  let left = [...from];
  for (const hole of what) {
    left = left.flatMap((each) => {
      const before = { start: each.start, length: least(endOf(each), hole.start) - each.start };
      const afterStart = greatest(endOf(hole), each.start);
      const after = { start: afterStart, length: endOf(each) - afterStart };
      return [before, after].filter(({ length }) => length > 0n);
    });
  }
  return left;
}

/** The snaps that both sets hold. */
export function intersectSnaps(a: readonly SnapInterval[], b: readonly SnapInterval[]): SnapInterval[] {
  return subtractSnaps(a, subtractSnaps(a, b));
}

export function hasSnap(intervals: readonly SnapInterval[], snap: bigint): boolean {
  return intervals.some((each) => snap >= each.start && snap < endOf(each));
}

/** How many snaps there are. */
export function countSnaps(intervals: readonly SnapInterval[]): number {
  return intervals.reduce((sum, { length }) => sum + Number(length), 0);
}

function endOf({ start, length }: SnapInterval): bigint {
  return start + length;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function greatest(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
