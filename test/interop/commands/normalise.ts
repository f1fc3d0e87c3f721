/** Takes out of a command's result what no two clusters have in common: times, ids, addresses, epochs, sizes on disk. */
import type { Comparison } from './topic.ts';

export interface Result {
  readonly code: number;
  readonly output: string;
  readonly status: string;
}

const patterns: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID'],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?([+-]\d{4}|Z)?/g, 'TIME'],
  [/\[?(v[12]|any):\d+\.\d+\.\d+\.\d+:\d+\/\d+(,v1:\d+\.\d+\.\d+\.\d+:\d+\/\d+\])?\]?/g, 'ADDR'],
  [/\d+\.\d+\.\d+\.\d+:\d+(\/\d+)?/g, 'ADDR'],
  [/\bAQ[A-Za-z0-9+/]{36}==/g, 'KEY'],
  [/\bepoch(:? e?)\d+/g, 'epoch$1N'],
  [/\) \d+ : /g, ') N : '],
  [/\(since [^)]*\)/g, '(since TIME)'],
  [/\be\d+: /g, 'eN: '],
];

/** Keys whose values say when, where or how often, not what. */
const VOLATILE = new Set([
  'epoch',
  'fsid',
  'created',
  'modified',
  'last_change',
  'last_force_op_resend',
  'last_force_op_resend_prenautilus',
  'last_force_op_resend_preluminous',
  'create_time',
  'election_epoch',
  'quorum_age',
  'up_from',
  'up_thru',
  'down_at',
  'last_clean_begin',
  'last_clean_end',
  'lost_at',
  'uuid',
  'osd_up_since',
  'osd_in_since',
  'addr',
  'nonce',
  'gid',
  'stamp',
  'seq',
  'kb_used_meta',
  'kb_used_omap',
]);

/** A result as lines, the same for two clusters that behave the same. JSON is a line for each value, with its path. */
export function comparable({ code, output, status }: Result, compare: Comparison): readonly string[] {
  return [
    `code ${code}`,
    ...text(status)
      .split('\n')
      .map((line) => `status ${line}`),
    ...outputOf(output, compare),
  ];
}

/** The lines that only one of two results has: with `-` those expected, with `+` those found instead. */
export function difference(expected: readonly string[], found: readonly string[]): readonly string[] {
  const lines = [
    ...only(expected, found).map((line) => `- ${line}`),
    ...only(found, expected).map((line) => `+ ${line}`),
  ];
  const isReordered = lines.length === 0 && expected.some((line, i) => line !== found[i]);
  return isReordered
    ? ['the same lines in another order', ...expected.map((line, i) => `${line} | ${found[i]}`)]
    : lines;
}

/** Those of `lines` that `others` lacks, however often each occurs. */
function only(lines: readonly string[], others: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of others) counts.set(line, (counts.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const left = counts.get(line) ?? 0;
    counts.set(line, left - 1);
    return left <= 0;
  });
}

function outputOf(output: string, compare: Comparison): readonly string[] {
  if (compare === 'code') return [];
  if (compare === 'text') return text(output).split('\n');
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch {
    return text(output).split('\n');
  }
  // Of a list the shapes that occur in it, each once.
  return compare === 'shape' ? [...new Set(paths('', value, true))] : paths('', value, false);
}

function text(value: string): string {
  return patterns.reduce((all, [pattern, name]) => all.replace(pattern, name), value);
}

function paths(path: string, value: unknown, isShape: boolean): string[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return isShape ? [] : [`${path}: []`];
    return value.flatMap((each, i) => paths(`${path}[${isShape ? '' : i}]`, each, isShape));
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    if (entries.length === 0) return isShape ? [] : [`${path}: {}`];
    return entries.flatMap(([key, each]) => {
      const isVolatile = VOLATILE.has(key) && (typeof each !== 'object' || each === null);
      return paths(`${path}.${key}`, isVolatile ? typeof each : each, isShape);
    });
  }
  return [`${path}: ${isShape ? typeof value : typeof value === 'string' ? text(value) : String(value)}`];
}
