/**
 * Whether a rule fires for a request.
 *
 *   names it? --> in its time? --> matches + 1 --> behind `after`? --> below `count`? --> chance --> firings + 1
 */
import type { RawString } from '@spirula/encoding';
import { draw } from './random.ts';

/** What rules look at. */
export interface FaultRequest {
  readonly operation: string;
  readonly bucket: RawString;
  readonly key: RawString;
  readonly method: string;
  /** Undefined: anonymous. */
  readonly uid: RawString | undefined;
}

/** The first half of a rule, with names as requests have them. Undefined: any. */
export interface FaultMatch {
  readonly operations: ReadonlySet<string> | undefined;
  readonly bucket: RawString | undefined;
  readonly prefix: RawString | undefined;
  readonly uid: RawString | undefined;
  readonly method: string | undefined;
  readonly probability: number;
  readonly count: number;
  readonly after: number;
  readonly fromSeconds: number;
  readonly untilSeconds: number;
}

/** What a rule remembers. `firings <= matches`. */
export interface FaultCounts {
  readonly matches: number;
  readonly firings: number;
  /** State of its stream of chance. */
  readonly random: number;
}

/** @param elapsedSeconds since the rule was set */
export function consider(
  match: FaultMatch,
  counts: FaultCounts,
  request: FaultRequest,
  elapsedSeconds: number,
): readonly [FaultCounts, fires: boolean] {
  if (!names(match, request)) return [counts, false];
  if (elapsedSeconds < match.fromSeconds || elapsedSeconds >= match.untilSeconds) return [counts, false];
  const seen = { ...counts, matches: counts.matches + 1 };
  if (seen.matches <= match.after || seen.firings >= match.count) return [seen, false];
  const [random, value] = draw(counts.random);
  if (value >= match.probability) return [{ ...seen, random }, false];
  return [{ ...seen, random, firings: seen.firings + 1 }, true];
}

function names(match: FaultMatch, request: FaultRequest): boolean {
  return (
    (match.operations === undefined || match.operations.has(request.operation)) &&
    (match.bucket === undefined || match.bucket === request.bucket) &&
    (match.prefix === undefined || request.key.startsWith(match.prefix)) &&
    (match.uid === undefined || match.uid === request.uid) &&
    (match.method === undefined || match.method === request.method)
  );
}
