import { Errno, type PoolId, rawFromText } from '@spirula/encoding';
import { type IoCtx, type Rados, RadosError } from '@spirula/rados';
import { noPool } from './refusal.ts';

const APPLICATION = 'rbd';

export interface ImagePool {
  readonly id: PoolId;
  readonly name: string;
}

/** The pools of the cluster that are for images. */
export class ImagePools {
  readonly rados: Rados;

  constructor(rados: Rados) {
    this.rados = rados;
  }

  /** By their numbers, as our map has them (get_rbd_pools). */
  list(): readonly ImagePool[] {
    const { pools = new Map(), poolNames = new Map() } = this.rados.osdMap ?? {};
    return [...pools]
      .filter(([, { applicationMetadata }]) => applicationMetadata.has(APPLICATION))
      .map(([id]) => ({ id, name: poolNames.get(id) ?? '' }))
      .sort((a, b) => a.id - b.id);
  }

  /** Of whatever pool. */
  idOf(name: string): PoolId | undefined {
    return [...(this.rados.osdMap?.poolNames ?? [])].find(([, each]) => each === name)?.[0];
  }

  /** @throws Refusal: there is no such pool */
  async open(pool: string, namespace = ''): Promise<IoCtx> {
    try {
      return (await this.rados.ioctx(pool)).with({ nspace: rawFromText(namespace) });
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.ENOENT) throw noPool(pool);
      throw error;
    }
  }

  /** @throws RadosError ENOENT */
  async openId(id: PoolId, namespace = ''): Promise<IoCtx> {
    return (await this.rados.ioctx(id)).with({ nspace: rawFromText(namespace) });
  }
}
