/**
 * A gateway that reshards buckets again and again, and dies now and then while it does. Beside it a bucket whose objects stay as
 * they are: any listing has all of them, and of what the bucket itself is set to nothing is lost.
 */
import { fromUtf8 } from '@spirula/encoding';
import type { SeededRandom, Simulation } from '@spirula/sim-world';
import { type Instant, SECOND } from '@spirula/world';
import type { GatewayPlace } from './gateway-place.ts';
import { elements } from './s3-request.ts';

export const STILL = 'still';
/** More than a page of a shard, when that is the only one. */
export const STILL_KEYS: readonly string[] = Array.from({ length: 70 }, (_, i) => `k${String(i).padStart(3, '0')}`);

const ATTR = 'user.rgw.count';
const SHARD_COUNTS = [0, 1, 2, 3, 5, 11];

export interface ReshardersOptions {
  readonly simulation: Simulation;
  /** The one that reshards. */
  readonly place: GatewayPlace;
  /** Those that are asked. */
  readonly places: readonly GatewayPlace[];
  /** What is resharded beside `STILL`. */
  readonly buckets: readonly string[];
  readonly crashSoon?: (place: GatewayPlace, after: Instant) => void;
}

export class Resharders {
  readonly stats = { resharded: 0, refused: 0, died: 0, listed: 0, changed: 0 };
  readonly #options: ReshardersOptions;
  readonly #random: SeededRandom;
  #working = 0;
  #paused = true;
  /** The value of an attribute that was acknowledged last, and those that were tried since. */
  #acknowledged = 0;
  #tried = 0;

  constructor(options: ReshardersOptions) {
    this.#options = options;
    this.#random = options.simulation.random('resharders');
  }

  get working(): number {
    return this.#working;
  }

  begin(): void {
    this.#paused = false;
    this.#again(2 * SECOND, () => this.#reshard());
    this.#again(SECOND, () => this.#list());
    this.#again(SECOND, () => this.#change());
  }

  pause(): void {
    this.#paused = true;
  }

  /** At rest: what was acknowledged is there. */
  async check(): Promise<void> {
    const place = this.#random.pick(this.#options.places);
    await this.#list(place);
    const bucket = await place.gateway!.store.buckets.load('', STILL);
    const value = bucket?.attrs.get(ATTR)?.[0] ?? 0;
    if (value < this.#acknowledged || value > this.#tried) {
      this.#violate(`an attribute is ${value}, of ${this.#acknowledged} to ${this.#tried}`);
    }
  }

  #again(pause: Instant, work: () => Promise<void>): void {
    this.#options.simulation.after(this.#random.between(1, pause), () => {
      if (this.#paused) return;
      this.#working += 1;
      const done = () => {
        this.#working -= 1;
        this.#again(pause, work);
      };
      work().then(done, (error: Error) => {
        this.#violate(error.stack ?? error.message);
        done();
      });
    });
  }

  async #reshard(): Promise<void> {
    const { place, buckets, crashSoon } = this.#options;
    if (!place.gateway) return;
    if (this.#random.oneIn(3)) crashSoon?.(place, this.#random.between(1, SECOND / 4));
    const bucket = this.#random.pick([STILL, ...buckets]);
    const running = place.gateway.store.reshards
      .run('', bucket, this.#random.pick(SHARD_COUNTS))
      .then(
        () => 'resharded' as const,
        orElse('refused' as const, ['RadosError', 'ReshardingElsewhere', 'BucketGone']),
      );
    this.stats[(await place.unlessCrashed(running)) ?? 'died'] += 1;
  }

  async #list(given?: GatewayPlace): Promise<void> {
    const place = given ?? this.#ready();
    const answer = await place?.ask({ method: 'GET', target: `/${STILL}?max-keys=1000` });
    if (!answer || answer.status === 503) return;
    const keys = elements(fromUtf8(answer.body), 'Key').join();
    if (answer.status !== 200 || keys !== STILL_KEYS.join()) this.#violate(`a listing, ${answer.status}: ${keys}`);
    this.stats.listed += 1;
  }

  /** One at a time, and each greater than those before: one of which nobody knows may come late, but not after the next. */
  async #change(): Promise<void> {
    const place = this.#ready();
    if (!place || this.#tried === 0xff) return;
    const { store } = place.gateway!;
    const value = Uint8Array.of(this.#tried + 1);
    const change = async () => {
      const bucket = await store.buckets.load('', STILL);
      if (!bucket) throw new Error('the bucket is gone');
      await store.setBucketAttr(bucket, ATTR, value);
      return true;
    };
    this.#tried += 1;
    if (!(await place.unlessCrashed(change().catch(orElse(false, ['RadosError', 'BucketBusy']))))) return;
    this.#acknowledged = this.#tried;
    this.stats.changed += 1;
  }

  #ready(): GatewayPlace | undefined {
    const ready = this.#options.places.filter(({ gateway }) => gateway !== undefined);
    return ready.length === 0 ? undefined : this.#random.pick(ready);
  }

  #violate(problem: string): void {
    this.#options.simulation.addViolation(`bucket ${STILL}: ${problem}`);
  }
}

/** What comes of a failure of one of these kinds. */
function orElse<T>(value: T, kinds: readonly string[]): (error: Error) => T {
  return (error) => {
    if (kinds.includes(error.name)) return value;
    throw error;
  };
}
