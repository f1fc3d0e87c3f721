/** What a verb found, on standard output: in words, or as Ceph's formatter lays out JSON. */
import type { VerbContext } from './verb.ts';

/** @param text asked for where no JSON is wanted */
export function show({ env, options }: Pick<VerbContext, 'env' | 'options'>, value: unknown, text: () => string): void {
  env.stdout(wantsJson(options) ? formatJson(options, value) : text());
}

/** Numbers beyond 2^53 are given as bigints. */
export function formatJson(options: ReadonlyMap<string, string>, value: unknown): string {
  const marked = JSON.stringify(
    value,
    (_, each: unknown) => (typeof each === 'bigint' ? `${BIG}${each}` : each),
    options.has('pretty') ? 4 : undefined,
  );
  return `${marked.replace(BIG_TEXT, '$1')}\n`;
}

/** No text has it: it stands before bigints until their quotes are taken away. */
const BIG = '\u0000';
const BIG_TEXT = /"\\u0000(\d+)"/g;

export function wantsJson(options: ReadonlyMap<string, string>): boolean {
  return options.get('format') === 'json';
}
