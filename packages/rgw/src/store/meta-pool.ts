/** A pool of metadata: objects with versions (`meta-object.ts`), read through what the gateway remembers (`meta-cache.ts`). */
import type { RawString } from '@spirula/encoding';
import { type IoCtx, RadosError } from '@spirula/rados';
import type { ZonePool } from '../formats/zone.ts';
import type { Entropy } from './entropy.ts';
import {
  createMeta,
  type MetaChange,
  type MetaObject,
  type ObjectVersion,
  readMeta,
  removeMeta,
  updateMeta,
} from './meta-object.ts';
import type { Zone } from './zone.ts';

const ABSENT = Symbol('no such object');

export class MetaPool {
  readonly io: IoCtx;
  readonly #zone: Zone;
  readonly #name: Exclude<ZonePool, 'otp'>;
  readonly #entropy: Entropy;

  constructor(zone: Zone, name: Exclude<ZonePool, 'otp'>, entropy: Entropy) {
    this.io = zone.system(name);
    this.#zone = zone;
    this.#name = name;
    this.#entropy = entropy;
  }

  /** Undefined: there is no such object. @throws RadosError */
  async read(oid: RawString): Promise<MetaObject | undefined> {
    return await this.#zone.cache.read(this.#object(oid), () => readMeta(this.io, oid));
  }

  /** As `read`, of what mostly is not there: that is remembered, too. Of an object that is always asked for so. @throws RadosError */
  async readOrAbsent(oid: RawString): Promise<MetaObject | undefined> {
    const load = async () => (await readMeta(this.io, oid)) ?? ABSENT;
    const found = await this.#zone.cache.read<MetaObject | typeof ABSENT>(this.#object(oid), load);
    return found === ABSENT ? undefined : found;
  }

  /** As it is stored now, whatever is remembered of it. Undefined: there is no such object. @throws RadosError */
  async readNow(oid: RawString): Promise<MetaObject | undefined> {
    this.#zone.cache.forget(this.#object(oid));
    return await readMeta(this.io, oid);
  }

  /** @throws RadosError EEXIST */
  async create(oid: RawString, change: MetaChange): Promise<ObjectVersion> {
    return await this.#changing(oid, createMeta(this.io, oid, change, this.#entropy));
  }

  /** @throws RadosError ECANCELED when the object has another version now; ENOENT */
  async update(oid: RawString, from: ObjectVersion, change: MetaChange): Promise<ObjectVersion> {
    return await this.#changing(oid, updateMeta(this.io, oid, from, change, this.#entropy));
  }

  /** @throws RadosError ECANCELED when the object has another version now; ENOENT */
  async remove(oid: RawString, from: ObjectVersion): Promise<void> {
    await this.#changing(oid, removeMeta(this.io, oid, from));
  }

  /** Whatever its version. @throws RadosError ENOENT */
  async removeAny(oid: RawString): Promise<void> {
    await this.#changing(oid, this.io.remove(oid));
  }

  async #changing<T>(oid: RawString, change: Promise<T>): Promise<T> {
    const object = this.#object(oid);
    try {
      const result = await change;
      await this.#zone.cache.announce(object);
      return result;
    } catch (error) {
      // What it was made from is not what there is: whoever tries again reads again.
      if (error instanceof RadosError) this.#zone.cache.forget(object);
      throw error;
    }
  }

  #object(oid: RawString) {
    return { pool: this.#zone.params.pools[this.#name], oid };
  }
}
