/** Finds entries: `type:osd_op daemon:osd.3 pg:1.7 kind:log`, and any text that is in an entry. */
import type { Entry } from './embedded.ts';
import type { Model } from './model.ts';

const FIELDS: ReadonlySet<string> = new Set(['type', 'daemon', 'pg', 'kind']);

interface Term {
  readonly field: string | undefined;
  readonly text: string;
}

/** Entries that fit every term, in the order of the trace. */
export function search(model: Model, query: string): number[] {
  const terms = query.trim().split(/\s+/).filter(Boolean).map(parseTerm);
  const hits: number[] = [];
  if (terms.length === 0) return hits;
  const { lines, carried } = model.embedded;
  for (let index = carried; index < lines.length; index++) {
    const line = lines[index]!;
    const lower = line.toLowerCase();
    // Cheap, and rules out nearly all.
    if (!terms.every(({ text }) => lower.includes(text))) continue;
    const entry = JSON.parse(line) as Entry;
    if (terms.every((term) => fits(term, entry))) hits.push(index);
  }
  return hits;
}

function parseTerm(word: string): Term {
  const colon = word.indexOf(':');
  const field = word.slice(0, Math.max(colon, 0)).toLowerCase();
  return FIELDS.has(field)
    ? { field, text: word.slice(colon + 1).toLowerCase() }
    : { field: undefined, text: word.toLowerCase() };
}

function fits({ field, text }: Term, entry: Entry): boolean {
  switch (field) {
    case 'type':
      return entry.kind === 'message' && entry.type.includes(text);
    case 'daemon':
      return entry.kind === 'message'
        ? entry.from === text || entry.to === text
        : 'daemon' in entry && entry.daemon === text;
    case 'pg':
      return 'pgid' in entry && entry.pgid === text;
    case 'kind':
      return entry.kind === text;
    default:
      return true;
  }
}
