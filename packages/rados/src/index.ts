export type { CommandResult } from '@spirula/mon-client';
export { ALL_NAMESPACES, type ListedObject } from '@spirula/objecter';
export { IoCtx, type IoOptions, type ObjectStat, type OperationResult, type Watcher } from './ioctx.ts';
export { breakLock, type LockOptions, listLocks, lockInfo, lockObject, unlockObject } from './object-locks.ts';
export { mismatchOf, ObjectOperation } from './object-operation.ts';
export { type ClusterStats, type CommandLine, type PoolStats, Rados, type RadosOptions } from './rados.ts';
export { RadosError } from './rados-error.ts';
export { type ObjectClone, PoolSnapshots, type SnapSet, type Snapshot } from './snapshots.ts';
export type { NotifyResult, Watch, WatchedNotify, WatchOptions } from './watch.ts';
