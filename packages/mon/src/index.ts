export { type MonCommandEntry, prefixOf } from './commands/command.ts';
export { commandEntries } from './commands/command-table.ts';
export { Monitor, type MonitorOptions } from './monitor.ts';
export { readMonMap } from './monmap-monitor.ts';
export type { MonRole } from './request-router.ts';
