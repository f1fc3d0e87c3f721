/** What is known of bytes: the last that was said of each; neighbours of which the same is known are one (common/interval_map.h). */
import type { Range } from './image-layout.ts';

/** `absent`: the object is not there, and a parent may show. */
export type ExtentState = 'absent' | 'zeroed' | 'data';

export interface Extent extends Range {
  readonly state: ExtentState;
}

export class ExtentMap {
  #extents: Extent[] = [];

  /** In order. */
  get extents(): readonly Extent[] {
    return this.#extents;
  }

  set({ offset, length }: Range, state: ExtentState): void {
    if (length === 0) return;
    const extent = { offset, length, state };
    const last = this.#extents.at(-1);
    if (!last || last.offset + last.length <= offset) append(this.#extents, extent);
    else this.#replace(extent);
  }

  #replace(extent: Extent): void {
    const end = extent.offset + extent.length;
    const before = this.#extents.filter(({ offset }) => offset < extent.offset);
    const after = this.#extents.filter(({ offset, length }) => offset + length > end);
    this.#extents = [];
    for (const each of before) {
      const length = Math.min(each.length, extent.offset - each.offset);
      append(this.#extents, { ...each, length });
    }
    append(this.#extents, extent);
    for (const each of after) {
      const offset = Math.max(each.offset, end);
      append(this.#extents, { ...each, offset, length: each.offset + each.length - offset });
    }
  }
}

function append(extents: Extent[], next: Extent): void {
  const last = extents.at(-1);
  if (last?.state === next.state && last.offset + last.length === next.offset) {
    extents.splice(-1, 1, { ...last, length: last.length + next.length });
  } else extents.push(next);
}
