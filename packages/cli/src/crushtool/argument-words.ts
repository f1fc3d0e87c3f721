/**
 * The words of a command line, read as Ceph's tools do (common/ceph_argparse.cc): options are looked for at each word in turn,
 * `-` and `_` are one after the first two characters, and what no option takes stays where it is.
 */
import { Ending } from './tool-io.ts';

const INT_MAX = 2 ** 31 - 1;

/** Numbers are C ints, or 64 bits wide. */
export type NumberKind = 'int' | 'long' | 'float';

export class ArgumentWords {
  readonly #words: string[];
  #at = 0;
  /** What was wrong with numbers so far. An option that asks about its own number hears of all. */
  #complaints = '';

  constructor(words: readonly string[]) {
    this.#words = [...words];
  }

  get complaints(): string {
    return this.#complaints;
  }

  /** Words that no option took. */
  get rest(): readonly string[] {
    return this.#words;
  }

  hasMore(): boolean {
    return this.#at < this.#words.length;
  }

  /** Leaves this word to others. */
  pass(): void {
    this.#at += 1;
  }

  /** Takes a lone `--`, after which no options are looked for. */
  endOfOptions(): boolean {
    if (this.#words[this.#at] !== '--') return false;
    this.next();
    return true;
  }

  flag(...names: readonly string[]): boolean {
    const word = underscored(this.#words[this.#at]!);
    if (!names.some((name) => underscored(name) === word)) return false;
    this.next();
    return true;
  }

  /** Takes the word at hand; undefined at the end. */
  next(): string | undefined {
    return this.#words.splice(this.#at, 1)[0];
  }

  /** The value of an option, after `=` or in the next word. Without one, the tool ends. */
  text(...names: readonly string[]): string | undefined {
    const found = this.#valueOf(names);
    if (found === 'missing') throw new Ending(this.#complaints);
    return found;
  }

  /** The same, but the lack of a value is only noted. */
  notedText(...names: readonly string[]): string | 'missing' | undefined {
    return this.#valueOf(names);
  }

  /** The number that an option has as value; 1 in place of what is none, and `missing` in place of nothing: both are noted. */
  number(kind: NumberKind, ...names: readonly string[]): number | 'missing' | undefined {
    const text = this.#valueOf(names);
    if (text === undefined || text === 'missing') return text;
    return this.#parse(text, kind);
  }

  /** Ends the tool if numbers were wrong so far. */
  refuseComplaints(): void {
    if (this.#complaints !== '') throw new Ending(`${this.#complaints}\n`);
  }

  #valueOf(names: readonly string[]): string | 'missing' | undefined {
    const raw = this.#words[this.#at]!;
    const word = underscored(raw);
    for (const name of names) {
      const option = underscored(name);
      if (!word.startsWith(option)) continue;
      if (word[option.length] === '=') {
        this.next();
        return word.slice(option.length + 1);
      }
      if (word.length > option.length) continue;
      this.next();
      const value = this.next();
      if (value !== undefined) return value;
      this.#complaints += `Option ${raw} requires an argument.\n`;
      return 'missing';
    }
    return undefined;
  }

  #parse(text: string, kind: NumberKind): number {
    const isNumeric = /^-?[0-9]*\.?[0-9]*$/.test(text) && text !== '-';
    if (text.startsWith('--') || (text.startsWith('-') && !isNumeric)) return this.#complain('Missing option value', 1);
    if (!isNumeric) return this.#complain(`The option value '${text}' is invalid`, 1);
    if (kind === 'float') return Math.fround(Number.parseFloat(text) || 0);
    if (!/^-?[0-9]+$/.test(text)) return this.#complain(`Expected option value to be integer, got '${text}'`, 0);
    const value = Number(text);
    if (kind === 'int' && (value > INT_MAX || value < -INT_MAX - 1)) {
      return this.#complain(`The option value '${text}' seems to be invalid`, 0);
    }
    return value;
  }

  #complain(complaint: string, value: number): number {
    this.#complaints += complaint;
    return value;
  }
}

/** The first two characters as they are, then `_` for `-` up to a `=`. */
function underscored(word: string): string {
  const end = word.indexOf('=', 2);
  const option = end < 0 ? word : word.slice(0, end);
  return option.slice(0, 2) + option.slice(2).replaceAll('-', '_') + word.slice(option.length);
}
