import { expect, test } from 'vitest';
import { MonCluster, type ToyOsd } from './mon-cluster.ts';

type Fullness = 'none' | 'nearfull' | 'backfillfull' | 'full';

function say(cluster: MonCluster, osd: ToyOsd, state: Fullness): void {
  osd.say({ type: 'osd_full', osd: osd.id, epoch: cluster.osdMap.epoch, state });
  cluster.run(3);
}

function clusterWithPools(): { cluster: MonCluster; osds: ToyOsd[] } {
  const cluster = new MonCluster({ options: { mon_mgr_mkfs_grace: 4_000_000_000 } }).start();
  const osds = cluster.addOsds(3);
  cluster.succeed({ prefix: 'osd pool create', pool: 'data', pg_num: 4 });
  return { cluster, osds };
}

function detail(cluster: MonCluster): string[] {
  return cluster.succeed({ prefix: 'health', detail: 'detail' }).text.split('\n').slice(1, -1);
}

function flagsOf(cluster: MonCluster, pool: string): string {
  return cluster.json('osd dump').pools.find((each: { pool_name: string }) => each.pool_name === pool).flags_names;
}

test('an OSD that says how full it is is marked so, and so are the pools it may serve', () => {
  const { cluster, osds } = clusterWithPools();
  say(cluster, osds[0]!, 'nearfull');
  expect(detail(cluster)).toEqual([
    '[WRN] OSD_NEARFULL: 1 nearfull osd(s)',
    '    osd.0 is near full',
    '[WRN] POOL_NEARFULL: 1 pool(s) nearfull',
    "    pool 'data' is nearfull",
  ]);

  say(cluster, osds[1]!, 'backfillfull');
  say(cluster, osds[2]!, 'full');

  expect(detail(cluster)).toEqual([
    '[WRN] OSD_BACKFILLFULL: 1 backfillfull osd(s)',
    '    osd.1 is backfill full',
    '[ERR] OSD_FULL: 1 full osd(s)',
    '    osd.2 is full',
    '[WRN] OSD_NEARFULL: 1 nearfull osd(s)',
    '    osd.0 is near full',
    '[WRN] POOL_FULL: 1 pool(s) full',
    "    pool 'data' is full (no space)",
  ]);
  expect(flagsOf(cluster, 'data')).toBe('hashpspool,full');
  expect(cluster.osdMap.osdState[2]! & 0x70).toBe(16);

  for (const osd of osds) say(cluster, osd, 'none');
  expect(detail(cluster)).toEqual([]);
  expect(flagsOf(cluster, 'data')).toBe('hashpspool');
});

test('a pool is full only where its rule may choose a full OSD that is up and in', () => {
  const { cluster, osds } = clusterWithPools();
  cluster.succeed({ prefix: 'osd crush rule create-simple', name: 'first', root: 'host0', type: 'osd' });
  cluster.succeed({ prefix: 'osd pool create', pool: 'small', pg_num: 4, rule: 'first' });
  say(cluster, osds[2]!, 'full');
  expect(flagsOf(cluster, 'data')).toBe('hashpspool,full');
  expect(flagsOf(cluster, 'small')).toBe('hashpspool');

  cluster.succeed({ prefix: 'osd out', ids: ['2'] });
  expect(flagsOf(cluster, 'data')).toBe('hashpspool');
  say(cluster, osds[0]!, 'full');

  expect(flagsOf(cluster, 'small')).toBe('hashpspool,full');
});

test('what an OSD said of an earlier life of it, or while it is down, is not heard', () => {
  const { cluster, osds } = clusterWithPools();
  osds[0]!.say({ type: 'osd_full', osd: 0, epoch: 1, state: 'full' });
  cluster.run(3);
  cluster.succeed({ prefix: 'osd down', ids: ['1'] });
  say(cluster, osds[1]!, 'full');

  expect([0, 1].map((osd) => cluster.osdMap.osdState[osd]! & 0x70)).toEqual([0, 0]);
});
