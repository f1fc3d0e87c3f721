/** Faults of processes and their machines. */

import { type SimProcess, undoAll } from '@spirula/sim-world';
import { type Instant, SECOND } from '@spirula/world';
import type { SimCluster } from '../cluster.ts';
import { replaceOsd } from '../operator.ts';
import { parseSpan } from '../span.ts';
import type { Apply } from './scene.ts';
import { UnknownTarget } from './targets.ts';

/** An init system takes so long to start what has stopped. */
const RESTART_DELAY: Instant = SECOND;

function strike(
  blow: (process: SimProcess, cluster: SimCluster) => void,
): Apply<'crash' | 'power-loss' | 'hang' | 'stop'> {
  return ({ cluster, processes }) => {
    for (const process of processes) blow(process, cluster);
    return undoAll(processes.map((process) => cluster.hold(process)));
  };
}

const restart: Apply<'restart' | 'rolling-restart'> = ({ cluster, processes, later }, fault) => {
  const pause = fault.fault === 'restart' ? 0 : parseSpan(fault.pause)!;
  for (const [i, process] of processes.entries()) {
    later(i * pause, () => {
      if (!cluster.isOutOfService(process)) process.restart(RESTART_DELAY);
    });
  }
  return undefined;
};

const slowCpu: Apply<'slow-cpu'> = ({ processes }, { factor }) =>
  undoAll(processes.map((process) => process.slow(factor)));

/** An operator takes the OSD out of the cluster and puts a new one in: that takes as long as it takes, fault or no fault. */
const replace: Apply<'replace'> = ({ cluster, processes }) => {
  for (const process of processes) replaceOsd(cluster, process);
  return undefined;
};

/** No healing brings it back. */
const loseDisk: Apply<'lose-disk'> = ({ cluster, processes }) => {
  for (const process of processes) cluster.loseDisk(process);
  return undefined;
};

const loseStore: Apply<'lose-store'> = ({ cluster, processes }) => {
  for (const process of processes) {
    cluster.remakeMon(process);
    process.crash();
    process.disk.wipe();
  }
  return undoAll(processes.map((process) => cluster.hold(process)));
};

/** Operators change which monitors there are: that takes as long as it takes, and so does changing it back. */
const changeMons: Apply<'remove-mon' | 'add-mon'> = ({ cluster, processes }, { fault }) => {
  const places = processes.map((process) => {
    const place = cluster.mons.find((each) => each.process === process && each.isFounder === (fault === 'remove-mon'));
    if (place !== undefined) return place;
    throw new UnknownTarget(
      `${process.name} is no monitor that ${fault} is for: spare ones are added, the others removed`,
    );
  });
  return undoAll(places.map((place) => cluster.monOperator.change(place)));
};

export const PROCESS_FAULTS = {
  crash: strike((process) => process.crash()),
  'power-loss': strike((process) => process.powerLoss()),
  hang: strike((process) => {
    if (process.state === 'running') process.hang();
  }),
  stop: strike((process, cluster) => cluster.stop(process)),
  start: (({ cluster, processes }) => {
    for (const process of processes) cluster.recover(process);
    return undefined;
  }) satisfies Apply<'start'>,
  restart,
  'rolling-restart': restart,
  'slow-cpu': slowCpu,
  replace,
  'lose-disk': loseDisk,
  'lose-store': loseStore,
  'remove-mon': changeMons,
  'add-mon': changeMons,
};
