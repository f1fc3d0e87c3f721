import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { Lab } from '../lab.ts';
import { scenarioSchema } from '../spec.ts';
import { copiesOf, findReplicaDifferences } from './stored-objects.ts';
import { findUnclean } from './unclean-pgs.ts';

function bootLab(): Lab {
  const spec = scenarioSchema.parse({
    name: 'small',
    cluster: {
      mons: 3,
      osds: 3,
      mgrs: 0,
      clients: 1,
      options: { mon_osd_min_down_reporters: 1, osd_heartbeat_grace: 6, osd_heartbeat_interval: 1 },
    },
    pools: [{ size: 3, minSize: 2, pgNum: 1 }],
    workloads: [{ kind: 'objects', objects: 2 }],
  });
  const lab = new Lab(spec, 1);
  expect(lab.boot()).toBeUndefined();
  lab.simulation.runFor(10 * SECOND);
  return lab;
}

/** Lets time pass until it says so. */
function expectSaid({ cluster, simulation }: Lab, why: RegExp): void {
  const said: string[] = [];
  for (let i = 0; i < 600 && !why.test(said.at(-1) ?? ''); i++) {
    simulation.runFor(SECOND / 20);
    said.push(findUnclean(cluster).join());
  }
  expect(said.at(-1)).toMatch(why);
}

test('a PG that is not clean says what it waits for', () => {
  const lab = bootLab();
  expect(findUnclean(lab.cluster)).toEqual([]);
  const [first, second, third] = lab.cluster.actingOf({ pool: lab.cluster.pool, seed: 0 });

  third!.process.crash();
  expectSaid(lab, /^pg 1\.0 of osd\.\d \[\d,\d\] is active\+undersized.*: acting \[.*\] of 3/);
  second!.process.crash();
  expectSaid(lab, /1 of 2 OSDs that it needs/);
  first!.process.crash();
  expectSaid(lab, /its primary is stopped/);
});

test('a PG that peers names whom it has not heard, and that they do not run', () => {
  const lab = bootLab();
  const [first, second, third] = lab.cluster.actingOf({ pool: lab.cluster.pool, seed: 0 });
  second!.process.crash();
  expectSaid(lab, /undersized/);
  third!.process.hang();
  second!.process.start();

  expectSaid(lab, new RegExp(`of osd\\.${first!.id} .*\\(GetInfo\\): .*osd\\.${third!.id} \\(hung\\)`));
});

test('a write that was acknowledged and is on no disk is lost, on each replica', () => {
  const { cluster, simulation } = bootLab();
  simulation.runFor(20 * SECOND);
  cluster.clients[0]!.process.call(() => cluster.clients[0]!.daemon!.stopWork());
  simulation.runFor(5 * SECOND);
  const lost = () => cluster.work.findLost((object) => copiesOf(cluster, object));
  expect(lost()).toEqual([]);

  const gone = cluster.work.findLost((object) =>
    copiesOf(cluster, object).map(({ osd }) => ({ osd, content: undefined })),
  );

  expect(gone.join()).toMatch(/osd\.0: object-\d: .* is nothing; acknowledged last was/);
  expect(findReplicaDifferences(cluster)).toEqual([]);
});
