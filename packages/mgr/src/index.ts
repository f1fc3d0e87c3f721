export { type CommandArgs, type CommandOutcome, formatJson, refuse, succeed } from './commands/command.ts';
export { commandEntries } from './commands/command-table.ts';
export type { HttpRequest, HttpResponse } from './http.ts';
export { Mgr, type MgrOptions } from './mgr.ts';
export { type Asker, type MgrModule, type MgrServices, type ModuleCommand, moduleCommand } from './mgr-module.ts';
export type { PerfQueries } from './osd-perf-queries.ts';
