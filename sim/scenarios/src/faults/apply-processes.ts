/** Faults of processes and their machines. */

import type { SimProcess } from '@spirula/sim-world';
import { type Instant, SECOND } from '@spirula/world';
import { parseSpan } from '../span.ts';
import type { Apply } from './scene.ts';

/** An init system takes so long to start what has stopped. */
const RESTART_DELAY: Instant = SECOND;

/** Sets going what hangs or is stopped. */
function recover(process: SimProcess): void {
  if (process.state === 'hung') process.resume();
  else if (process.state === 'stopped') process.start();
}

function strike(blow: (process: SimProcess) => void): Apply<'crash' | 'power-loss' | 'hang' | 'stop'> {
  return ({ processes }) => {
    for (const process of processes) blow(process);
    return () => {
      for (const process of processes) recover(process);
    };
  };
}

const restart: Apply<'restart' | 'rolling-restart'> = ({ processes, later }, fault) => {
  const pause = fault.fault === 'restart' ? 0 : parseSpan(fault.pause)!;
  for (const [i, process] of processes.entries()) {
    later(i * pause, () => {
      process.terminate();
      later(RESTART_DELAY, () => recover(process));
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
  stop: strike((process) => process.terminate()),
  start: (({ processes }) => {
    for (const process of processes) recover(process);
    return undefined;
  }) satisfies Apply<'start'>,
  restart,
  'rolling-restart': restart,
};
