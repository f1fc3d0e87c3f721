/** What a verb found, on standard output: in words, or as Ceph's formatter lays out JSON. */
import type { VerbContext } from './verb.ts';

/** @param text asked for where no JSON is wanted */
export function show({ env, options }: Pick<VerbContext, 'env' | 'options'>, value: unknown, text: () => string): void {
  env.stdout(wantsJson(options) ? formatJson(options, value) : text());
}

export function formatJson(options: ReadonlyMap<string, string>, value: unknown): string {
  return `${JSON.stringify(value, null, options.has('pretty') ? 4 : undefined)}\n`;
}

export function wantsJson(options: ReadonlyMap<string, string>): boolean {
  return options.get('format') === 'json';
}
