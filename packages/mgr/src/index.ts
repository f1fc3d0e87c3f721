export { commandEntries } from './commands/command-table.ts';
export type { HttpRequest, HttpResponse } from './http.ts';
export { Mgr, type MgrOptions } from './mgr.ts';
