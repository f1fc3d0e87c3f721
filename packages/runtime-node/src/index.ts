export { nodeCrypto } from './crypto.ts';
export { DaemonHost, type HostConfig, type HostExit, type HostLoad } from './host.ts';
export { type LogConfig, type LogLevel, NodeLog } from './log.ts';
export { MemoryDisk } from './memory-disk.ts';
export { type NetStats, NodeNet, type NodeNetConfig } from './net.ts';
export { DEFAULT_BOUNDS, type NetBounds } from './net-bounds.ts';
export type { Ports } from './net-listener.ts';
export { openStorage, type Storage, type StorageListener, type StoreConfig } from './storage.ts';
export { StorageProblem } from './storage-problem.ts';
