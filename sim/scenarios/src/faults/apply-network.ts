/** Faults of networks. */
import { type Networks, type SimProcess, undoAll } from '@spirula/sim-world';
import type { Instant } from '@spirula/world';
import { parseSpan } from '../span.ts';
import type { Apply, Scene, Undo } from './scene.ts';
import { findTargets } from './targets.ts';

type Way = readonly [from: SimProcess, to: SimProcess];

/** A clog or a refusal that nobody ends lasts no longer. */
const AN_HOUR: Instant = 3_600_000_000;

const partition: Apply<'partition'> = (scene, { groups, oneWay = false, network }) => {
  const named = groups.map((group) => (group === 'rest' ? undefined : findTargets(scene.cluster, group)));
  const [left, right] = named.map((group, i) => group ?? othersThan(scene, named[1 - i] ?? [])) as [
    SimProcess[],
    SimProcess[],
  ];
  const ways = left.flatMap((a) => right.flatMap((b): Way[] => (a === b ? [] : [[a, b]])));
  return cut(scene, oneWay ? ways : [...ways, ...ways.map(([a, b]): Way => [b, a])], network);
};

const isolate: Apply<'isolate'> = (scene, { ways = 'both', network }) => {
  const out = waysFrom(scene);
  const back = out.map(([a, b]): Way => [b, a]);
  return cut(scene, ways === 'both' ? [...out, ...back] : ways === 'mute' ? out : back, network);
};

const clog: Apply<'clog'> = (scene, { network }) => {
  const { paths } = scene.cluster.simulation.network;
  return undoAll(bothWays(waysFrom(scene)).map(([from, to]) => paths.clog(from.name, to.name, AN_HOUR, network)));
};

const delay: Apply<'delay'> = (scene, { upTo, network }) => {
  const { paths } = scene.cluster.simulation.network;
  const us = parseSpan(upTo)!;
  return undoAll(bothWays(waysFrom(scene)).map(([from, to]) => paths.delay(from.name, to.name, us, network)));
};

const latencyTail: Apply<'latency-tail'> = (scene, { oneIn, from: least, upTo, network }) => {
  const { paths } = scene.cluster.simulation.network;
  const tail = { oneIn, fromUs: parseSpan(least)!, maxUs: parseSpan(upTo)! };
  return undoAll(bothWays(waysFrom(scene)).map(([from, to]) => paths.tail(from.name, to.name, tail, network)));
};

const bandwidth: Apply<'bandwidth'> = ({ processes, cluster }, { bytesPerSecond, network }) => {
  const { paths } = cluster.simulation.network;
  return undoAll(processes.map(({ name }) => paths.limitMachine(name, bytesPerSecond, network)));
};

const reset: Apply<'reset'> = ({ processes, cluster }, { count }) => {
  const { simulation } = cluster;
  const from = processes.length > 0 ? processes : simulation.processes;
  const sessions = from.flatMap((process) => process.sessions);
  const random = simulation.random(`connections that break at ${simulation.now}`);
  for (const session of count === undefined ? sessions : random.shuffle(sessions).slice(0, count)) session.breakOff();
  return undefined;
};

const refuse: Apply<'refuse'> = ({ processes }) =>
  undoAll(
    processes.flatMap((process) => {
      const listening = Object.entries(process.spec.endpoints).filter(([, port]) => port !== 'dial');
      return listening.map(([endpoint]) => process.refuse(endpoint, AN_HOUR));
    }),
  );

export const NETWORK_FAULTS = {
  partition,
  isolate,
  clog,
  delay,
  'latency-tail': latencyTail,
  bandwidth,
  reset,
  refuse,
};

function othersThan({ cluster }: Scene, group: readonly SimProcess[]): SimProcess[] {
  return cluster.simulation.processes.filter((process) => !group.includes(process));
}

function waysFrom(scene: Scene): Way[] {
  const others = othersThan(scene, scene.processes);
  return scene.processes.flatMap((a) => others.map((b): Way => [a, b]));
}

function bothWays(ways: readonly Way[]): Way[] {
  return [...ways, ...ways.map(([a, b]): Way => [b, a])];
}

function cut({ cluster }: Scene, ways: readonly Way[], network: Networks | undefined): Undo {
  const { paths } = cluster.simulation.network;
  return undoAll(ways.map(([from, to]) => paths.cut(from.name, to.name, network)));
}
