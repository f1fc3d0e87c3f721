/** Sets of bytes as ascending intervals that neither overlap nor touch (interval_set<uint64_t>). */

export interface Extent {
  readonly offset: number;
  /** Above 0. */
  readonly length: number;
}

export type Extents = readonly Extent[];

/** Bytes in [offset, offset + length), as a set. */
export function extent(offset: number, length: number): Extents {
  return length > 0 ? [{ offset, length }] : [];
}

export function unionOfExtents(a: Extents, b: Extents): Extents {
  const merged: Extent[] = [];
  for (const each of [...a, ...b].sort((x, y) => x.offset - y.offset)) {
    const last = merged.at(-1);
    if (last === undefined || each.offset > endOf(last)) merged.push(each);
    else merged[merged.length - 1] = span(last.offset, Math.max(endOf(last), endOf(each)));
  }
  return merged;
}

export function intersectExtents(a: Extents, b: Extents): Extents {
  const shared: Extent[] = [];
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    const start = Math.max(a[i]!.offset, b[k]!.offset);
    const end = Math.min(endOf(a[i]!), endOf(b[k]!));
    if (start < end) shared.push(span(start, end));
    if (endOf(a[i]!) < endOf(b[k]!)) i += 1;
    else k += 1;
  }
  return shared;
}

/** The bytes of `from` that are not in `what`. */
export function subtractExtents(from: Extents, what: Extents): Extents {
  const left: Extent[] = [];
  for (const each of from) {
    let start = each.offset;
    for (const hole of what) {
      if (endOf(hole) <= start || hole.offset >= endOf(each)) continue;
      if (hole.offset > start) left.push(span(start, hole.offset));
      start = endOf(hole);
    }
    if (start < endOf(each)) left.push(span(start, endOf(each)));
  }
  return left;
}

export function bytesOfExtents(extents: Extents): number {
  return extents.reduce((sum, { length }) => sum + length, 0);
}

function span(start: number, end: number): Extent {
  return { offset: start, length: end - start };
}

function endOf({ offset, length }: Extent): number {
  return offset + length;
}
