/** Lines for `rbd`, and what of their output no two runs have in common. */

/**
 * `rbd` is left out. `show …` is asked of both tools in the same pool, and `set …` as well, whose order is that of ids; `state
 * POOL[/NAMESPACE]` tells of every object there; `ceph …` prepares, and so does `theirs …`, which only Debian's rbd does.
 */
export interface ParsedLine {
  readonly kind: 'run' | (typeof KINDS)[number];
  readonly words: readonly string[];
}

const KINDS = ['show', 'set', 'state', 'ceph', 'theirs'] as const;

export function parseLine(line: string): ParsedLine {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
  const [first, ...rest] = words;
  const kind = KINDS.find((each) => each === first);
  return kind === undefined ? { kind: 'run', words } : { kind, words: rest };
}

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}/g, 'TIME'],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?([+-]\d{4}|Z)?/g, 'TIME'],
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID'],
  [/\bAQ[\w+/]{36}==/g, 'KEY'],
  [/\b(v[12]:)?127\.0\.0\.1:\d+\/\d+/g, 'ADDR'],
  // One cluster has more monitors than the other.
  [/\[?ADDR(,\[?ADDR\]?)+/g, 'ADDR'],
  [/\bclient\.\d+/g, 'client.N'],
  [/("client": ?|\bauto |cookie[=": ]+)\d+/g, '$1N'],
  [/\.group\.[0-9a-f]+_[0-9a-f]+_[0-9a-f]+/g, '.group.ID'],
  [/\b[0-9a-f]{9,16}\b/g, 'ID'],
  // A line of progress is written over the one before.
  [/[^\n]*\r/g, ''],
  // A table is as wide as the ids in it.
  [/ {2,}/g, '  '],
  [/ +$/gm, ''],
];

export function maskText(text: string): string {
  // Tokens tell of a cluster, whose addresses and keys no two have in common.
  const plain = text.replace(/\beyJ[\w+/=]{80,}/g, (token) => `base64(${atob(token)})`);
  return PATTERNS.reduce((masked, [pattern, mask]) => masked.replace(pattern, mask), plain);
}

/** Lines, or the objects of a JSON array, in an order that all runs have in common. */
export function sorted(text: string): string {
  if (!text.startsWith('[')) return text.split('\n').sort().join('\n');
  const objects = JSON.parse(text) as readonly unknown[];
  return objects
    .map((each) => JSON.stringify(each))
    .sort()
    .join('\n');
}
