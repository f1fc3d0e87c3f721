/** A command line from which options are taken out one by one, whatever stays being file names (common/ceph_argparse.cc). */

/** An option that was there; `value` undefined: it was the last word. */
export interface TakenOption {
  readonly word: string;
  readonly value: string | undefined;
}

export class ArgumentWords {
  readonly #words: string[];
  #at = 0;

  constructor(words: readonly string[]) {
    this.#words = [...words];
  }

  get atEnd(): boolean {
    return this.#at >= this.#words.length;
  }

  get current(): string {
    return this.#words[this.#at]!;
  }

  /** What was not taken, in order. */
  get rest(): readonly string[] {
    return this.#words;
  }

  /** Leaves the word where it is. */
  skip(): void {
    this.#at += 1;
  }

  takeFlag(names: readonly string[]): boolean {
    const isThere = names.some((name) => underscored(name) === underscored(this.#words[this.#at]!));
    if (isThere) this.#words.splice(this.#at, 1);
    return isThere;
  }

  /** `--name value` or `--name=value`. */
  takeOption(names: readonly string[]): TakenOption | undefined {
    const word = this.#words[this.#at]!;
    const [name, attached] = splitAtEquals(word);
    if (!names.some((each) => underscored(each) === name)) return undefined;
    this.#words.splice(this.#at, 1);
    if (attached !== undefined) return { word, value: attached };
    const [value] = this.#words.splice(this.#at, 1);
    return { word, value };
  }
}

/** Dashes and underscores are alike, but for the leading ones. */
export function underscored(word: string): string {
  return word.slice(0, 2) + word.slice(2).replaceAll('-', '_');
}

function splitAtEquals(word: string): [name: string, value: string | undefined] {
  const at = word.indexOf('=');
  return at < 0 ? [underscored(word), undefined] : [underscored(word.slice(0, at)), word.slice(at + 1)];
}

/** A whole number of 32 bits, or what is wrong with the text; `fallback` is what Ceph's tool goes on with. */
export type ParsedInt = { readonly value: number } | { readonly problem: string; readonly fallback: number };

export function parseInt32(text: string): ParsedInt {
  const isNumeric = /^(?:-(?=.)|\d|\.(?=[^.]*$))?(?:\d|\.(?=[^.]*$))*$/.test(text);
  if (text.startsWith('--') || (text.startsWith('-') && !isNumeric)) {
    return { problem: 'Missing option value', fallback: 1 };
  }
  if (!isNumeric) return { problem: `The option value '${text}' is invalid`, fallback: 1 };
  if (!/^-?\d+$/.test(text)) return { problem: `Expected option value to be integer, got '${text}'`, fallback: 0 };
  const value = Number(text);
  if (value !== (value | 0)) return { problem: `The option value '${text}' seems to be invalid`, fallback: 0 };
  return { value };
}
