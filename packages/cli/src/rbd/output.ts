/** What a verb found, on standard output: in words, or as Ceph's formatter lays out JSON. */
import type { VerbContext } from './verb.ts';

/** @param text asked for where no JSON is wanted */
export function show({ env, options }: Pick<VerbContext, 'env' | 'options'>, value: unknown, text: () => string): void {
  env.stdout(wantsJson(options) ? formatJson(options, value) : text());
}

/** Numbers beyond 2^53 are given as bigints; those with a fraction have 17 digits. */
export function formatJson(options: ReadonlyMap<string, string>, value: unknown): string {
  const marked = JSON.stringify(
    value,
    (_, each: unknown) => (isMarked(each) ? `${MARK}${digitsOf(each)}` : each),
    options.has('pretty') ? 4 : undefined,
  );
  return `${marked.replace(MARKED_TEXT, '$1')}\n`;
}

/** No text has it: it stands before numbers that are written as text, until their quotes are taken away. */
const MARK = '\u0000';
const MARKED_TEXT = /"\\u0000([\d.]+)"/g;

function isMarked(value: unknown): value is bigint | number {
  return typeof value === 'bigint' || (typeof value === 'number' && !Number.isInteger(value));
}

/** `%.17g` of C, of numbers from 0.0001 to 10^17. */
function digitsOf(value: bigint | number): string {
  return typeof value === 'bigint' ? String(value) : value.toPrecision(17).replace(/\.?0+$/, '');
}

export function wantsJson(options: ReadonlyMap<string, string>): boolean {
  return options.get('format') === 'json';
}
