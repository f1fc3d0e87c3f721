/** What managers, monitors and OSDs say to one another. Private types. */
import type { AddrVec, EntityName, Epoch, OsdId, Uuid } from '@spirula/encoding';
import type { HealthCheck, OsdStat, PgMapDigest, PgStat } from '../pg-stat.ts';

/** A manager lives, and would serve (MMgrBeacon). */
export interface MgrBeacon {
  readonly type: 'mgr_beacon';
  readonly name: string;
  readonly gid: bigint;
  readonly fsid: Uuid;
  /** Where it serves; empty until it can. */
  readonly addrs: AddrVec;
  readonly available: boolean;
  /** Commands it serves: the same objects as `get_command_descriptions` lists, flags with the MGR bit. */
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
