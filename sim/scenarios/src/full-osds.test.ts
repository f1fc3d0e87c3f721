/** OSDs that fill up, and have room again: what monitors, health and clients make of it. */
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { Lab } from './lab.ts';
import { sendCommand } from './operator.ts';
import { scenarioSchema } from './spec.ts';

function startWork(): Lab {
  const spec = scenarioSchema.parse({
    name: 'full',
    cluster: { osds: 3, mgrs: 1, deviceBytes: 64 * 2 ** 20 },
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
}, 120_000);
