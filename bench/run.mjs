#!/usr/bin/env node
// Runs the benchmarks as users run the rest: bundled. Simulated clusters get as much room for young objects as the threads
// that run seeds have.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions } from '../packages/cli/bin/build.mjs';

const outfile = fileURLToPath(new URL('dist/main.mjs', import.meta.url));
await build({ ...bundleOptions, entryPoints: ['bench/src/main.ts'], outExtension: undefined, outfile });
const { status } = spawnSync(process.execPath, ['--max-semi-space-size=32', outfile, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
