/** The states of a PG (osd/osd_types.h PG_STATE_*): their names, bits, and the order Ceph prints and sorts them in. */

const BITS: ReadonlyMap<string, number> = new Map([
  ['creating', 0],
  ['active', 1],
  ['clean', 2],
  ['down', 4],
  ['recovery_unfound', 5],
  ['backfill_unfound', 6],
  ['premerge', 7],
  ['scrubbing', 8],
  ['degraded', 10],
  ['inconsistent', 11],
  ['peering', 12],
  ['repair', 13],
  ['recovering', 14],
  ['backfill_wait', 15],
  ['incomplete', 16],
  ['stale', 17],
  ['remapped', 18],
  ['deep', 19],
  ['backfilling', 20],
  ['backfill_toofull', 21],
  ['recovery_wait', 22],
  ['undersized', 23],
  ['activating', 24],
  ['peered', 25],
  ['snaptrim', 26],
  ['snaptrim_wait', 27],
  ['recovery_toofull', 28],
  ['snaptrim_error', 29],
  ['forced_recovery', 30],
  ['forced_backfill', 31],
  ['failed_repair', 32],
  ['laggy', 33],
  ['wait', 34],
]);

/** Of a PG that nobody has reported. */
export const UNKNOWN = 'unknown';

export function pgStates(state: string): readonly string[] {
  return state === UNKNOWN ? [] : state.split('+');
}

export function hasPgState(state: string, name: string): boolean {
  return pgStates(state).includes(name);
}

export function isPgState(name: string): boolean {
  return BITS.has(name);
}

/** All names, as an error message offers them. */
export function allPgStates(): string {
  return [...BITS.keys()].join('+');
}

/** Order of Ceph's own tables: by the states' bits taken as one number. */
export function comparePgStates(a: string, b: string): number {
  return stateNumber(a) - stateNumber(b);
}

function stateNumber(state: string): number {
  let sum = 0;
  for (const name of pgStates(state)) sum += 2 ** (BITS.get(name) ?? 0);
  return sum;
}

/** The state with `stale` in front, where Ceph prints it. */
export function staleState(state: string): string {
  return state === UNKNOWN ? 'stale' : `stale+${state}`;
}
