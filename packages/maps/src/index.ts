export type { HObject } from './hobject.ts';
export type { MgrMap, MgrModuleInfo, MgrModuleOption, MgrStandby } from './mgrmap.ts';
export type { MonInfo, MonMap } from './monmap.ts';
export {
  type OsdInfo,
  type OsdMap,
  OsdMapFlag,
  OsdState,
  type OsdXInfo,
  osdExists,
  osdIn,
  osdUp,
  type PgKey,
  type PgTable,
  pgKey,
  pgOfKey,
} from './osdmap.ts';
export type { OsdMapIncremental } from './osdmap-incremental.ts';
export type { PgPlacement } from './pg-mapping.ts';
export { type Pool, PoolFlag, PoolOpt, type PoolSnap, PoolType, type SnapInterval } from './pool.ts';
