/** Whole OSDs against clients that know what they wrote, while OSDs lose power, hang, are cut off and come back. */
import { SECOND } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import { Cluster, check, settle } from './toy-cluster.test-support.ts';

const { SEED, SEEDS } = process.env;
const seeds = SEED ? [Number(SEED)] : Array.from({ length: Number(SEEDS ?? 6) }, (_, i) => 9000 + i);

const SHAPES = [
  [3, 3, 2],
  [5, 2, 1],
  [5, 3, 2],
  [4, 2, 2],
  [5, 3, 1],
] as const;

describe('OSDs together', () => {
  test('serve clients and are clean', () => {
    const cluster = new Cluster(1, { osds: 3, size: 3, minSize: 2 });
    cluster.network.run(3 * SECOND);
    for (const client of cluster.clients) client.start();
    cluster.network.run(10 * SECOND);
    settle(cluster, 30);

    expect(cluster.clients[0]!.done).toBeGreaterThan(50);
    check(cluster, 1);
  });

  test.each(seeds)(
    'lose no acknowledged write, and heal (seed %i)',
    (seed) => {
      const [osds, size, minSize] = SHAPES[seed % SHAPES.length]!;
      const options = {
        osd_max_pg_log_entries: seed % 2 === 0 ? 20 : 10_000,
        osd_min_pg_log_entries: seed % 2 === 0 ? 10 : 250,
        osd_pg_log_trim_min: 4,
        osd_recovery_max_chunk: seed % 3 === 0 ? 8 << 20 : 4096,
      };
      const cluster = new Cluster(seed, { osds, size, minSize, options });
      cluster.network.run(5 * SECOND);
      for (const client of cluster.clients) client.start();
      for (let i = 0; i < 60; i++) {
        cluster.misbehave(2);
        cluster.network.run(cluster.network.below(4 * SECOND));
      }
      cluster.heal();
      settle(cluster, 180);

      check(cluster, seed);
    },
    120_000,
  );
});
