/** What managers, monitors and OSDs say to one another. Private types. */
import type { AddrVec, EntityName, Epoch, OsdId, Uuid } from '@spirula/encoding';
import type { HealthCheck, ObjectStatSum, OsdStat, PgMapDigest, PgStat, PoolStat } from '../pg-stat.ts';
import { snapIntervals } from './pg-records.ts';
import {
  addrVec,
  bigint,
  bool,
  entityName,
  eversion,
  float,
  i32,
  int,
  list,
  literal,
  map,
  object,
  type PrivateCodecs,
  pgid,
  privateMessage,
  record,
  type Schema,
  string,
  stringOr,
  u32,
  uint,
  utime,
  uuid,
} from './schema.ts';

/** A manager lives, and would serve (MMgrBeacon). */
export interface MgrBeacon {
  readonly type: 'mgr_beacon';
  readonly name: string;
  readonly gid: bigint;
  readonly fsid: Uuid;
  /** Where it serves; empty until it can. */
  readonly addrs: AddrVec;
  readonly available: boolean;
  /**
   * Commands it serves: the same objects as `get_command_descriptions` lists, flags with the MGR bit. They count when it
   * becomes available; later they may be left out.
   */
  readonly commandDescriptions: readonly CommandDescription[];
  readonly services: ReadonlyMap<string, string>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** One entry of get_command_descriptions. */
export interface CommandDescription {
  /** Words, and argument objects `{name, type, n?, req?, strings?, range? …}`. */
  readonly sig: readonly (string | Readonly<Record<string, string>>)[];
  readonly help: string;
  readonly module: string;
  readonly perm: string;
  /** 8: served by the manager. */
  readonly flags: number;
}

/** A daemon introduces itself to the active manager (MMgrOpen). */
export interface MgrOpen {
  readonly type: 'mgr_open';
  readonly entity: EntityName;
}

/** Statistics of an OSD and the PGs it is primary of (MPGStats). Only PGs that changed since the last, or all with `full`. */
export interface PgStats {
  readonly type: 'pg_stats';
  readonly osd: OsdId;
  readonly epoch: Epoch;
  readonly osdStat: OsdStat;
  readonly pgs: readonly PgStat[];
  readonly full: boolean;
}

/** The manager's digest and health checks for the monitors (MMonMgrReport). */
export interface MonMgrReport {
  readonly type: 'mon_mgr_report';
  readonly gid: bigint;
  readonly digest: PgMapDigest;
  readonly checks: ReadonlyMap<string, HealthCheck>;
}

export type MgrMessage = MgrBeacon | MgrOpen | MonMgrReport | PgStats;

const objectStatSum: Schema<ObjectStatSum> = object({
  bytes: int,
  objects: int,
  objectClones: int,
  whiteouts: int,
  objectCopies: int,
  objectsMissingOnPrimary: int,
  objectsDegraded: int,
  objectsMisplaced: int,
  objectsUnfound: int,
  reads: int,
  readBytes: int,
  writes: int,
  writeBytes: int,
  objectsRecovered: int,
  bytesRecovered: int,
  omapBytes: int,
  omapKeys: int,
});

const poolStat: Schema<PoolStat> = object({
  sum: objectStatSum,
  logSize: int,
  ondiskLogSize: int,
  up: i32,
  acting: i32,
  allocated: int,
  numOsds: u32,
});

const osdStat: Schema<OsdStat> = object({
  kb: uint,
  kbUsed: uint,
  kbUsedData: uint,
  kbUsedOmap: uint,
  kbUsedMeta: uint,
  kbAvail: uint,
  hbPeers: list(i32),
  numPgs: u32,
  upFrom: u32,
  seq: uint,
  commitLatencyMs: float,
  applyLatencyMs: float,
  slowOps: object({ count: u32, oldestSeconds: u32 }),
  pings: list(object({ osd: u32, back: list(u32), front: list(u32) })),
});

const pgStat: Schema<PgStat> = object({
  pgid,
  state: string,
  version: eversion,
  reportedSeq: uint,
  reportedEpoch: u32,
  up: list(i32),
  upPrimary: i32,
  acting: list(i32),
  actingPrimary: i32,
  created: u32,
  lastEpochClean: u32,
  mappingEpoch: u32,
  lastFresh: utime,
  lastChange: utime,
  lastActive: utime,
  lastPeered: utime,
  lastClean: utime,
  lastUnstale: utime,
  lastUndegraded: utime,
  lastFullsized: utime,
  logStart: eversion,
  logSize: uint,
  sum: objectStatSum,
  blockedBy: list(i32),
  snaptrimqLen: uint,
  purgedSnaps: snapIntervals,
});

const digest: Schema<PgMapDigest> = object({
  numPgs: u32,
  numPgActive: u32,
  numPgUnknown: u32,
  pgsByState: map(string, u32),
  pools: map(uint, poolStat),
  pgsPerPool: map(uint, u32),
  osdStats: map(u32, osdStat),
  pgsPerOsd: map(u32, u32),
  total: objectStatSum,
  kb: uint,
  kbUsed: uint,
  kbAvail: uint,
  readBytesPerSecond: float,
  writeBytesPerSecond: float,
  readOpsPerSecond: float,
  writeOpsPerSecond: float,
  recoveryBytesPerSecond: float,
  recoveryObjectsPerSecond: float,
  stalePgs: list(pgid),
  purgedSnaps: map(uint, snapIntervals),
});

const healthCheck: Schema<HealthCheck> = object({
  severity: literal('HEALTH_WARN', 'HEALTH_ERR'),
  summary: string,
  count: uint,
  detail: list(string),
});

const commandDescription: Schema<CommandDescription> = object({
  sig: list(stringOr(record(string))),
  help: string,
  module: string,
  perm: string,
  flags: u32,
});

export const privateCodecs = {
  mgr_beacon: privateMessage(0x8200, {
    name: string,
    gid: bigint,
    fsid: uuid,
    addrs: addrVec,
    available: bool,
    commandDescriptions: list(commandDescription),
    services: map(string, string),
    metadata: map(string, string),
  }),
  mgr_open: privateMessage(0x8201, { entity: entityName }),
  pg_stats: privateMessage(0x8202, { osd: u32, epoch: u32, osdStat, pgs: list(pgStat), full: bool }),
  mon_mgr_report: privateMessage(0x8203, { gid: bigint, digest, checks: map(string, healthCheck) }),
} satisfies PrivateCodecs<MgrMessage>;
