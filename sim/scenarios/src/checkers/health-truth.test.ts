import type { HealthCheck } from '@spirula/messages';
import { Monitor } from '@spirula/mon';
import { SECOND } from '@spirula/world';
import { afterEach, expect, test, vi } from 'vitest';
import { Lab } from '../lab.ts';
import { scenarioSchema } from '../spec.ts';
import { findUntrueHealth, findUntruths } from './health-truth.ts';

const OSD_DOWN: HealthCheck = { severity: 'HEALTH_WARN', summary: '1 osds down', count: 1, detail: [] };

test('what is so must be told of, and only that, as often as it is so', () => {
  const told = new Map([['OSD_DOWN', OSD_DOWN]]);

  expect(findUntruths(new Map([['OSD_DOWN', 1]]), told)).toEqual([]);
  expect(findUntruths(new Map([['OSD_DOWN', 'maybe']]), told)).toEqual([]);
  expect(findUntruths(new Map([['OSD_DOWN', 'maybe']]), new Map())).toEqual([]);
  expect(findUntruths(new Map([['OSD_DOWN', 2]]), told)).toEqual([
    'health tells of OSD_DOWN (1 osds down) 1 times, and it is so 2 times',
  ]);
  expect(findUntruths(new Map(), told)).toEqual(['health tells of OSD_DOWN (1 osds down), which is not so']);
  expect(findUntruths(new Map([['OSD_DOWN', 1]]), new Map())).toEqual([
    'health does not tell of OSD_DOWN, which is so',
  ]);
});

const { inspect } = Monitor.prototype;
type Checks = ReadonlyMap<string, HealthCheck>;

/** Monitors that compute health and then tell something else. */
function plant(change: (checks: Checks) => Checks): void {
  vi.spyOn(Monitor.prototype, 'inspect').mockImplementation(function (this: Monitor) {
    const real = inspect.call(this);
    return {
      ...real,
      health: () => {
        const health = real.health();
        return { ...health, checks: change(health.checks) };
      },
    };
  });
}

afterEach(() => {
  vi.restoreAllMocks();
});

function run(config: object = {}): readonly string[] {
  const spec = scenarioSchema.parse({
    name: 'told',
    cluster: { osds: 3, mgrs: 1, options: { osd_heartbeat_grace: 6, osd_heartbeat_interval: 1 } },
    pools: [{ pgNum: 4 }],
    workloads: [{ kind: 'objects', objects: 4 }],
    duration: '10s',
    healWithin: '100s',
    ...config,
  });
  const { violations, unclean } = new Lab(spec, 5).run();
  expect(violations).toEqual([]);
  return unclean;
}

test('a cluster where nothing is wrong says so', () => {
  expect(run()).toEqual([]);
});

/** A cluster of four OSDs and two managers a minute after some of its daemons have died. */
function without(...names: string[]): Lab {
  const spec = scenarioSchema.parse({
    name: 'told',
    cluster: { osds: 4, mgrs: 2, options: { osd_heartbeat_grace: 6, osd_heartbeat_interval: 1 } },
    pools: [{ pgNum: 8 }],
    workloads: [{ kind: 'objects', objects: 4 }],
    duration: '600s',
  });
  const lab = new Lab(spec, 5);
  expect(lab.boot()).toBeUndefined();
  for (const process of lab.cluster.daemons) if (names.includes(process.name)) process.crash();
  lab.advance(lab.began + 60 * SECOND);
  expect(lab.simulation.violations).toEqual([]);
  return lab;
}

test.each([
  [[], []],
  [['osd.3'], ['OSD_DOWN', 'PG_DEGRADED']],
  [['mon.c'], ['MON_DOWN']],
  [['mgr.x', 'mgr.y'], ['MGR_DOWN']],
])('of %j that have died a cluster tells the truth, and silence is found', (names, codes) => {
  const lab = without(...names);
  expect(findUntrueHealth(lab.cluster)).toEqual([]);

  plant(() => new Map());
  expect(findUntrueHealth(lab.cluster).sort()).toEqual(
    codes.map((code) => `health does not tell of ${code}, which is so`),
  );
});

test('an alert that is not so is found', () => {
  plant((checks) => new Map([...checks, ['OSD_DOWN', OSD_DOWN]]));

  expect(run()).toEqual(['health tells of OSD_DOWN (1 osds down), which is not so']);
});

test('a count that is wrong is found, and an alert that is not raised', () => {
  const cluster = { osds: 2, mgrs: 1 };
  const pools = [{ pgNum: 4, size: 2, minSize: 1 }];
  plant((checks) => new Map([...checks].map(([code, check]) => [code, { ...check, count: check.count + 1 }])));
  expect(run({ cluster, pools })).toContain(
    'health tells of TOO_FEW_OSDS (OSD count 2 < osd_pool_default_size 3) 2 times, and it is so 1 times',
  );

  plant(() => new Map());
  expect(run({ cluster, pools })).toContain('health does not tell of TOO_FEW_OSDS, which is so');
});
