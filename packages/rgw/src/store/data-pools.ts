import type { RawString } from '@spirula/encoding';
import type { IoCtx } from '@spirula/rados';
import type { BucketInfo } from '../formats/bucket-info.ts';
import type { PlacementRule } from '../formats/placement-rule.ts';
import type { Zone } from './zone.ts';

/** Where the index and the data of a bucket are. @throws RadosError EIO from each method: the zone has no such placement */
export class DataPools {
  readonly #zone: Zone;

  constructor(zone: Zone) {
    this.#zone = zone;
  }

  index({ placement }: BucketInfo): IoCtx {
    return this.#zone.placement(placement).index;
  }

  /** Of what an erasure-coded pool cannot hold. */
  extra({ placement }: BucketInfo): IoCtx {
    return this.#zone.placement(placement).dataExtra;
  }

  data(rule: PlacementRule): IoCtx {
    return this.#zone.data(rule);
  }

  dataPoolName({ name, storageClass }: PlacementRule): RawString {
    const target = this.#zone.params.placements.get(name);
    const own = target?.storageClasses.get(storageClass)?.dataPool ?? '';
    return own === '' ? (target?.dataPool ?? '') : own;
  }

  /** Undefined: no placement has it. */
  dataByName(pool: RawString): IoCtx | undefined {
    for (const [name, { dataPool, storageClasses }] of this.#zone.params.placements) {
      if (dataPool === pool) return this.data({ name, storageClass: '' });
      for (const [storageClass, { dataPool: own }] of storageClasses) {
        if (own === pool) return this.data({ name, storageClass });
      }
    }
    return undefined;
  }
}
