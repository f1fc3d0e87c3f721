/** Faults of networks. */
import type { Paths, SimProcess } from '@spirula/sim-world';
import { parseSpan } from '../span.ts';
import type { Apply, Scene, Undo } from './scene.ts';
import { findTargets } from './targets.ts';

type Way = readonly [from: SimProcess, to: SimProcess];

const partition: Apply<'partition'> = (scene, { groups, oneWay = false }) => {
  const named = groups.map((group) => (group === 'rest' ? undefined : findTargets(scene.cluster, group)));
  const [left, right] = named.map((group, i) => group ?? othersThan(scene, named[1 - i]!)) as [
    SimProcess[],
    SimProcess[],
  ];
  const ways = left.flatMap((a) => right.map((b): Way => [a, b]));
  return cut(scene, oneWay ? ways : [...ways, ...ways.map(([a, b]): Way => [b, a])]);
};

const isolate: Apply<'isolate'> = (scene, { ways = 'both' }) => {
  const out = scene.processes.flatMap((a) => othersThan(scene, scene.processes).map((b): Way => [a, b]));
  const back = out.map(([a, b]): Way => [b, a]);
  return cut(scene, ways === 'both' ? [...out, ...back] : ways === 'mute' ? out : back);
};

const delay: Apply<'delay'> = (scene, { upTo }) => {
  const { paths } = scene.cluster.simulation.network;
  const ways = scene.processes.flatMap((a) =>
    scene.cluster.simulation.processes.flatMap((b): Way[] =>
      a === b
        ? []
        : [
            [a, b],
            [b, a],
          ],
    ),
  );
  const set = (us: number) => {
    for (const [from, to] of ways) paths.delay(from.name, to.name, us);
  };
  set(parseSpan(upTo)!);
  return () => set(0);
};

const reset: Apply<'reset'> = ({ processes, cluster }, { count }) => {
  const { simulation } = cluster;
  if (count === undefined) {
    for (const process of processes) for (const session of process.sessions) session.breakOff();
    return undefined;
  }
  const from = processes.length > 0 ? processes : simulation.processes;
  const random = simulation.random(`connections that break at ${simulation.now}`);
  const sessions = random.shuffle(from.flatMap((process) => process.sessions));
  for (const session of sessions.slice(0, count)) session.breakOff();
  return undefined;
};

export const NETWORK_FAULTS = { partition, isolate, delay, reset };

function othersThan({ cluster }: Scene, group: readonly SimProcess[]): SimProcess[] {
  return cluster.simulation.processes.filter((process) => !group.includes(process));
}

function cut({ cluster }: Scene, ways: readonly Way[]): Undo {
  const { paths }: { paths: Paths } = cluster.simulation.network;
  for (const [from, to] of ways) paths.cut(from.name, to.name);
  return () => {
    for (const [from, to] of ways) paths.mend(from.name, to.name);
  };
}
