export type { HttpRequest, HttpResponse } from './http.ts';
export { Mgr, type MgrOptions } from './mgr.ts';
export { column, formatTable } from './text-table.ts';
export { formatBytes, formatStamp } from './units.ts';
