import type { PoolId } from '@spirula/encoding';
import type { IoRates } from '@spirula/formatter';
import type { ObjectStatSum } from '@spirula/messages';
import { type Instant, SECOND } from '@spirula/world';

const NO_IO: IoRates = {
  readBytes: 0,
  writeBytes: 0,
  reads: 0,
  writes: 0,
  recoveredBytes: 0,
  recoveredObjects: 0,
};

/** How far back rates look: mon_stat_smooth_intervals updates of two seconds. */
const WINDOW: Instant = 12 * SECOND;

interface Sample {
  readonly at: Instant;
  readonly total: ObjectStatSum;
  readonly pools: ReadonlyMap<PoolId, ObjectStatSum>;
}

/** Client and recovery traffic, from the growth of the counters over the last seconds (PGMap::apply_incremental's deltas). */
export class IoHistory {
  #samples: Sample[] = [];

  record(at: Instant, total: ObjectStatSum, pools: ReadonlyMap<PoolId, ObjectStatSum>): void {
    this.#samples.push({ at, total, pools });
    const oldest = at - WINDOW;
    while (this.#samples.length > 2 && this.#samples[1]!.at < oldest) this.#samples.shift();
  }

  clear(): void {
    this.#samples = [];
  }

  /** Of the whole cluster, or of one pool. */
  rates(pool?: PoolId): IoRates {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at <= first.at) return NO_IO;
    const before = pool === undefined ? first.total : first.pools.get(pool);
    const after = pool === undefined ? last.total : last.pools.get(pool);
    if (!before || !after) return NO_IO;
    const seconds = (last.at - first.at) / SECOND;
    const rate = (key: keyof ObjectStatSum) => Math.max(0, after[key] - before[key]) / seconds;
    return {
      readBytes: rate('readBytes'),
      writeBytes: rate('writeBytes'),
      reads: rate('reads'),
      writes: rate('writes'),
      recoveredBytes: rate('bytesRecovered'),
      recoveredObjects: rate('objectsRecovered'),
    };
  }
}
