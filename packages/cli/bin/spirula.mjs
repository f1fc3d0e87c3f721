#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

const main = new URL('../../../dist/main.mjs', import.meta.url);
if (!existsSync(main)) {
  console.error('spirula is not built yet. Run `npm start` once (or `node packages/cli/bin/setup.mjs`).');
  process.exit(1);
}
// The pool runs the flushes of every journal and device: fixed before the first of them starts it.
process.env['UV_THREADPOOL_SIZE'] ??= '16';
// What serves requests is to be fast before it has served thousands: V8 watches every function from its first call on, and compiles it
// after a seventh of the work that it waits for elsewhere. Commands that end soon would only lose by it.
if (['up', 'daemon', 'nbd'].includes(process.argv[2])) {
  setFlagsFromString('--no-lazy-feedback-allocation');
  setFlagsFromString('--interrupt-budget=10000');
}
await import(main.href);
