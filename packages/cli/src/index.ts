export { FIRST_POOL } from './cluster/bootstrap.ts';
export { askCluster } from './cluster/control.ts';
export type { DaemonStatus as ProcessStatus } from './cluster/supervisor.ts';
export { startCluster } from './library.ts';
export type { RunningCluster } from './library-types.ts';
