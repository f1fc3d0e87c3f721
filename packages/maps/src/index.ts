export { dumpAddr } from './addr-dump.ts';
export { applyIncremental, emptyOsdMap } from './apply-incremental.ts';
export { EBLOCKLISTED, isBlocklisted } from './blocklist.ts';
export { type ExplainedPg, explainPg } from './explain-pg.ts';
export { formatMapFlags } from './flag-names.ts';
export { checkFullness, type FullnessOptions, markedOsds } from './fullness-health.ts';
export {
  compareHObjects,
  decodeHObject,
  encodeHObject,
  type HObject,
  MAX_HOBJECT,
  MIN_HOBJECT,
  reverseBits,
  sameHObject,
} from './hobject.ts';
export { checkMap, type MapHealthOptions } from './map-health.ts';
export { markAllUpAndIn, markIn, markOut, markUp, reweightOsds } from './mark-osds.ts';
export type { MgrMap, MgrModuleInfo, MgrModuleOption, MgrStandby } from './mgrmap.ts';
export { decodeMgrMap, encodeMgrMap } from './mgrmap-codec.ts';
export { dumpMgrMap } from './mgrmap-dump.ts';
export { minCompatClient } from './min-compat-client.ts';
export type { MonInfo, MonMap } from './monmap.ts';
export { addMon, monAt, nextMonMap, removeMon, setMonRank, setMonWeight } from './monmap-change.ts';
export { decodeMonMap, encodeMonMap } from './monmap-codec.ts';
export { dumpMonMap, MON_FEATURES, printMonMap } from './monmap-dump.ts';
export { newPool } from './new-pool.ts';
export { isFlagged } from './osd-flags.ts';
export { checkOsds, OPERATOR_FLAGS, type OsdHealthOptions, type RaiseCheck } from './osd-health.ts';
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
export { crcOfFullMap, decodeOsdMap, encodeOsdMap } from './osdmap-codec.ts';
export { dumpOsd, dumpOsdMap, dumpOsdMapExactly, dumpPool, formatSnapIntervals } from './osdmap-dump.ts';
export { nextOsdMap, type OsdMapFeed } from './osdmap-feed.ts';
export type { OsdMapIncremental } from './osdmap-incremental.ts';
export { decodeIncremental, emptyIncremental, encodeIncremental } from './osdmap-incremental-codec.ts';
export { printOsd, printOsdMap, printPool } from './osdmap-print.ts';
export {
  mapAnyPg,
  mapPg,
  mapPgRaw,
  mapPgUpmap,
  type ObjectPlace,
  objectHash,
  objectToPg,
  type PgPlacement,
  pgOfHash,
  placementSeed,
  stableMod,
} from './pg-mapping.ts';
export { type Pool, PoolFlag, PoolOpt, type PoolSnap, PoolType, type SnapInterval } from './pool.ts';
export { decodePool, encodePool } from './pool-codec.ts';
export { mapPool, type PgSets, type PoolMapping, pgSet } from './pool-mapping.ts';
export { AUTOSCALE_MODES, autoscaleModeName, poolOptionKey } from './pool-names.ts';
export { CEPH_VERSION, CEPH_VERSION_TEXT, RELEASE_METADATA, Release, releaseName, releaseNumber } from './release.ts';
export { encodingOf, followIncremental, type OsdMapStep, readOsdMap } from './shared-maps.ts';
export {
  type PlacedOsd,
  placedCrush,
  type SimpleMapOptions,
  type SimplePool,
  simpleCrush,
  simpleMap,
} from './simple-map.ts';
export {
  countSnaps,
  decodeSnapIntervals,
  encodeSnapIntervals,
  hasSnap,
  intersectSnaps,
  oneSnap,
  subtractSnaps,
  unionOfSnaps,
} from './snap-intervals.ts';
export { strHashLinux, strHashRjenkins } from './str-hash.ts';
export { addUpmaps, balancePgs, type UpmapGoal, type UpmapPlan } from './upmap-balance.ts';
export { cleanPgUpmaps, type UpmapItems } from './upmap-cleanup.ts';
