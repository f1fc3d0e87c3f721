/** Values of options, and what is said of those that lack them. */
import type { ArgumentWords, NumberKind } from './argument-words.ts';
import { Ending } from './tool-io.ts';

export const FEW = 'expecting additional argument';

/** A number whose lack or fault ends the tool. */
export function required(words: ArgumentWords, kind: NumberKind, ...names: readonly string[]): number | undefined {
  const value = words.number(kind, ...names);
  if (value === undefined) return undefined;
  words.refuseComplaints();
  return value as number;
}

export function integer(words: ArgumentWords, ...names: readonly string[]): number | undefined {
  return required(words, 'int', ...names);
}

/** The next word, or the end of the tool. */
export function nextWord(words: ArgumentWords, complaint = FEW): string {
  const word = words.next();
  if (word === undefined) throw new Ending(`${complaint}\n`);
  return word;
}

/** As C's atof, into a float. */
export function floatOf(word: string): number {
  return Math.fround(Number.parseFloat(word) || 0);
}
