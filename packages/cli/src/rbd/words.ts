/** The words of a line behind its verb, which what they may be takes one after another. */
export class Words {
  readonly #words: readonly string[];
  #next = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  /** '' where there are no more. */
  take(): string {
    return this.#words[this.#next++] ?? '';
  }

  /** All that are left. */
  takeAll(): readonly string[] {
    const left = this.#words.slice(this.#next);
    this.#next = this.#words.length;
    return left;
  }
}
