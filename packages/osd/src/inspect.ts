/** What checkers outside may see of an OSD: plain data, made on demand. */
import { type Epoch, type EVersion, formatPgId, type OsdId } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import type { MissingItem, PgInfo } from '@spirula/messages';
import { isPgMeta, isTemp } from './object-id.ts';
import { readObjectInfo } from './object-part.ts';
import type { Pg } from './pg.ts';
import { findBlockers } from './pg-blockers.ts';
import { pgStateString } from './pg-stat.ts';

export interface PgInspection {
  readonly pgid: string;
  /** State of the peering machine. */
  readonly peering: string;
  /** As `pg dump` shows it; meaningful on the primary. */
  readonly state: string;
  readonly isPrimary: boolean;
  readonly up: readonly OsdId[];
  readonly acting: readonly OsdId[];
  readonly info: PgInfo;
  readonly missing: number;
  readonly logHead: EVersion;
  readonly logTail: EVersion;
  readonly logSize: number;
  readonly waitingOps: number;
  /** On the primary: what keeps it from being active and clean. */
  blockers(): readonly string[];
  /** What nobody that this primary knows of has. */
  unfound(): readonly MissingItem[];
  /** Every object in the store, with its version. */
  objects(): readonly { readonly oid: HObject; readonly version: EVersion | undefined }[];
}

export interface OsdInspection {
  readonly osd: OsdId;
  readonly epoch: Epoch;
  readonly boot: string;
  readonly pgs: readonly PgInspection[];
}

export function inspectPg(pg: Pg): PgInspection {
  const { core } = pg;
  return {
    pgid: formatPgId(pg.pgid),
    peering: pg.peering.state.name,
    state: pgStateString(pg),
    isPrimary: core.isPrimary,
    up: core.up,
    acting: core.acting,
    info: core.info,
    missing: core.missing.size,
    logHead: core.log.head,
    logTail: core.log.tail,
    logSize: core.log.size,
    waitingOps: pg.ops.waiting,
    blockers: () => findBlockers(pg),
    unfound: () => (pg.peering.isActive && core.isPrimary ? pg.recovery.unfound() : []),
    objects: () =>
      core.host.store
        .list(core.cid, undefined, Number.MAX_SAFE_INTEGER)
        .filter((oid) => !isPgMeta(oid) && !isTemp(oid))
        .map((oid) => ({ oid, version: readObjectInfo(core.host.store, core.cid, oid)?.version })),
  };
}
