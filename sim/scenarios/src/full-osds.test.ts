/** OSDs that fill up, and have room again: what monitors, health and clients make of it. */
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { Lab } from './lab.ts';
import { sendCommand } from './operator.ts';
import { scenarioSchema } from './spec.ts';

function startWork(osds = 3, options: Readonly<Record<string, number>> = {}): Lab {
  const spec = scenarioSchema.parse({
    name: 'full',
    cluster: { osds, mgrs: 1, options, deviceBytes: 64 * 2 ** 20 },
    pools: [{ pgNum: 4 }],
    workloads: [
      {
        kind: 'objects',
        objects: 8,
        onlyReadsOneIn: 0,
        pace: { kind: 'closed', workers: 2, restUs: 100_000 },
        writeBytes: 5000,
      },
    ],
    duration: '3600s',
  });
  const lab = new Lab(spec, 3);
  expect(lab.boot()).toBeUndefined();
  return lab;
}

function pass(lab: Lab, seconds: number): void {
  lab.advance(lab.simulation.now + seconds * SECOND);
  expect(lab.simulation.violations).toEqual([]);
}

function health(lab: Lab): string[] {
  const leader = lab.cluster.mons.map(({ daemon }) => daemon!.inspect()).find(({ role }) => role === 'leader')!;
  return [...leader.health().checks.keys()].filter((code) => /FULL/.test(code));
}

test('writes wait while OSDs are full, and go on when there is room', () => {
  const lab = startWork();
  let written = 0;
  lab.watch(({ answers }) => {
    written += answers.filter(({ kind }) => kind === 'write').length;
  });
  pass(lab, 10);
  expect(written).toBeGreaterThan(0);
  expect(health(lab)).toEqual([]);

  for (const [name, ratio] of [
    ['nearfull', 1e-6],
    ['backfillfull', 2e-6],
    ['full', 3e-6],
  ] as const) {
    sendCommand(lab.cluster, { prefix: `osd set-${name}-ratio`, ratio });
  }
  pass(lab, 10);
  expect(health(lab)).toEqual(['OSD_FULL', 'POOL_FULL']);
  const before = written;
  pass(lab, 20);
  expect(written).toBe(before);

  for (const [name, ratio] of [
    ['full', 0.95],
    ['backfillfull', 0.9],
    ['nearfull', 0.85],
  ] as const) {
    sendCommand(lab.cluster, { prefix: `osd set-${name}-ratio`, ratio });
  }
  pass(lab, 10);

  expect(health(lab)).toEqual([]);
  expect(written).toBeGreaterThan(before);
}, 300_000);

function pgStates(lab: Lab): string[] {
  return lab.cluster.osds.flatMap(({ daemon, process }) =>
    process.state === 'running'
      ? daemon!.inspect().pgs.flatMap(({ state, isPrimary }) => (isPrimary ? [state] : []))
      : [],
  );
}

test('backfill waits while its target is too full, says so, and begins by itself when there is room', () => {
  const lab = startWork(4, { osd_backfill_retry_interval: 10, osd_min_pg_log_entries: 3, osd_max_pg_log_entries: 3 });
  pass(lab, 10);
  sendCommand(lab.cluster, { prefix: 'osd set-nearfull-ratio', ratio: 1e-6 });
  sendCommand(lab.cluster, { prefix: 'osd set-backfillfull-ratio', ratio: 2e-6 });
  pass(lab, 5);
  sendCommand(lab.cluster, { prefix: 'osd out', ids: ['0'] });
  pass(lab, 30);

  expect(pgStates(lab).join(' ')).toContain('backfill_toofull');
  expect(health(lab)).toEqual(expect.arrayContaining(['OSD_BACKFILLFULL', 'PG_BACKFILL_FULL']));

  sendCommand(lab.cluster, { prefix: 'osd set-backfillfull-ratio', ratio: 0.9 });
  sendCommand(lab.cluster, { prefix: 'osd set-nearfull-ratio', ratio: 0.85 });
  pass(lab, 25);

  expect(health(lab)).toEqual([]);
  expect(pgStates(lab).filter((state) => state !== 'active+clean')).toEqual([]);
}, 300_000);

test('recovery waits while a member is full, says so, and begins by itself when there is room', () => {
  const lab = startWork(3, { osd_recovery_retry_interval: 10 });
  const [{ process }] = lab.cluster.osds as [(typeof lab.cluster.osds)[number]];
  pass(lab, 10);
  process.crash();
  pass(lab, 40);
  for (const name of ['nearfull', 'backfillfull', 'full']) {
    sendCommand(lab.cluster, { prefix: `osd set-${name}-ratio`, ratio: 1e-6 });
  }
  pass(lab, 5);
  process.start();
  pass(lab, 15);

  expect(pgStates(lab).join(' ')).toContain('recovery_toofull');
  expect(health(lab)).toEqual(expect.arrayContaining(['OSD_FULL', 'PG_RECOVERY_FULL']));

  for (const [name, ratio] of [
    ['full', 0.95],
    ['backfillfull', 0.9],
    ['nearfull', 0.85],
  ] as const) {
    sendCommand(lab.cluster, { prefix: `osd set-${name}-ratio`, ratio });
  }
  pass(lab, 25);

  expect(health(lab)).toEqual([]);
  expect(pgStates(lab).filter((state) => state !== 'active+clean')).toEqual([]);
}, 300_000);
