/** Faults of clocks. */
import { parseSpan } from '../span.ts';
import type { Apply } from './scene.ts';

const wallJump: Apply<'wall-jump'> = ({ processes }, { by }) => {
  const us = parseSpan(by.replace(/^[-+]/, ''))! * (by.startsWith('-') ? -1 : 1);
  for (const process of processes) process.jumpWall(us);
  return () => {
    for (const process of processes) process.jumpWall(-us);
  };
};

const drift: Apply<'drift'> = ({ processes }, { ppm }) => {
  for (const process of processes) process.setDrift(ppm);
  return () => {
    for (const process of processes) process.setDrift(process.spec.clock.driftPpm);
  };
};

export const CLOCK_FAULTS = { 'wall-jump': wallJump, drift };
