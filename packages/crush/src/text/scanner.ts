/**
 * Reads tokens of a CRUSH map's source (crush/grammar.h). Blanks may stand before each token and need not: keywords end where
 * they end, not at a word's end. What cannot be read leaves the place as it was.
 */
export class Scanner {
  readonly #text: string;
  /** After the last token that was read. */
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  isAtEnd(): boolean {
    return this.#skipped() === this.#text.length;
  }

  /** The first of the keywords that stands here. */
  keyword<Word extends string>(...words: readonly Word[]): Word | undefined {
    const from = this.#skipped();
    const found = words.find((word) => this.#text.startsWith(word, from));
    if (found !== undefined) this.at = from + found.length;
    return found;
  }

  /** Letters, digits, `-`, `_` and `.`. */
  name(): string | undefined {
    return this.#token(NAME);
  }

  natural(): number | undefined {
    return integerOf(this.#token(NATURAL));
  }

  negative(): number | undefined {
    return integerOf(this.#token(NEGATIVE));
  }

  integer(): number | undefined {
    return integerOf(this.#token(INTEGER));
  }

  /** A number as a C float. */
  real(): number | undefined {
    const token = this.#token(REAL);
    // An exponent must have digits.
    if (token === undefined || /[eE][-+]?$/.test(token)) return undefined;
    return Math.fround(Number(token));
  }

  /** What `read` reads; when it gives up, the place is what it was. */
  attempt<T>(read: () => T | undefined): T | undefined {
    const before = this.at;
    const found = read();
    if (found === undefined) this.at = before;
    return found;
  }

  /** As many as there are. */
  many<T>(read: () => T | undefined): T[] {
    const all: T[] = [];
    for (let each = this.attempt(read); each !== undefined; each = this.attempt(read)) all.push(each);
    return all;
  }

  #skipped(): number {
    BLANKS.lastIndex = this.at;
    return this.at + (BLANKS.exec(this.#text)?.[0].length ?? 0);
  }

  #token(pattern: RegExp): string | undefined {
    const from = this.#skipped();
    pattern.lastIndex = from;
    const token = pattern.exec(this.#text)?.[0];
    if (token !== undefined) this.at = from + token.length;
    return token;
  }
}

const BLANKS = /[ \n]*/y;
const NAME = /[-_.0-9A-Za-z]+/y;
const NATURAL = /[0-9]+/y;
const NEGATIVE = /-[0-9]+/y;
const INTEGER = /-?[0-9]+/y;
const REAL = /[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]*)?/y;

const LONG_MAX = 2n ** 63n - 1n;

/** As strtol reads it into an int: what is beyond 64 bits sticks at their end, then 32 bits are kept. */
function integerOf(token: string | undefined): number | undefined {
  if (token === undefined) return undefined;
  const value = BigInt(token);
  const held = value > LONG_MAX ? LONG_MAX : value < -LONG_MAX ? -LONG_MAX - 1n : value;
  return Number(BigInt.asIntN(32, held));
}
