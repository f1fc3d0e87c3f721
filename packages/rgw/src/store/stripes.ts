/**
 * The RADOS objects that an object's bytes are in: stripes with names of their own in each write, and what becomes of them when
 * nobody needs them any more.
 */
import { type Bytes, Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import type { BucketInfo } from '../formats/bucket-info.ts';
import type { Manifest } from '../formats/manifest.ts';
import { type Stripe, stripesOf } from '../formats/manifest-stripes.ts';
import type { BucketObject } from '../formats/object.ts';
import type { PlacementRule } from '../formats/placement-rule.ts';
import type { DataPools } from './data-pools.ts';
import type { Garbage, GarbageObject } from './garbage.ts';
import { type Head, referenceTag } from './head.ts';
import { radosNameOf } from './layout.ts';

/** rgw_max_chunk_size: bytes in a head, and read or written at once. */
export const CHUNK_BYTES = 4 << 20;
/** rgw_obj_stripe_size */
export const STRIPE_BYTES = 4 << 20;
/** Stripes that are read ahead of who takes them: what rgw_get_obj_window_size (16 MiB) holds. */
const READ_AHEAD = 4;

/** A RADOS object of a tail: its name, and which pool it is in. */
export type PlacedStripe = Pick<Stripe, 'object' | 'placement'>;

/** An object that a request is about: a head, and what its bucket is. */
export interface FoundObject {
  readonly object: BucketObject;
  readonly head: Head;
  /** As answers name it. Undefined: it has no name, or is version null and was not asked for by that. */
  readonly versionId: RawString | undefined;
}

/** The RADOS objects that an object consists of: its head, and what its manifest names. */
export function oidsOfObject({ object, head }: FoundObject): readonly RawString[] {
  const stripes = head.manifest ? [...stripesOf(head.manifest)] : [];
  return [radosNameOf(object).oid, ...stripes.map((stripe) => radosNameOf(stripe.object).oid)];
}

export interface StripesOptions {
  readonly world: Pick<World, 'log'>;
  readonly pools: DataPools;
  readonly garbage: Garbage;
}

export class Stripes {
  readonly #world: StripesOptions['world'];
  readonly #pools: DataPools;
  readonly #garbage: Garbage;

  constructor({ world, pools, garbage }: StripesOptions) {
    this.#world = world;
    this.#pools = pools;
    this.#garbage = garbage;
  }

  /** Where the head of an object is. */
  place(object: BucketObject, bucket: BucketInfo): { readonly io: IoCtx; readonly oid: RawString } {
    return this.#placeIn(object, bucket.placement);
  }

  #placeStripe({ object, placement }: PlacedStripe, bucket: BucketInfo) {
    return this.#placeIn(object, placementOf(placement, bucket));
  }

  #placeIn(object: BucketObject, placement: PlacementRule): { readonly io: IoCtx; readonly oid: RawString } {
    const { oid, locator } = radosNameOf(object);
    const io = this.#pools.data(placement);
    return { io: locator === '' ? io : io.with({ locatorKey: locator }), oid };
  }

  /** Bytes that a head may have whose tail is there: none, where the tail is in another pool (AtomicObjectProcessor::prepare). */
  headBytes({ placement }: BucketInfo, tail: PlacementRule): number {
    return this.#pools.dataPoolName(placement) === this.#pools.dataPoolName(tail) ? CHUNK_BYTES : 0;
  }

  async write(bucket: BucketInfo, tail: PlacedStripe, data: Bytes): Promise<void> {
    const { io, oid } = this.#placeStripe(tail, bucket);
    await io.operate(oid, new ObjectOperation().writeFull(data));
  }

  /** False: there is one of this name. */
  async writeNew(bucket: BucketInfo, tail: PlacedStripe, data: Bytes): Promise<boolean> {
    const { io, oid } = this.#placeStripe(tail, bucket);
    const { result } = await io.submit(oid, new ObjectOperation().create(true).writeFull(data));
    if (result < 0 && result !== Errno.EEXIST) throw new RadosError(result, oid);
    return result >= 0;
  }

  /** Of one that nobody has ever seen: it goes at once. */
  async remove(bucket: BucketInfo, tail: PlacedStripe): Promise<void> {
    const { io, oid } = this.#placeStripe(tail, bucket);
    const { result } = await io.submit(oid, new ObjectOperation().remove());
    if (result < 0 && result !== Errno.ENOENT) this.#world.log.warn('an unused stripe stays behind', { oid, result });
  }

  /** Bytes `from` up to `to` (exclusive), as they are asked for and some ahead. */
  async *read(bucket: BucketInfo, { head, object }: FoundObject, from: number, to: number): AsyncGenerator<Bytes> {
    const { manifest, data } = head;
    if (from >= to) return;
    let at = from;
    if (at < data.length && at < (manifest?.headSize ?? data.length)) {
      const end = Math.min(to, data.length, manifest?.headSize ?? data.length);
      yield data.subarray(at, end);
      at = end;
    }
    if (at >= to) return;
    const pieces = manifest
      ? piecesOf(manifest, at, to)
      : [{ object, placement: bucket.placement, offset: at, length: to - at }];
    const ahead: Promise<Bytes>[] = [];
    try {
      for (const piece of pieces) {
        const reading = this.#readPiece(bucket, piece);
        // Whoever stops half-way does not wait for it.
        reading.catch(() => {});
        ahead.push(reading);
        if (ahead.length >= READ_AHEAD) yield await ahead.shift()!;
      }
      while (ahead.length > 0) yield await ahead.shift()!;
    } finally {
      ahead.length = 0;
    }
  }

  async #readPiece(bucket: BucketInfo, { offset, length, ...stripe }: Piece): Promise<Bytes> {
    const { io, oid } = this.#placeStripe(stripe, bucket);
    const data = await io.read(oid, offset, length);
    if (data.length < length) throw new RadosError(Errno.EIO, `${oid}: shorter than the manifest says`);
    return data;
  }

  /** Of a write that nobody will ever see. */
  async discard(bucket: BucketInfo, tails: readonly PlacedStripe[]): Promise<void> {
    for (const tail of tails) await this.remove(bucket, tail);
  }

  /** A manifest's stripes, as the garbage collector knows them; each once. */
  garbageOf(bucket: BucketInfo, manifest: Manifest): GarbageObject[] {
    return [...stripesOf(manifest)].map(({ object, placement }) => {
      const pool = this.#pools.dataPoolName(placementOf(placement, bucket));
      return { pool, ...radosNameOf(object) };
    });
  }

  /** The RADOS objects of a tail, by where they are: the head is none of them. */
  #tailOf(bucket: BucketInfo, manifest: Manifest, object: BucketObject): Map<RawString, GarbageObject> {
    const own = radosNameOf(object).oid;
    const tail = this.garbageOf(bucket, manifest).filter(({ oid }) => oid !== own);
    return new Map(tail.map((each) => [`${each.pool}/${each.oid}`, each]));
  }

  /** Readers of the old head may still be at it: it is removed when they have had their time. */
  async discardTailOf(bucket: BucketInfo, object: BucketObject, head: Head, by?: Manifest): Promise<void> {
    if (!head.manifest) return;
    // The same upload completed once more has the same tail.
    const kept = by ? this.#tailOf(bucket, by, object) : new Map();
    const tail = [...this.#tailOf(bucket, head.manifest, object)]
      .filter(([where]) => !kept.has(where))
      .map(([, at]) => at);
    if (tail.length === 0) return;
    try {
      await this.#garbage.add(referenceTag(head), tail);
    } catch (error) {
      // The object has changed, which is what was asked for.
      if (!(error instanceof RadosError)) throw error;
      this.#world.log.warn('a tail that nobody needs stays behind', { oid: tail[0]!.oid, error: error.message });
    }
  }
}

/** Of an object from before manifests said so, all is where its bucket's objects are. */
function placementOf(placement: PlacementRule, bucket: BucketInfo): PlacementRule {
  return placement.name === '' ? bucket.placement : placement;
}

interface Piece extends PlacedStripe {
  readonly offset: number;
  readonly length: number;
}

/** Stripes, none longer than what is read at once. */
function* piecesOf(manifest: Manifest, from: number, to: number): Generator<Piece> {
  for (const { object, placement, offset, length } of stripesOf(manifest, from, to)) {
    for (let done = 0; done < length; done += CHUNK_BYTES) {
      yield { object, placement, offset: offset + done, length: Math.min(CHUNK_BYTES, length - done) };
    }
  }
}

/** A stripe behind the head, whether or not it has bytes already. */
export function stripeBehindHead(manifest: Manifest, stripe: number): PlacedStripe {
  const start = manifest.maxHeadSize + stripe * STRIPE_BYTES;
  const whole = { ...manifest, headSize: manifest.maxHeadSize, objectSize: start + 1 };
  const [found] = stripesOf(whole, start, start + 1);
  return found!;
}
