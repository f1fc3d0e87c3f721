import type { Bytes, RawString } from '@spirula/encoding';
import type { Manifest } from '../formats/manifest.ts';
import { partManifest, stripesOf } from '../formats/manifest-stripes.ts';
import type { PlacementRule } from '../formats/placement-rule.ts';
import { type PlacedStripe, STRIPE_BYTES, type Stripes } from './stripes.ts';
import type { Upload } from './upload-names.ts';

/**
 * The names of a part's stripes. Those that come from its number are for the first who writes its first stripe: parts with such
 * names make a short manifest. Whoever comes later gets names of his own: also when the first name is free again, since what bore
 * it may be garbage that is still to be removed.
 */
export class PartClaim {
  readonly #upload: Upload;
  readonly #number: number;
  readonly #stripes: Stripes;
  readonly #random: () => RawString;
  /** Whether there is a part of this number. */
  readonly #isTaken: () => Promise<boolean>;
  #first: Promise<void> | undefined;
  #manifest: Manifest;
  readonly #placement: PlacementRule;
  readonly written: PlacedStripe[] = [];

  constructor(
    upload: Upload,
    number: number,
    options: {
      readonly stripes: Stripes;
      /** Where its data go. */
      readonly placement: PlacementRule;
      readonly isTaken: () => Promise<boolean>;
      readonly random: () => RawString;
    },
  ) {
    this.#upload = upload;
    this.#number = number;
    this.#stripes = options.stripes;
    this.#placement = options.placement;
    this.#random = options.random;
    this.#isTaken = options.isTaken;
    this.#manifest = this.#named(`${upload.key}.${upload.id}`);
  }

  /** Its size is not known yet. */
  get manifest(): Manifest {
    return this.#manifest;
  }

  async write(stripe: number, data: Bytes): Promise<void> {
    if (stripe === 0) {
      this.#first = this.#writeFirst(data);
      return await this.#first;
    }
    await this.#first;
    const object = partStripe(this.#manifest, stripe);
    this.written.push(object);
    await this.#stripes.write(this.#upload.bucket, object, data);
  }

  async #writeFirst(data: Bytes): Promise<void> {
    const { bucket, key, id } = this.#upload;
    const first = partStripe(this.#manifest, 0);
    if (!(await this.#isTaken()) && (await this.#stripes.writeNew(bucket, first, data))) {
      this.written.push(first);
      // A name that was taken before there was any part of this number was never thrown away.
      if (!(await this.#isTaken())) return;
      await this.#stripes.remove(bucket, first);
      this.written.pop();
    }
    this.#manifest = this.#named(`${key}.${id}.${this.#random()}`);
    const own = partStripe(this.#manifest, 0);
    this.written.push(own);
    await this.#stripes.write(bucket, own, data);
  }

  #named(prefix: RawString): Manifest {
    const { bucket, key } = this.#upload;
    const object = { bucket: bucket.bucket, key: { name: key, instance: '', ns: '' } };
    const placements = { headPlacement: bucket.placement, tailPlacement: this.#placement };
    return partManifest({ object, objectSize: 0, prefix, stripeSize: STRIPE_BYTES, ...placements }, this.#number);
  }
}

function partStripe(manifest: Manifest, stripe: number): PlacedStripe {
  const start = stripe * STRIPE_BYTES;
  const [found] = stripesOf({ ...manifest, objectSize: start + 1 }, start, start + 1);
  return found!;
}
