/** What images are called that OSDs know by their ids (PerfHandler.refresh_image_names). */
import { type PoolId, type RawString, textFromRaw } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { listImages } from '@spirula/rbd';
import { type Instant, SECOND } from '@spirula/world';
import type { ImagePools } from './image-pools.ts';

export interface ImageName {
  readonly pool: PoolId;
  readonly namespace: RawString;
  readonly id: RawString;
}

/** POOL_REFRESH_INTERVAL: an image may get another name. */
const KEPT_US: Instant = 300 * SECOND;

export class ImageNames {
  readonly #pools: ImagePools;
  readonly #now: () => Instant;
  /** By pool and namespace, then by id. */
  #names = new Map<string, ReadonlyMap<RawString, string>>();
  #readAt: Instant = 0;

  constructor(pools: ImagePools, now: () => Instant) {
    this.#pools = pools;
    this.#now = now;
  }

  find({ pool, namespace, id }: ImageName): string | undefined {
    return this.#names.get(placeOf(pool, namespace))?.get(id);
  }

  /** Names of these, too, are known as far as there are such images. */
  async learn(images: readonly ImageName[]): Promise<void> {
    if (this.#readAt + KEPT_US < this.#now()) this.#names.clear();
    const unknown = new Map(
      images
        .filter((image) => this.find(image) === undefined)
        .map((image) => [placeOf(image.pool, image.namespace), image]),
    );
    if (unknown.size > 0) this.#readAt = this.#now();
    for (const [place, { pool, namespace }] of unknown) {
      const names = await this.#read(pool, namespace);
      if (names) this.#names.set(place, names);
    }
  }

  /** Undefined: they cannot be read; perhaps there is no such pool any more. */
  async #read(pool: PoolId, namespace: RawString): Promise<ReadonlyMap<RawString, string> | undefined> {
    try {
      const images = await listImages((await this.#pools.openId(pool)).with({ nspace: namespace }));
      return new Map(images.map(({ id, name }) => [id, textFromRaw(name)]));
    } catch (error) {
      if (error instanceof RadosError) return undefined;
      throw error;
    }
  }
}

function placeOf(pool: PoolId, namespace: RawString): string {
  return `${pool}/${namespace}`;
}
