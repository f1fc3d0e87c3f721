/** What the manager tells of operations on images, as time passes and OSDs report. */
import { type ImagePerf, NO_OSD_PERF } from '@spirula/messages';
import { createImage, createNamespace, renameImage } from '@spirula/rbd';
import { expect, test } from 'vitest';
import { POOL, Trial } from './rbd-support-trial.ts';

/** mgr_stats_period, and a moment for the names. */
const PERIOD_SECONDS = 5;

interface Told {
  readonly pool_descriptors: Readonly<Record<string, string>>;
  readonly [list: string]: unknown;
}

async function told(trial: Trial, what: 'stats' | 'counters', args: Readonly<Record<string, string>> = {}) {
  const report = JSON.parse(await trial.ask(`perf image ${what}`, args)) as Told;
  const images = report[what] as readonly Readonly<Record<string, readonly number[]>>[];
  return images.flatMap((image) =>
    Object.entries(image).map(([name, values]) => {
      const [place, rest] = name.split('/');
      return [`${report.pool_descriptors[place!]}/${rest}`, ...values];
    }),
  );
}

function writes(pool: number, id: string, ops: number, namespace = ''): ImagePerf {
  return {
    pool,
    namespace,
    id,
    counters: { ...NO_OSD_PERF, writeOps: ops, writeBytes: ops * 100, writeLatency: ops * 7 },
  };
}

async function withImages(seed: number, names: readonly string[], nspace = '') {
  const trial = new Trial(seed);
  const rados = await trial.start();
  const io = await trial.io();
  if (nspace !== '') await trial.done(createNamespace(io, nspace));
  const inner = io.with({ nspace });
  const ids: string[] = [];
  for (const name of names) ids.push(await trial.done(createImage(inner, name, { size: 1 << 20 }, trial.world)));
  return { trial, rados, io: inner, ids };
}

test('rates are of the last two looks, counters of all; the busiest come first', async () => {
  const { trial, io, ids } = await withImages(11, ['calm', 'busy', 'idle']);
  const [calm, busy] = ids as [string, string];
  const asked = { pool_spec: POOL };
  expect(await told(trial, 'counters', asked)).toEqual([]);
  expect(trial.osds.asked).toEqual([{ id: 1, pool: io.pool, namespace: '', maxImages: 256 }]);

  trial.osds.reported = [writes(io.pool, calm, 5), writes(io.pool, busy, 10), writes(io.pool, 'none', 100)];
  await trial.pass(PERIOD_SECONDS);
  expect(await told(trial, 'stats', asked)).toEqual([]);
  await trial.pass(PERIOD_SECONDS);
  expect(await told(trial, 'stats', asked)).toEqual([
    [`${POOL}/busy`, 2, 0, 200, 0, 7, 0],
    [`${POOL}/calm`, 1, 0, 100, 0, 7, 0],
  ]);

  trial.osds.reported = [];
  await trial.pass(PERIOD_SECONDS);
  expect(await told(trial, 'stats', asked)).toEqual([]);
  expect(await told(trial, 'counters', asked)).toEqual([
    [`${POOL}/calm`, 10, 0, 1000, 0, 70, 0],
    [`${POOL}/busy`, 20, 0, 2000, 0, 140, 0],
  ]);
});

test('all pools are told of with their namespaces; a pool without one is told of what is in none', async () => {
  const { trial, io, ids } = await withImages(12, ['inner'], 'ns');
  await told(trial, 'counters', { pool_spec: `${POOL}/ns` });
  await told(trial, 'counters', { pool_spec: POOL });
  // Of all pools nothing is known before they are asked for again.
  for (let i = 0; i < 2; i++) await told(trial, 'counters');
  expect(trial.osds.asked).toMatchObject([
    { pool: io.pool, namespace: 'ns' },
    { pool: io.pool, namespace: '' },
    { pool: undefined, namespace: undefined },
  ]);
  trial.osds.reported = [writes(io.pool, ids[0]!, 1, 'ns')];
  await trial.pass(PERIOD_SECONDS);

  const image = [`${POOL}/ns/inner`, 1, 0, 100, 0, 7, 0];
  expect(await told(trial, 'counters')).toEqual([image]);
  expect(await told(trial, 'counters', { pool_spec: `${POOL}/ns` })).toEqual([image]);
  expect(await told(trial, 'counters', { pool_spec: POOL })).toEqual([]);
});

test('OSDs count as long as somebody asks, and a minute longer; names are looked up again after five', async () => {
  const { trial, rados, io, ids } = await withImages(13, ['first']);
  const asked = { pool_spec: POOL };
  await told(trial, 'counters', asked);
  trial.osds.reported = [writes(io.pool, ids[0]!, 1)];
  await trial.pass(PERIOD_SECONDS);
  await trial.done(renameImage(rados, io, 'first', 'second', trial.world));
  const names = new Set<unknown>();
  for (let passed = 0; passed < 390; passed += 30) {
    for (const [name] of await told(trial, 'counters', asked)) names.add(name);
    await trial.pass(30);
  }
  expect([...names]).toEqual([`${POOL}/first`, `${POOL}/second`]);
  expect(trial.osds.ended).toEqual([]);

  await trial.pass(70);
  expect(trial.osds.ended).toEqual([1]);
  await told(trial, 'counters', asked);
  expect(trial.osds.asked).toHaveLength(2);
});

test('there is an end to what is asked for at once', async () => {
  const { trial } = await withImages(14, []);
  for (let i = 0; i < 70; i++) await told(trial, 'counters', { pool_spec: `${POOL}/n${i}` });

  expect(trial.osds.asked).toHaveLength(70);
  expect(trial.osds.ended).toEqual([1, 2, 3, 4, 5, 6]);
});
