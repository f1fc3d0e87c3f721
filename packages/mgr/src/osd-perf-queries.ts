/** What parts of the manager have OSDs count, and what came of it (mgr/MetricCollector.cc, OSDPerfMetricCollector.cc). */
import { type ImagePerf, type OsdPerfQuery, type OsdPerfReport, sumOfOsdPerf } from '@spirula/messages';

/** Images of one query between two looks at it: of others nothing is known until the next. */
const MAX_IMAGES = 65_536;

export interface PerfQueries {
  /** OSDs count from now on. Returns the query's number. */
  add(query: Omit<OsdPerfQuery, 'id'>): number;
  remove(id: number): void;
  /** What all OSDs together have reported since it was asked last. */
  take(id: number): readonly ImagePerf[];
}

interface Collected {
  readonly query: OsdPerfQuery;
  readonly images: Map<string, ImagePerf>;
}

export class OsdPerfQueries implements PerfQueries {
  readonly #onChanged: () => void;
  readonly #queries = new Map<number, Collected>();
  #lastId = 0;

  /** @param onChanged OSDs are to be told */
  constructor(onChanged: () => void) {
    this.#onChanged = onChanged;
  }

  get all(): readonly OsdPerfQuery[] {
    return [...this.#queries.values()].map(({ query }) => query);
  }

  add(query: Omit<OsdPerfQuery, 'id'>): number {
    this.#lastId += 1;
    this.#queries.set(this.#lastId, { query: { ...query, id: this.#lastId }, images: new Map() });
    this.#onChanged();
    return this.#lastId;
  }

  remove(id: number): void {
    if (this.#queries.delete(id)) this.#onChanged();
  }

  /** Nobody wants to know any more. */
  clear(): void {
    this.#queries.clear();
  }

  take(id: number): readonly ImagePerf[] {
    const collected = this.#queries.get(id);
    if (!collected) return [];
    const images = [...collected.images.values()];
    collected.images.clear();
    return images;
  }

  /** An OSD has counted. What it says of queries that are no more is of no use. */
  onReports(reports: readonly OsdPerfReport[]): void {
    for (const { query, images } of reports) {
      const collected = this.#queries.get(query);
      if (collected) for (const image of images) addTo(collected.images, image);
    }
  }
}

function addTo(images: Map<string, ImagePerf>, image: ImagePerf): void {
  const { pool, namespace, id, counters } = image;
  const key = `${pool}/${id}.${namespace}`;
  const before = images.get(key);
  if (before) images.set(key, { ...image, counters: sumOfOsdPerf(before.counters, counters) });
  else if (images.size < MAX_IMAGES) images.set(key, image);
}
