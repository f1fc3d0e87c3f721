/**
 * Operations on images, counted image by image while a manager asks for it (osd/DynamicPerfStats.h). Without a query nothing is
 * counted, and nothing is asked of a request but whether there is one.
 */
import type { PoolId, RawString } from '@spirula/encoding';
import {
  type ImagePerf,
  NO_OSD_PERF,
  type OsdPerfCounters,
  type OsdPerfQuery,
  type OsdPerfReport,
  sumOfOsdPerf,
} from '@spirula/messages';

/** Images of one query between two reports: of others nothing is known until the next one. */
const MAX_IMAGES = 8192;

/** The data of an image, or of its journal; the number is of the image's pool, where that is another than the data's. */
const DATA_OBJECT = /^(?:rbd|journal)_data\.(?:(\d+)\.)?([^.]+)\./;

const COUNTERS = Object.keys(NO_OSD_PERF) as readonly (keyof OsdPerfCounters)[];

interface Counted {
  readonly query: OsdPerfQuery;
  readonly images: Map<string, ImagePerf>;
}

export class DynamicPerfStats {
  #queries: readonly Counted[] = [];

  /** Whether anybody wants to know. */
  get isEnabled(): boolean {
    return this.#queries.length > 0;
  }

  /** Those that are asked already go on. */
  setQueries(queries: readonly OsdPerfQuery[]): void {
    const before = new Map(this.#queries.map((counted) => [counted.query.id, counted]));
    this.#queries = queries.map((query) => before.get(query.id) ?? { query, images: new Map() });
  }

  /** A request on an object was carried out. */
  add(pool: PoolId, namespace: RawString, oid: RawString, counters: OsdPerfCounters): void {
    const match = DATA_OBJECT.exec(oid);
    if (!match) return;
    const image = { pool: match[1] === undefined ? pool : Number(match[1]), namespace, id: match[2]! };
    for (const { query, images } of this.#queries) {
      if (query.pool !== undefined && query.pool !== pool) continue;
      if (query.namespace !== undefined && query.namespace !== namespace) continue;
      // No id has a point, nor has a number a slash.
      const key = `${image.pool}/${image.id}.${namespace}`;
      const before = images.get(key);
      if (before === undefined && images.size >= MAX_IMAGES) continue;
      images.set(key, { ...image, counters: before ? sumOfOsdPerf(before.counters, counters) : counters });
    }
  }

  /** What was counted since it was asked last; of queries that there is nothing of, nothing. */
  takeReports(): readonly OsdPerfReport[] {
    const reports: OsdPerfReport[] = [];
    for (const { query, images } of this.#queries) {
      if (images.size === 0) continue;
      reports.push({ query: query.id, images: mostOfEach([...images.values()], query.maxImages) });
      images.clear();
    }
    return reports;
  }
}

/** Those that have most of one counter, for each counter. */
function mostOfEach(images: readonly ImagePerf[], max: number): readonly ImagePerf[] {
  if (images.length <= max) return images;
  const most = COUNTERS.flatMap((counter) =>
    images.toSorted((a, b) => b.counters[counter] - a.counters[counter]).slice(0, max),
  );
  return [...new Set(most)];
}
