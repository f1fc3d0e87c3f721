/**
 * Operations on images, counted image by image for those who ask (rbd_support/perf.py, PerfHandler).
 *
 *   asked for pools --> a query of the OSDs --> every mgr_stats_period a look at what they report --> rates, sums
 *                       nobody asked for a minute: it ends
 */
import { type PoolId, type RawString, rawFromText, textFromRaw } from '@spirula/encoding';
import { NO_OSD_PERF, type OsdPerfCounters } from '@spirula/messages';
import type { PerfQueries } from '@spirula/mgr';
import { type Instant, SECOND, type World } from '@spirula/world';
import { ImageNames } from './image-names.ts';
import type { ImagePools } from './image-pools.ts';
import { PerfRecord } from './perf-record.ts';
import { notReady } from './refusal.ts';

/** QUERY_EXPIRE_INTERVAL */
const EXPIRE_US: Instant = 60 * SECOND;
/** OSD_PERF_QUERY_MAX_RESULTS: images that an OSD reports, for each counter. */
const MAX_REPORTED = 256;
/** REPORT_MAX_RESULTS */
const MAX_TOLD = 64;
/** Beyond it the one ends that was asked for longest ago. */
const MAX_QUERIES = 64;

/** What is asked for: undefined: all pools for images; in a pool one namespace. */
export type PerfScope = { readonly pool: PoolId; readonly poolName: string; readonly namespace: string } | undefined;

/** An image and what is told of it. */
export interface ToldImage {
  /** `POOL` or `POOL/NAMESPACE`. */
  readonly place: string;
  readonly name: string;
  readonly perf: OsdPerfCounters;
}

interface CountedImage {
  readonly pool: PoolId;
  readonly namespace: RawString;
  readonly id: RawString;
  readonly record: PerfRecord;
}

interface RunningQuery {
  readonly id: number;
  readonly namespace: RawString | undefined;
  /** Of which it is told, by their names. */
  pools: ReadonlyMap<PoolId, string>;
  askedAt: Instant;
  readonly images: Map<string, CountedImage>;
}

export class ImagePerf {
  readonly #pools: ImagePools;
  readonly #clock: World['clock'];
  readonly #names: ImageNames;
  #osds: PerfQueries | undefined;
  readonly #running = new Map<string, RunningQuery>();
  #lookedAt = 0;
  #looking: Promise<void> | undefined;

  constructor(pools: ImagePools, clock: World['clock']) {
    this.#pools = pools;
    this.#clock = clock;
    this.#names = new ImageNames(pools, () => clock.now());
  }

  /** Whether anybody asks. */
  get isAsked(): boolean {
    return this.#running.size > 0;
  }

  start(osds: PerfQueries): void {
    this.#osds = osds;
  }

  stop(): void {
    this.#running.clear();
    this.#osds = undefined;
  }

  /** What is known of images, those first that do most of `sortBy` now. @param what rates, or sums since it was first asked @throws Refusal */
  async ask(
    scope: PerfScope,
    sortBy: keyof OsdPerfCounters,
    what: 'stats' | 'counters',
  ): Promise<readonly ToldImage[]> {
    const running = this.#running.get(keyOf(scope));
    if (running) {
      running.askedAt = this.#clock.now();
      if (scope === undefined) running.pools = new Map(this.#pools.list().map(({ id, name }) => [id, name]));
    }
    return this.#tell(running ?? (await this.#begin(scope)), sortBy, what);
  }

  async #begin(scope: PerfScope): Promise<RunningQuery> {
    if (!this.#osds) throw notReady();
    this.#makeRoom();
    const namespace = scope && rawFromText(scope.namespace);
    const id = this.#osds.add({ pool: scope?.pool, namespace, maxImages: MAX_REPORTED });
    // Of all pools nothing is told before they are asked for again, as by 16.2.
    const pools = new Map(scope && [[scope.pool, scope.poolName]]);
    const query = { id, namespace, pools, askedAt: this.#clock.now(), images: new Map() };
    this.#running.set(keyOf(scope), query);
    await this.look();
    return query;
  }

  #makeRoom(): void {
    if (this.#running.size < MAX_QUERIES) return;
    const [[oldest]] = [...this.#running].sort(([, a], [, b]) => a.askedAt - b.askedAt) as [[string, RunningQuery]];
    this.#end(oldest);
  }

  #end(key: string): void {
    this.#osds?.remove(this.#running.get(key)!.id);
    this.#running.delete(key);
  }

  /** To be called every mgr_stats_period: takes in what OSDs have reported. */
  async look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  async #look(): Promise<void> {
    for (const [key, { askedAt }] of this.#running) if (askedAt + EXPIRE_US < this.#clock.now()) this.#end(key);
    const now = this.#clock.wall().sec;
    // Rates are of whole seconds.
    if (now === this.#lookedAt) return;
    this.#lookedAt = now;
    const queries = [...this.#running.values()];
    for (const query of queries) this.#collect(query, now);
    await this.#names.learn(queries.flatMap(({ images }) => [...images.values()]));
    for (const { images } of queries) {
      for (const [key, image] of images) if (this.#names.find(image) === undefined) images.delete(key);
    }
  }

  #collect({ id, pools, namespace, images }: RunningQuery, now: number): void {
    const reported = new Map(
      (this.#osds?.take(id) ?? []).map((image) => [`${image.pool}/${image.id}.${image.namespace}`, image]),
    );
    for (const [key, image] of reported) {
      if (!pools.has(image.pool) || (namespace !== undefined && namespace !== image.namespace)) continue;
      if (!images.has(key)) images.set(key, { ...image, record: new PerfRecord() });
    }
    for (const [key, { record }] of images) record.look(now, reported.get(key)?.counters);
  }

  #tell(
    { pools, images }: RunningQuery,
    sortBy: keyof OsdPerfCounters,
    what: 'stats' | 'counters',
  ): readonly ToldImage[] {
    const rateOf = ({ record }: CountedImage) => record.rates?.[sortBy] ?? 0;
    const busiest = [...images.values()].toSorted((a, b) => rateOf(b) - rateOf(a)).slice(0, MAX_TOLD);
    return busiest.flatMap((image) => {
      const { pool, namespace, record } = image;
      const name = this.#names.find(image);
      const poolName = pools.get(pool);
      if (name === undefined || poolName === undefined) return [];
      const perf = what === 'stats' ? (record.rates ?? NO_OSD_PERF) : record.total;
      const place = namespace === '' ? poolName : `${poolName}/${textFromRaw(namespace)}`;
      return [{ place, name, perf }];
    });
  }
}

function keyOf(scope: PerfScope): string {
  return scope ? `${scope.pool}/${scope.namespace}` : '';
}
