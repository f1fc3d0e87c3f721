import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

/** Tests that leave nothing behind: they share the modules that they load, which takes as long as many of them run. */
const OF_UNITS = ['packages/*/src/**/*.test.ts', 'sim/*/src/**/*.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // One more than CI has cores: tests wait for clusters, and for what is to time out.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // In the daemons of these tests nobody may look at memory that was given back (packages/runtime-node/src/large-memory.ts).
    env: { SPIRULA_SPOIL_MEMORY: '1' },
    projects: [
      { extends: true, test: { name: 'units', include: OF_UNITS, isolate: false } },
      { extends: true, test: { name: 'whole', include: ['test/**/*.test.ts'] } },
    ],
  },
});
