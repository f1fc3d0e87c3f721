/** Disks that are gone for good: what an OSD or a monitor may do with an empty one, and what must not be lost meanwhile. */

import { formatUuid } from '@spirula/encoding';
import { osdUp } from '@spirula/maps';
import { SECOND } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import { findUnclean } from '../checkers/unclean-pgs.ts';
import { Lab } from '../lab.ts';
import { insist } from '../operator.ts';
import { type ScenarioInput, scenarioSchema } from '../spec.ts';

const OPTIONS = { mon_osd_min_down_reporters: 1, osd_heartbeat_grace: 6, osd_heartbeat_interval: 1 };

function makeLab(seed: number, input: Partial<ScenarioInput> = {}): Lab {
  const spec = scenarioSchema.parse({
    name: 'lost-disks',
    cluster: { mons: 3, osds: 4, mgrs: 0, clients: 2, options: OPTIONS },
    pools: [{ size: 3, minSize: 2, pgNum: 4 }],
    workloads: [{ kind: 'objects', objects: 4 }],
    duration: '60s',
    ...input,
  });
  return new Lab(spec, seed);
}

/** What a run came to, when it went as it should. */
const GOOD = { violations: [], unclean: [], findings: [] };

function bootLab(seed: number): Lab {
  const lab = makeLab(seed);
  expect(lab.boot()).toBeUndefined();
  lab.simulation.runFor(10 * SECOND);
  return lab;
}

function runUntil({ simulation }: Lab, holds: () => boolean): void {
  for (let i = 0; i < 600 && !holds(); i++) simulation.runFor(SECOND / 10);
  expect(holds()).toBe(true);
}

describe('an OSD whose disk was lost', () => {
  test('does not come up again on an empty one, whatever it is told, and says why', () => {
    const lab = bootLab(1);
    const { cluster, injector, simulation } = lab;
    injector.inject({ fault: 'lose-store', daemons: ['osd.1'] }, { forUs: 2 * SECOND });
    runUntil(lab, () => simulation.logLines.some(({ message }) => message.startsWith('osd.1 has an empty store')));
    const { upFrom } = cluster.osdMap!.osdInfo[1]!;
    // Its init system starts it again and again.
    const { runs } = cluster.osds[1]!.process;
    simulation.runFor(30 * SECOND);

    expect(cluster.osds[1]!.process.runs).toBeGreaterThan(runs);
    expect(osdUp(cluster.osdMap!, 1)).toBe(false);
    expect(cluster.osdMap!.osdInfo[1]!.upFrom).toBe(upFrom);
  });

  test.each(['purge', 'destroy'])('comes up when it was taken out by %s and created anew, and gets all back', (how) => {
    const lab = bootLab(2);
    const { cluster, injector } = lab;
    const place = cluster.osds[1]!;
    injector.inject({ fault: 'lose-store', daemons: ['osd.1'] });
    place.generation += 1;
    const uuid = formatUuid(cluster.uuidOf(1));
    insist(cluster, { prefix: `osd ${how}-actual`, id: 1, yes_i_really_mean_it: true }, () => {
      insist(cluster, { prefix: 'osd new', uuid, id: 1 }, () => place.process.start());
    });
    runUntil(lab, () => osdUp(cluster.osdMap!, 1) && formatUuid(cluster.osdMap!.osdUuid[1]!) === uuid);
    runUntil(lab, () => findUnclean(cluster).length === 0);

    // The run goes on to its end, and compares what is on the disks with what clients were told.
    lab.advance(lab.faultsEnd);
    expect(lab.finish()).toMatchObject(GOOD);
    expect(place.process.runs).toBe(2);
  });

  test('boots after a power cut at its first start, whenever that was', () => {
    for (let cut = 0; cut < 12; cut++) {
      const lab = makeLab(3, { cluster: { mons: 1, osds: 2, mgrs: 0, clients: 1, options: OPTIONS } });
      const { cluster, simulation } = lab;
      for (const { process } of [...cluster.mons, ...cluster.clients]) process.start();
      const [first, second] = cluster.osds;
      // Its flushes take a while, those of the monitor do not.
      first!.process.disk.faults.slow(1000);
      first!.process.start();
      for (let i = 0; i < 10_000 && first!.daemon!.inspect().boot === 'preboot'; i++) simulation.runFor(1000);
      expect(first!.daemon!.inspect().boot).toBe('booting');
      // From just after its boot was sent to long after it is up.
      simulation.runFor(cut * 40_000);
      first!.process.powerLoss();
      first!.process.disk.faults.heal();
      simulation.runFor(SECOND);
      first!.process.start();
      second!.process.start();

      runUntil(lab, () => cluster.osds.every(({ daemon }) => daemon!.inspect().boot === 'active'));
    }
  });

  test.each([11, 12, 13, 14])('and is replaced, loses nothing that was acknowledged (seed %i)', (seed) => {
    const lab = makeLab(seed, {
      faults: [
        { fault: 'replace', daemons: 'osd.0', at: '5s' },
        { fault: 'replace', daemons: 'osd.2', every: '20s', jitter: '5s' },
      ],
      redundancyAware: true,
    });
    const outcome = lab.run();

    expect(outcome).toMatchObject(GOOD);
    expect(lab.cluster.osds.filter(({ generation }) => generation > 0).length).toBeGreaterThan(0);
    expect(lab.cluster.osds.every(({ id }) => osdUp(lab.cluster.osdMap!, id))).toBe(true);
  });
});

test.each([21, 22, 23])('a monitor that loses its store loses no version that was committed (seed %i)', (seed) => {
  const lab = makeLab(seed, {
    faults: [
      { fault: 'lose-store', daemons: 'mon.a', every: '14s', jitter: '4s', for: '2s' },
      { fault: 'lose-store', daemons: 'leader', every: '9s', jitter: '4s', for: '1s' },
      { fault: 'command', command: { prefix: 'osd out', ids: ['3'] }, every: '4s', jitter: '2s' },
      { fault: 'command', command: { prefix: 'osd in', ids: ['3'] }, every: '5s', jitter: '2s' },
    ],
    redundancyAware: true,
  });
  let newest = 0;
  const behind: string[] = [];
  lab.watch(() => {
    for (const { process, daemon } of lab.cluster.mons) {
      if (process.state !== 'running') continue;
      const { name, role, readable, lastCommitted } = daemon!.inspect();
      if (role === 'leader' && readable && lastCommitted < newest) {
        behind.push(`${name} leads at version ${lastCommitted}, and ${newest} was committed`);
      }
      newest = Math.max(newest, lastCommitted);
    }
  });

  expect(lab.run()).toMatchObject(GOOD);
  expect(behind).toEqual([]);
  expect(lab.injector.script.filter(({ fault }) => fault === 'lose-store').length).toBeGreaterThan(3);
});
