/** What clocks may do to a whole cluster: nothing, by wall time; nothing unsafe, by drift within its bound. */
import { type SimProcess, Simulation } from '@spirula/sim-world';
import { type Config, MAX_DRIFT_PPM, SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { bootCluster } from './bootstrap.ts';
import { findReplicaDifferences } from './checkers/stored-objects.ts';
import { findUnclean } from './checkers/unclean-pgs.ts';
import { SimCluster } from './cluster.ts';
import { scenarioSchema } from './spec.ts';

const HOUR = 3600 * SECOND;

function startWork(seed: number, options: Partial<Config> = {}): { simulation: Simulation; cluster: SimCluster } {
  const simulation = new Simulation({ seed });
  const spec = scenarioSchema.parse({
    name: 'clocks',
    cluster: {
      osds: 4,
      options: { mon_osd_min_down_reporters: 1, osd_heartbeat_grace: 8, osd_heartbeat_interval: 2, ...options },
    },
    pools: [{ pgNum: 4 }],
    workloads: [
      { kind: 'objects', objects: 4, pace: { kind: 'closed', workers: 1, restUs: 1_500_000 }, writeBytes: 200 },
    ],
  });
  const cluster = new SimCluster(simulation, spec);
  bootCluster(cluster);
  for (const { process, daemon } of cluster.clients) process.call(() => daemon!.beginWork(cluster.pool));
  return { simulation, cluster };
}

/** Everything that happens while an OSD hangs and goes on: to whom, when, and of which kind. */
function historyOf(disturb: (process: SimProcess, after: number) => void): string[] {
  const { simulation, cluster } = startWork(5);
  const happened: string[] = [];
  simulation.onEvent(({ name }, event) => {
    const what = event.kind === 'message' ? event.message.type : event.kind === 'timer' ? event.name : '';
    happened.push(`${simulation.now} ${name} ${event.kind} ${what}`);
  });
  for (let second = 0; second < 45; second++) {
    for (const process of simulation.processes) disturb(process, second);
    if (second === 10) cluster.osds[1]!.process.hang();
    if (second === 30) cluster.osds[1]!.process.resume();
    simulation.runFor(SECOND);
  }
  expect(simulation.violations).toEqual([]);
  expect(cluster.osdMap!.epoch).toBeGreaterThan(5);
  return happened;
}

test('nobody decides by wall time: clocks that jump by hours change no event, and when', () => {
  const jumps = [HOUR, -3 * HOUR, 7, 2 * HOUR, -7];
  const quiet = historyOf(() => {});
  const jumping = historyOf((process, second) => {
    if ((second + process.number) % 3 === 0) process.jumpWall(jumps[(second + process.number) % jumps.length]!);
  });

  expect(jumping.length).toBe(quiet.length);
  expect(jumping.find((what, i) => what !== quiet[i])).toBeUndefined();
}, 120_000);

test.each([1, 2])(
  'clocks that drift apart as far as they may, and turn about, lose nothing (seed %i)',
  (seed) => {
    const { simulation, cluster } = startWork(seed);
    const random = simulation.random('drift');
    const { paths } = simulation.network;
    const names = simulation.processes.map(({ name }) => name);
    for (let i = 0; i < 10; i++) {
      for (const process of simulation.processes) process.drift(random.pick([-MAX_DRIFT_PPM, 0, MAX_DRIFT_PPM]));
      const cutOff = random.pick(cluster.osds).process.name;
      // The monitors and most clients are on one side, now and then a client with a primary on the other.
      const alone = random.oneIn(2) ? [cutOff, 'client.1'] : [cutOff];
      const others = names.filter((name) => !alone.includes(name));
      const join = paths.part(alone, others);
      simulation.runFor((5 + random.below(20)) * SECOND);
      join();
      simulation.runFor(random.below(10) * SECOND);
    }
    for (const { daemon } of cluster.clients) daemon!.stopWork();
    for (let i = 0; i < 120 && findUnclean(cluster).length > 0; i++) simulation.runFor(SECOND);
    simulation.runFor(10 * SECOND);

    expect(findUnclean(cluster)).toEqual([]);
    expect(findReplicaDifferences(cluster)).toEqual([]);
    expect(simulation.violations).toEqual([]);
  },
  120_000,
);
