/**
 * The RADOS objects that an object's bytes are in: stripes with names of their own in each write, and what becomes of them when
 * nobody needs them any more.
 */
import { type Bytes, Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import type { BucketInfo } from '../formats/bucket-info.ts';
import type { Manifest } from '../formats/manifest.ts';
import { stripesOf } from '../formats/manifest-stripes.ts';
import type { BucketObject } from '../formats/object.ts';
import type { DataPools } from './data-pools.ts';
import type { Garbage } from './garbage.ts';
import { garbageTag, type Head } from './head.ts';
import { radosNameOf } from './layout.ts';

/** rgw_max_chunk_size: bytes in a head, and read or written at once. */
export const CHUNK_BYTES = 4 << 20;
/** rgw_obj_stripe_size */
export const STRIPE_BYTES = 4 << 20;
/** Stripes that are read ahead of who takes them: what rgw_get_obj_window_size (16 MiB) holds. */
const READ_AHEAD = 4;

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

  /** Where an object of a bucket is: a head or a stripe. */
  place(object: BucketObject, bucket: BucketInfo): { readonly io: IoCtx; readonly oid: RawString } {
    const { oid, locator } = radosNameOf(object);
    const io = this.#pools.data(bucket.placement);
    return { io: locator === '' ? io : io.with({ locatorKey: locator }), oid };
  }

  async write(bucket: BucketInfo, tail: BucketObject, data: Bytes): Promise<void> {
    const { io, oid } = this.place(tail, bucket);
    await io.operate(oid, new ObjectOperation().writeFull(data));
  }

  /** False: there is one of this name. */
  async writeNew(bucket: BucketInfo, tail: BucketObject, data: Bytes): Promise<boolean> {
    const { io, oid } = this.place(tail, bucket);
    const { result } = await io.submit(oid, new ObjectOperation().create(true).writeFull(data));
    if (result < 0 && result !== Errno.EEXIST) throw new RadosError(result, oid);
    return result >= 0;
  }

  /** Of one that nobody has ever seen: it goes at once. */
  async remove(bucket: BucketInfo, tail: BucketObject): Promise<void> {
    const { io, oid } = this.place(tail, bucket);
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
    const pieces = manifest ? piecesOf(manifest, at, to) : [{ object, offset: at, length: to - at }];
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

  async #readPiece(bucket: BucketInfo, { object, offset, length }: Piece): Promise<Bytes> {
    const { io, oid } = this.place(object, bucket);
    const data = await io.read(oid, offset, length);
    if (data.length < length) throw new RadosError(Errno.EIO, `${oid}: shorter than the manifest says`);
    return data;
  }

  /** Of a write that nobody will ever see. */
  async discard(bucket: BucketInfo, tails: readonly BucketObject[]): Promise<void> {
    for (const tail of tails) await this.remove(bucket, tail);
  }

  /** Readers of the old head may still be at it: it is removed when they have had their time. */
  async discardTailOf(bucket: BucketInfo, object: BucketObject, head: Head, by?: Manifest): Promise<void> {
    if (!head.manifest) return;
    const names = tailNames(head.manifest, object);
    // The same upload completed once more has the same tail.
    if (by) for (const oid of tailNames(by, object).keys()) names.delete(oid);
    if (names.size === 0) return;
    const pool = this.#pools.dataPoolName(bucket.placement);
    const tail = [...names].map(([oid, locator]) => ({ pool, oid, locator }));
    try {
      await this.#garbage.add(garbageTag(head), tail);
    } catch (error) {
      // The object has changed, which is what was asked for.
      if (!(error instanceof RadosError)) throw error;
      this.#world.log.warn('a tail that nobody needs stays behind', { oid: tail[0]!.oid, error: error.message });
    }
  }
}

/** The RADOS objects of a tail, and their locators. */
function tailNames(manifest: Manifest, object: BucketObject): Map<RawString, RawString> {
  const own = radosNameOf(object).oid;
  const names = new Map<RawString, RawString>();
  for (const stripe of stripesOf(manifest)) {
    const { oid, locator } = radosNameOf(stripe.object);
    if (oid !== own) names.set(oid, locator);
  }
  return names;
}

interface Piece {
  readonly object: BucketObject;
  readonly offset: number;
  readonly length: number;
}

/** Stripes, none longer than what is read at once. */
function* piecesOf(manifest: Manifest, from: number, to: number): Generator<Piece> {
  for (const { object, offset, length } of stripesOf(manifest, from, to)) {
    for (let done = 0; done < length; done += CHUNK_BYTES) {
      yield { object, offset: offset + done, length: Math.min(CHUNK_BYTES, length - done) };
    }
  }
}

/** The object of a stripe behind the head. */
export function stripeObject(manifest: Manifest, stripe: number): BucketObject {
  const start = manifest.maxHeadSize + stripe * STRIPE_BYTES;
  const whole = { ...manifest, headSize: manifest.maxHeadSize, objectSize: start + 1 };
  const [found] = stripesOf(whole, start, start + 1);
  return found!.object;
}
