/** What each of some changes moves, and all of them together. */
import type { OsdMap } from '@spirula/maps';
import { CannotChange, type Movement, movementBetween, type PgBytes, parseChange } from '@spirula/placement';
import { UserError } from '../cluster/user-error.ts';

/** A change, and what it moves by itself. */
export interface Step {
  readonly change: string;
  readonly before: OsdMap;
  readonly after: OsdMap;
  readonly movement: Movement;
}

export interface WhatIf {
  readonly map: OsdMap;
  readonly steps: readonly Step[];
  /** From the map as it is to what comes of all changes, made at once. */
  readonly whole: Step;
}

/** @throws UserError when a change cannot be made */
export function answerTo(map: OsdMap, changes: readonly string[], bytesOf: PgBytes | undefined): WhatIf {
  const steps: Step[] = [];
  let current = settled(map);
  const first = current;
  try {
    const parsed = changes.map((change) => [change, parseChange(change)] as const);
    for (const [change, apply] of parsed) {
      const after = settled(apply(current));
      // What PGs hold is known of the map as it is.
      const known = sameGrain(map, current) ? bytesOf : undefined;
      steps.push({ change, before: current, after, movement: movementBetween(current, after, known) });
      current = after;
    }
  } catch (error) {
    if (!(error instanceof CannotChange)) throw error;
    throw new UserError(`${error.message}.`);
  }
  const movement = movementBetween(first, current, bytesOf);
  return { map: first, steps, whole: { change: 'all of it', before: first, after: current, movement } };
}

/** Nothing is temporary: what was under way is over. */
function settled(map: OsdMap): OsdMap {
  return { ...map, pgTemp: new Map(), primaryTemp: new Map() };
}

function sameGrain(a: OsdMap, b: OsdMap): boolean {
  return [...a.pools].every(([id, pool]) => b.pools.get(id)?.pgNum === pool.pgNum);
}
