import type { RawString } from '@spirula/encoding';
import type { IoCtx } from '@spirula/rados';
import type { BucketInfo } from '../formats/bucket-info.ts';
import type { PlacementRule } from '../formats/placement-rule.ts';
import { dataPoolOf } from '../formats/zone.ts';
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
    return this.#zone.dataExtra(placement);
  }

  data(rule: PlacementRule): IoCtx {
    return this.#zone.data(rule);
  }

  /** '': no placement target has this name. */
  dataPoolName({ name, storageClass }: PlacementRule): RawString {
    const target = this.#zone.params.placements.get(name);
    return target ? dataPoolOf(target, storageClass) : '';
  }

  /** Undefined: no placement has it. */
  dataByName(pool: RawString): IoCtx | undefined {
    for (const [name, target] of this.#zone.params.placements) {
      for (const storageClass of target.storageClasses.keys()) {
        if (dataPoolOf(target, storageClass) === pool) return this.data({ name, storageClass });
      }
    }
    return undefined;
  }
}
