import type { OsdId, PgId } from '@spirula/encoding';
import type { OsdMap } from './osdmap.ts';

/** Where a PG belongs and who serves it (OSDMap::pg_to_up_acting_osds). A hole in an erasure-coded set is CRUSH_ITEM_NONE. */
export interface PgPlacement {
  readonly up: readonly OsdId[];
  readonly upPrimary: OsdId;
  readonly acting: readonly OsdId[];
  /** -1: none. */
  readonly actingPrimary: OsdId;
}

export type MapPg = (map: OsdMap, pg: PgId) => PgPlacement;
