/** Which entries of a trace are shown. */
import type { TraceEntry } from '@spirula/sim-world';

export interface TraceFilter {
  readonly pgs?: ReadonlySet<string>;
  readonly daemons?: ReadonlySet<string>;
  /** Of messages. One that ends with `*` stands for all that begin so. */
  readonly types?: readonly string[];
  readonly kinds?: ReadonlySet<string>;
  /** Virtual time, in microseconds, both ends included. */
  readonly fromUs?: number;
  readonly toUs?: number;
}

/** The verdict is shown whatever is asked about: it is why one looks. */
const VERDICTS: ReadonlySet<string> = new Set(['violation', 'end']);

/** Whether an entry passes every part of the filter. A header always does. */
export function passes(filter: TraceFilter, entry: TraceEntry): boolean {
  if (entry.kind === 'header') return true;
  const { pgs, daemons, types, kinds, fromUs, toUs } = filter;
  if (fromUs !== undefined && entry.at < fromUs) return false;
  if (toUs !== undefined && entry.at > toUs) return false;
  if (kinds !== undefined && !kinds.has(entry.kind)) return false;
  if (VERDICTS.has(entry.kind)) return true;
  if (pgs !== undefined && !pgs.has(pgOf(entry) ?? '')) return false;
  if (daemons !== undefined && !daemonsOf(entry).some((name) => daemons.has(name))) return false;
  return types === undefined || (entry.kind === 'message' && types.some((type) => matches(type, entry.type)));
}

function pgOf(entry: TraceEntry): string | undefined {
  return 'pgid' in entry ? entry.pgid : undefined;
}

/** Whom an entry is about. */
function daemonsOf(entry: TraceEntry): readonly string[] {
  if (entry.kind === 'message') return [entry.from, entry.to];
  if (entry.kind === 'fault') {
    const named = entry.facts?.['daemons'];
    return Array.isArray(named) ? named : [];
  }
  return 'daemon' in entry ? [entry.daemon] : [];
}

function matches(pattern: string, type: string): boolean {
  return pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
}
