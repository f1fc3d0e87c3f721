/** Whole clusters on disks that fail: nothing acknowledged is lost or changed, and each daemon that ends says why. */
import type { SimProcess, WriteFate } from '@spirula/sim-world';
import { SECOND } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import { findDamage, findLatentDamage } from '../../sim/scenarios/src/checkers/stored-objects.ts';
import { Lab } from '../../sim/scenarios/src/lab.ts';
import { replaceOsd } from '../../sim/scenarios/src/operator.ts';
import { scenarioSchema } from '../../sim/scenarios/src/spec.ts';

const { SEED, SEEDS } = process.env;
const seeds = SEED ? [Number(SEED)] : Array.from({ length: Number(SEEDS ?? 4) }, (_, i) => 1 + i);

/** A cluster at work. */
function makeLab(seed: number, osds = 4, cluster: object = {}): Lab {
  const spec = scenarioSchema.parse({
    name: 'disk-faults',
    cluster: { osds, ...cluster },
    workloads: [
      {
        kind: 'objects',
        pace: { kind: 'closed', restUs: 200_000 },
        writeBytes: 3000,
        largeWriteBytes: 200_000,
        largeOneIn: 3,
      },
    ],
    duration: '40s',
  });
  const lab = new Lab(spec, seed);
  expect(lab.boot()).toBeUndefined();
  return lab;
}

function runFor(lab: Lab, seconds: number): void {
  lab.advance(lab.simulation.now + seconds * SECOND);
  expect(lab.simulation.violations).toEqual([]);
}

/** Why a daemon ended, each time it did. */
function watchEnds(lab: Lab, { name }: SimProcess): string[] {
  const ends: string[] = [];
  lab.simulation.onProcessExit((process, reason) => {
    if (process.name === name) ends.push(reason);
  });
  return ends;
}

function isUp(lab: Lab, osd: number): boolean {
  return ((lab.cluster.osdMap!.osdState[osd] ?? 0) & 2) !== 0;
}

function finish(lab: Lab): void {
  for (const { disk } of lab.cluster.daemons) disk.faults.heal();
  const { violations, unclean } = lab.finish();
  expect(violations).toEqual([]);
  expect(unclean).toEqual([]);
}

describe('an OSD of which the disk fails', () => {
  test.each([
    ['commit', /^osd\.1: the disk fails a commit: input\/output error$/],
    ['flush', /^osd\.1: the disk fails a flush: input\/output error$/],
    ['write', /^osd\.1: the disk fails a write of \d+ bytes at \d+: input\/output error$/],
  ] as const)('at every %s ends and says so, each time it is started; others see it down', (operation, message) => {
    const lab = makeLab(1);
    const victim = lab.cluster.osds[1]!.process;
    const ends = watchEnds(lab, victim);
    runFor(lab, 3);
    victim.disk.faults.fail(operation);
    runFor(lab, 4);
    const wasUp = isUp(lab, 1);
    runFor(lab, 25);

    expect(ends.length).toBeGreaterThan(1);
    for (const reason of ends) expect(reason).toMatch(message);
    expect(lab.simulation.logLines.map(({ message: line }) => line)).toContain(`the daemon fails: ${ends[0]}`);
    expect(wasUp).toBe(false);
    finish(lab);
  });

  test('for lack of room ends and says so, works again once there is some, and has lost nothing', () => {
    const lab = makeLab(2);
    const victim = lab.cluster.osds[2]!.process;
    const ends = watchEnds(lab, victim);
    runFor(lab, 5);
    victim.disk.faults.fill();
    runFor(lab, 20);

    expect(ends.length).toBeGreaterThan(0);
    for (const reason of ends)
      expect(reason).toMatch(/^osd\.2: the disk has no room for a .*: \d+ of \d+ bytes are used$/);
    finish(lab);
  });

  test('so that it cannot even start says why, and another disk in its place is filled anew', () => {
    const lab = makeLab(3);
    const { process: victim } = lab.cluster.osds[0]!;
    const ends = watchEnds(lab, victim);
    runFor(lab, 5);
    // The label takes a few bytes of its block: enough bits to hit it.
    victim.disk.faults.rot(0, 2000);
    victim.crash();
    victim.start();
    runFor(lab, 1);

    expect(ends.at(-1)).toMatch(/^osd\.0: the label in the device's first block is damaged/);
    replaceOsd(lab.cluster, victim);
    runFor(lab, 40);
    finish(lab);
  });
});

test('a monitor of which the disk fails ends and says so, and the others go on without it', () => {
  const lab = makeLab(4);
  const { process: victim } = lab.cluster.mons[0]!;
  const ends = watchEnds(lab, victim);
  victim.disk.faults.fail('commit');
  runFor(lab, 30);
  let acknowledged = 0;
  lab.cluster.onAcknowledged = () => {
    acknowledged += 1;
  };
  runFor(lab, 5);

  expect(new Set(ends)).toEqual(new Set(['mon.a: the disk fails a commit: input/output error']));
  expect(acknowledged).toBeGreaterThan(0);
  finish(lab);
});

test('an OSD of which the disk hangs for long is reported, ends in the end, and comes back', () => {
  const lab = makeLab(5, 4, { options: { osd_op_thread_timeout: 5, osd_op_thread_suicide_timeout: 45 } });
  const { process: victim } = lab.cluster.osds[1]!;
  const ends = watchEnds(lab, victim);
  runFor(lab, 3);
  victim.disk.faults.stall(60 * SECOND);
  runFor(lab, 40);
  const wasUp = isUp(lab, 1);
  runFor(lab, 15);

  expect(wasUp).toBe(false);
  expect(ends).toEqual(['osd.1: no transaction became durable for 45 s']);
  finish(lab);
});

let latent = 0;

test.each(seeds)(
  'whatever one disk does to what is on it, clients see none of it; what nobody has read is latent (seed %i)',
  (seed) => {
    const lab = makeLab(seed, 4);
    const random = lab.simulation.random('disk faults');
    const { process: victim } = random.pick(lab.cluster.osds);
    const { faults } = victim.disk;
    for (let i = 0; i < 25; i++) {
      const fate = random.pick([
        'rot',
        'torn',
        'lost',
        'misdirected',
        'unreadable',
        'read',
        'slow',
        'stall',
        'crash',
        'heal',
      ] as const);
      if (fate === 'rot') faults.rotSome(random.between(1, 20));
      else if (fate === 'unreadable') {
        const offset = 4096 * random.between(1, 200);
        faults.fail('read', { within: { offset, length: 4096 * random.between(1, 20) } });
      } else if (fate === 'read') faults.fail('read', { oneIn: 5, times: 10 });
      else if (fate === 'slow') faults.slow(random.between(2, 20));
      else if (fate === 'stall') faults.stall(random.below(8 * SECOND));
      else if (fate === 'heal') faults.heal();
      else if (fate === 'crash') {
        victim.powerLoss();
        lab.simulation.after(random.below(10 * SECOND), () => {
          if (victim.state === 'stopped') victim.start();
        });
      } else for (let n = random.between(1, 3); n > 0; n--) faults.spoilNextWrite(fate satisfies WriteFate);
      runFor(lab, random.between(1, 3));
    }
    for (const { daemon } of lab.cluster.clients) daemon!.stopWork();
    runFor(lab, 10);
    faults.rotSome(200);
    finish(lab);

    latent += findLatentDamage(lab.cluster).length;
    expect(findDamage(lab.cluster)).toEqual([]);
  },
  120_000,
);

test.skipIf(SEED !== undefined)('and there is some', () => {
  expect(latent).toBeGreaterThan(0);
});
