/** What an OSD tells the manager, and when. */
import { readFileSync } from 'node:fs';
import type { AddrVec } from '@spirula/encoding';
import { decodeMgrMap, encodeMgrMap } from '@spirula/maps';
import { NO_OSD_PERF, type OsdStat, type PgStat } from '@spirula/messages';
import { beforeEach, expect, test } from 'vitest';
import { DynamicPerfStats } from '../../packages/osd/src/dynamic-perf-stats.ts';
import { MgrReports } from '../../packages/osd/src/mgr-reports.ts';
import { addrOf, FakeWorld } from '../client/fake-world.ts';

const sample = decodeMgrMap(new Uint8Array(readFileSync(new URL('../golden/samples/mgrmap.bin', import.meta.url))));
const pgs = [0, 1, 2].map((seed) => ({ pool: 1, seed }));

let fake: FakeWorld;
let reports: MgrReports;
let primaryOf: Set<number>;
let isActive: boolean;
let perf: DynamicPerfStats;

beforeEach(() => {
  isActive = true;
  perf = new DynamicPerfStats();
  fake = new FakeWorld({ mgr_stats_period: 5 });
  primaryOf = new Set([0, 1, 2]);
  reports = new MgrReports({
    whoami: 4,
    world: fake.world,
    epoch: 7,
    upFrom: 3,
    get isActive() {
      return isActive;
    },
    osdStat: () => ({ kb: 1, seq: reports.seq }) as OsdStat,
    primaryPgs: () => pgs.filter(({ seed }) => primaryOf.has(seed)),
    perf,
    pgStat: (pgid) => (primaryOf.has(pgid.seed) ? ({ pgid } as PgStat) : undefined),
  });
  fake.handler = (event) => {
    if (event.kind === 'timer') reports.onTimer(event.name);
    if (event.kind === 'reset') reports.onReset(event.session);
  };
});

function nameActive(activeAddrs: AddrVec, available = true): void {
  reports.onMgrMap({ type: 'mgr_map', mgrmap: encodeMgrMap({ ...sample, activeAddrs, available }) });
}

/** What was reported since the last call: the PGs of each report. */
const reported = () =>
  fake.take('pg_stats').map(({ pgs: stats, full }) => [full, ...stats.map(({ pgid }) => pgid.seed)]);

test('nothing is said before a manager is available; then all, and all again every mgr_stats_period', () => {
  nameActive(addrOf(6800), false);
  fake.advance(20);
  expect(fake.dialled).toEqual([]);

  nameActive(addrOf(6800));
  expect(fake.take('mgr_open')).toMatchObject([{ entity: { type: 'osd', id: '4' } }]);
  expect(reported()).toEqual([[true, 0, 1, 2]]);
  fake.advance(11);

  expect(reported()).toEqual([
    [true, 0, 1, 2],
    [true, 0, 1, 2],
  ]);
});

test('a manager is not bothered before the map has the OSD up, and then told all at once', () => {
  isActive = false;
  nameActive(addrOf(6800));
  fake.advance(20);
  expect(fake.dialled).toEqual([]);

  isActive = true;
  reports.onActive();
  expect(reported()).toEqual([[true, 0, 1, 2]]);
});

test('changes follow soon, gathered, and only of PGs it is still primary of', () => {
  nameActive(addrOf(6800));
  reported();
  reports.pgChanged(pgs[2]!);
  reports.pgChanged(pgs[0]!);
  reports.pgChanged(pgs[2]!);
  primaryOf.delete(0);
  expect(reported()).toEqual([]);
  fake.advance(0.1);
  expect(reported()).toEqual([[false, 2]]);
  reports.pgChanged(pgs[0]!);
  fake.advance(0.1);

  expect(reported()).toEqual([]);
});

test('reports are numbered, also those that somebody asks for', () => {
  nameActive(addrOf(6800));
  fake.advance(11);
  reports.flush();
  const numbers = fake.take('pg_stats').map(({ osdStat }) => osdStat.seq);

  expect(numbers).toEqual([1, 2, 3, 4].map((number) => 3 * 2 ** 32 + number));
  expect(reports.seq).toBe(numbers.at(-1));
});

test('a broken session is opened again, and begins with all', () => {
  nameActive(addrOf(6800));
  reported();
  fake.reset(fake.lastDialled.session);
  reports.pgChanged(pgs[1]!);
  expect(fake.dialled).toHaveLength(1);
  fake.advance(1.5);

  expect(fake.dialled).toHaveLength(2);
  expect(reported()).toEqual([[true, 0, 1, 2]]);
});

test('it turns to the manager that takes over, and leaves the one before', () => {
  nameActive(addrOf(6800));
  const { session } = fake.lastDialled;
  nameActive(addrOf(6800));
  expect(fake.dialled).toHaveLength(1);
  nameActive(addrOf(6900));

  expect(fake.closed).toEqual([session]);
  expect(fake.lastDialled.addrs).toEqual(addrOf(6900));
});

test('what a manager asks for is counted and reported, until it is gone', () => {
  nameActive(addrOf(6800));
  const { session } = fake.lastDialled;
  const query = { id: 3, pool: undefined, namespace: undefined, maxImages: 2 };
  const work = () => perf.add(1, '', 'rbd_data.abc.0', { ...NO_OSD_PERF, readOps: 1 });
  work();
  reports.onMessage(session, { type: 'mgr_configure', perfQueries: [query] });
  fake.advance(5);
  expect(fake.take('osd_perf_reports')).toEqual([]);
  work();
  fake.advance(11);

  expect(fake.take('osd_perf_reports')).toMatchObject([{ reports: [{ query: 3, images: [{ id: 'abc' }] }] }]);
  work();
  fake.reset(session);
  expect(perf.isEnabled).toBe(false);
  fake.advance(11);
  expect(fake.take('osd_perf_reports')).toEqual([]);
});
