export { Monitor, type MonitorOptions } from './monitor.ts';
export type { MonRole } from './request-router.ts';
