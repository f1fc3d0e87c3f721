export { type CommandArgs, type CommandOutcome, formatJson, refuse, succeed } from './commands/command.ts';
export { commandEntries } from './commands/command-table.ts';
export type { HttpRequest, HttpResponse } from './http.ts';
export { Mgr, type MgrOptions } from './mgr.ts';
export { type Asker, type MgrModule, type ModuleCommand, moduleCommand } from './mgr-module.ts';
