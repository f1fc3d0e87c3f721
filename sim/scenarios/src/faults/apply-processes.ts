/** Faults of processes and their machines. */

import type { SimProcess } from '@spirula/sim-world';
import { type Instant, SECOND } from '@spirula/world';
import type { SimCluster } from '../cluster.ts';
import { parseSpan } from '../span.ts';
import type { Apply } from './scene.ts';

/** An init system takes so long to start what has stopped. */
const RESTART_DELAY: Instant = SECOND;

function strike(
  blow: (process: SimProcess, cluster: SimCluster) => void,
): Apply<'crash' | 'power-loss' | 'hang' | 'stop'> {
  return ({ cluster, processes }) => {
    for (const process of processes) blow(process, cluster);
    return () => {
      for (const process of processes) cluster.recover(process);
    };
  };
}

const restart: Apply<'restart' | 'rolling-restart'> = ({ cluster, processes, later }, fault) => {
  const pause = fault.fault === 'restart' ? 0 : parseSpan(fault.pause)!;
  for (const [i, process] of processes.entries()) {
    later(i * pause, () => {
      process.terminate();
      later(RESTART_DELAY, () => cluster.recover(process));
    });
  }
  return undefined;
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
};
