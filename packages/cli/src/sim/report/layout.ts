/** Where each row is, from the top: overview, axis, health, quorum, faults, lanes, PGs. */
import type { Model } from './model.ts';

export const OVERVIEW_HEIGHT = 34;
export const AXIS_HEIGHT = 24;
const BAND_HEIGHT = 18;
export const FAULT_ROW_HEIGHT = 17;
const PG_HEIGHT = 16;
const GAP = 10;
const MIN_LANE = 30;
const MAX_LANE = 64;

interface Row {
  readonly top: number;
  readonly height: number;
}

export interface Layout {
  readonly health: Row;
  readonly quorum: Row;
  readonly faults: Row;
  readonly lanes: readonly Row[];
  readonly pgs: readonly Row[];
  /** Height of all rows, the fixed ones at the top included. */
  readonly height: number;
}

/** Row positions before scrolling. Lanes share the room that there is. */
export function layOut(model: Model, height: number): Layout {
  const fixed = OVERVIEW_HEIGHT + AXIS_HEIGHT;
  const faultHeight = model.faultRows * FAULT_ROW_HEIGHT;
  const pgsHeight = model.pgs.length * PG_HEIGHT;
  const others = fixed + 2 * BAND_HEIGHT + faultHeight + pgsHeight + 4 * GAP;
  const laneHeight = Math.min(MAX_LANE, Math.max(MIN_LANE, (height - others) / Math.max(1, model.lanes.length)));
  let top = fixed + GAP / 2;
  const take = (rowHeight: number, gap = 0): Row => {
    const row = { top, height: rowHeight };
    top += rowHeight + gap;
    return row;
  };
  const health = take(BAND_HEIGHT, 2);
  const quorum = take(BAND_HEIGHT, GAP / 2);
  const faults = take(faultHeight, GAP);
  const lanes = model.lanes.map(() => take(laneHeight));
  top += GAP;
  const pgs = model.pgs.map(() => take(PG_HEIGHT));
  return { health, quorum, faults, lanes, pgs, height: top + GAP };
}
