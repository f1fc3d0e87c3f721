/** Faults of clocks. */
import { undoAll } from '@spirula/sim-world';
import { parseSpan } from '../span.ts';
import type { Apply } from './scene.ts';

const wallJump: Apply<'wall-jump'> = ({ processes }, { by }) => {
  const us = parseSpan(by.replace(/^[-+]/, ''))! * (by.startsWith('-') ? -1 : 1);
  for (const process of processes) process.jumpWall(us);
  return () => {
    for (const process of processes) process.jumpWall(-us);
  };
};

const drift: Apply<'drift'> = ({ processes }, { ppm }) => undoAll(processes.map((process) => process.drift(ppm)));

export const CLOCK_FAULTS = { 'wall-jump': wallJump, drift };
