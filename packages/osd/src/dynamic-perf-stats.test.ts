import { NO_OSD_PERF, type OsdPerfQuery } from '@spirula/messages';
import { expect, test } from 'vitest';
import { DynamicPerfStats } from './dynamic-perf-stats.ts';

const ALL: OsdPerfQuery = { id: 1, pool: undefined, namespace: undefined, maxImages: 10 };
const read = { ...NO_OSD_PERF, readOps: 1, readBytes: 10, readLatency: 5 };
const write = { ...NO_OSD_PERF, writeOps: 1, writeBytes: 100, writeLatency: 7 };

function asked(...queries: readonly OsdPerfQuery[]): DynamicPerfStats {
  const stats = new DynamicPerfStats();
  stats.setQueries(queries);
  return stats;
}

test('what is done to the data of an image, or to its journal, is summed up until it is reported', () => {
  const stats = asked(ALL);
  stats.add(2, 'ns', 'rbd_data.abc.0000000000000000', read);
  stats.add(2, 'ns', 'rbd_data.abc.0000000000000007', write);
  stats.add(2, 'ns', 'journal_data.2.abc.0', write);
  for (const other of ['rbd_header.abc', 'rbd_data.abc', 'x_rbd_data.abc.0', 'rbd_object_map.abc'])
    stats.add(2, 'ns', other, write);

  const counters = { writeOps: 2, readOps: 1, writeBytes: 200, readBytes: 10, writeLatency: 14, readLatency: 5 };
  expect(stats.takeReports()).toEqual([{ query: 1, images: [{ pool: 2, namespace: 'ns', id: 'abc', counters }] }]);
  expect(stats.takeReports()).toEqual([]);
});

test('an image is of the pool that its objects name; a query is for the pool that they are in', () => {
  const stats = asked(ALL, { ...ALL, id: 2, pool: 5 }, { ...ALL, id: 3, pool: 3 }, { ...ALL, id: 4, namespace: '' });
  stats.add(5, 'ns', 'rbd_data.3.abc.0', read);

  const image = { pool: 3, namespace: 'ns', id: 'abc', counters: read };
  expect(stats.takeReports()).toEqual([
    { query: 1, images: [image] },
    { query: 2, images: [image] },
  ]);
});

test('images are told apart by their pools, namespaces and ids', () => {
  const stats = asked(ALL);
  for (const [pool, namespace, id] of [
    [1, '', 'a'],
    [1, 'n', 'a'],
    [1, '', 'b'],
    [2, '', 'a'],
    [1, 'a', 'b'],
    [1, '', 'b'],
  ] as const) {
    stats.add(pool, namespace, `rbd_data.${id}.0`, read);
  }

  expect(stats.takeReports()[0]!.images.map(({ counters }) => counters.readOps)).toEqual([1, 1, 2, 1, 1]);
});

test('of many images those are reported that have most of something', () => {
  const stats = asked({ ...ALL, maxImages: 2 });
  for (let i = 0; i < 20; i++) {
    stats.add(1, '', `rbd_data.w${i}.0`, { ...write, writeLatency: 100 - i, writeBytes: i });
    stats.add(1, '', `rbd_data.r${i}.0`, { ...read, readBytes: i });
  }

  const ids = stats.takeReports()[0]!.images.map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining(['w19', 'w18', 'w0', 'w1', 'r19', 'r18']));
  expect(ids.length).toBeLessThan(12);
});

test('there is an end to what is remembered between two reports', () => {
  const stats = asked({ ...ALL, maxImages: 100_000 });
  for (let i = 0; i < 10_000; i++) stats.add(1, '', `rbd_data.i${i}.0`, write);
  stats.add(1, '', 'rbd_data.i0.0', write);

  const [report] = stats.takeReports();
  expect(report!.images).toHaveLength(8192);
  expect(report!.images[0]!.counters.writeOps).toBe(2);
});

test('queries that are asked again go on, others are forgotten', () => {
  const stats = asked(ALL, { ...ALL, id: 2 });
  stats.add(1, '', 'rbd_data.a.0', write);
  stats.setQueries([
    { ...ALL, id: 2 },
    { ...ALL, id: 3 },
  ]);
  stats.add(1, '', 'rbd_data.a.0', write);

  const counts = stats.takeReports().map(({ query, images }) => [query, images[0]!.counters.writeOps]);
  expect(counts).toEqual([
    [2, 2],
    [3, 1],
  ]);
  stats.setQueries([]);
  expect(stats.isEnabled).toBe(false);
});
