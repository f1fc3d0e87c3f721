import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'sim/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // In the daemons of these tests nobody may look at memory that was given back (packages/runtime-node/src/large-memory.ts).
    env: { SPIRULA_SPOIL_MEMORY: '1' },
  },
});
