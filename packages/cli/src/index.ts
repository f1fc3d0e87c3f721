export { FIRST_POOL } from './cluster/bootstrap.ts';
export { askCluster } from './cluster/control.ts';
export type { DaemonStatus as ProcessStatus } from './cluster/supervisor.ts';
export { ClassError, startCluster } from './library.ts';
export type { CalledObject, ObjectClass, RunningCluster, RunningS3Cluster } from './library-types.ts';
