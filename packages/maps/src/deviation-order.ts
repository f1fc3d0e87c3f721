import type { OsdId } from '@spirula/encoding';

/** How evenly PGs lie. */
export interface Spread {
  /** Of the OSDs' deviations from what they are due. */
  readonly stddev: number;
  readonly maxDeviation: number;
}

/** OSDs by how many PGs more than due they have, kept in order while PGs move one by one. */
export class DeviationOrder {
  readonly #counts: Int32Array;
  readonly #targets: Float64Array;
  /** From the emptiest. */
  readonly #osds: Int32Array;
  /** OSD -> where it stands in #osds. */
  readonly #places: Int32Array;

  /**
   * @param osds those that have PGs or are due some
   * @param counts PGs by OSD; changed by `move`
   * @param targets PGs due, by OSD
   */
  constructor(osds: readonly OsdId[], counts: Int32Array, targets: Float64Array) {
    this.#counts = counts;
    this.#targets = targets;
    this.#osds = Int32Array.from(osds).sort((a, b) => this.deviation(a) - this.deviation(b) || a - b);
    this.#places = new Int32Array(counts.length).fill(-1);
    this.#osds.forEach((osd, place) => {
      this.#places[osd] = place;
    });
  }

  deviation(osd: OsdId): number {
    return this.#counts[osd]! - this.#targets[osd]!;
  }

  fullest(isMeant: (osd: OsdId) => boolean): OsdId | undefined {
    return this.#osds.findLast(isMeant);
  }

  emptiest(isMeant: (osd: OsdId) => boolean): OsdId | undefined {
    return this.#osds.find(isMeant);
  }

  /** Tries OSDs from the emptiest up to `last`; returns whether one did it. */
  upwards(attempt: (osd: OsdId) => boolean, last: OsdId): boolean {
    for (const osd of this.#osds.slice(0, this.#places[last])) if (attempt(osd)) return true;
    return false;
  }

  /** Tries OSDs from the fullest down to `last`; returns whether one did it. */
  downwards(attempt: (osd: OsdId) => boolean, last: OsdId): boolean {
    return this.fullerThan(last).some(attempt);
  }

  /** From the fullest. */
  fullerThan(osd: OsdId): OsdId[] {
    return Array.from(this.#osds.subarray(this.#places[osd]! + 1)).reverse();
  }

  /** A PG less on one, one more on another. */
  move(from: OsdId, to: OsdId): void {
    this.#counts[from]! -= 1;
    this.#counts[to]! += 1;
    this.#settle(from, -1);
    this.#settle(to, 1);
  }

  /** Lets an OSD pass those that it is now before, one after another. */
  #settle(osd: OsdId, step: 1 | -1): void {
    const osds = this.#osds;
    const deviation = this.deviation(osd);
    let place = this.#places[osd]!;
    for (;;) {
      const other = osds[place + step];
      if (other === undefined || (this.deviation(other) - deviation) * step >= 0) break;
      osds[place] = other;
      this.#places[other] = place;
      place += step;
    }
    osds[place] = osd;
    this.#places[osd] = place;
  }

  spread(): Spread {
    let squares = 0;
    let maxDeviation = 0;
    for (const osd of this.#osds) {
      const deviation = this.deviation(osd);
      squares += deviation * deviation;
      maxDeviation = Math.max(maxDeviation, Math.abs(deviation));
    }
    return { stddev: this.#osds.length === 0 ? 0 : Math.sqrt(squares / this.#osds.length), maxDeviation };
  }
}
