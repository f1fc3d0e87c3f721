import { randomInt } from 'node:crypto';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { OsdMapToolIo } from './tool-io.ts';

/** This machine's files, clocks and chance. */
export const hostIo: Omit<OsdMapToolIo, 'stdout' | 'stderr' | 'readFile'> = {
  writeFile: (path, bytes) => writeFileSync(path, bytes),
  appendFile: (path, text) => appendFileSync(path, text),
  exists: (path) => existsSync(path),
  now: () => {
    const ms = Date.now();
    return { sec: Math.floor(ms / 1000), nsec: (ms % 1000) * 1_000_000 };
  },
  seconds: () => performance.now() / 1000,
  random: (below) => (below > 0 ? randomInt(below) : 0),
  pause: () => setImmediate(),
  env: process.env,
};
