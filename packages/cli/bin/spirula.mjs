#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../../../dist/main.mjs', import.meta.url);
if (!existsSync(main)) {
  console.error('spirula is not built yet. Run `npm start` once (or `node packages/cli/bin/setup.mjs`).');
  process.exit(1);
}
// The pool runs the flushes of every journal and device: fixed before the first of them starts it.
process.env['UV_THREADPOOL_SIZE'] ??= '16';
await import(main.href);
