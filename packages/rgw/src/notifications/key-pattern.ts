/**
 * Regular expressions of filters, matched in time that grows with the length of a key times that of the pattern, whatever the
 * pattern: whoever may set a filter could hold up a gateway otherwise. ECMAScript's syntax, as radosgw has it, but for what a
 * machine without a memory cannot match: references back, and looks ahead and behind.
 */
import type { RawString } from '@spirula/encoding';

/** A pattern that is none, or one that is not supported; the message says why. */
export class UnsupportedPattern extends Error {
  override readonly name = 'UnsupportedPattern';
}

type CharTest = (code: number) => boolean;

type Node =
  | { readonly kind: 'char'; readonly test: CharTest }
  | { readonly kind: 'begin' | 'end' }
  | { readonly kind: 'sequence' | 'choice'; readonly nodes: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly min: number; readonly max: number };

type Instruction =
  | { readonly kind: 'char'; readonly test: CharTest }
  | { readonly kind: 'begin' | 'end' | 'match' }
  | { readonly kind: 'jump'; to: number }
  | { readonly kind: 'split'; first: number; second: number };

/** Of a pattern, with what is repeated so many times written out. */
const MAX_INSTRUCTIONS = 1000;
const MAX_EMITTED = 10 * MAX_INSTRUCTIONS;
const MAX_LENGTH = 256;
const MAX_DEPTH = 20;

const isDigit: CharTest = (code) => code >= 0x30 && code <= 0x39;
const isWord: CharTest = (code) =>
  isDigit(code) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f;
const isSpace: CharTest = (code) => code === 0x20 || (code >= 0x09 && code <= 0x0d);
const isNoLineEnd: CharTest = (code) => code !== 0x0a && code !== 0x0d;
const not =
  (test: CharTest): CharTest =>
  (code) =>
    !test(code);
const only =
  (wanted: number): CharTest =>
  (code) =>
    code === wanted;

const classes = new Map<string, CharTest>([
  ['d', isDigit],
  ['D', not(isDigit)],
  ['w', isWord],
  ['W', not(isWord)],
  ['s', isSpace],
  ['S', not(isSpace)],
]);
const controls = new Map([
  ['t', 0x09],
  ['n', 0x0a],
  ['v', 0x0b],
  ['f', 0x0c],
  ['r', 0x0d],
  ['0', 0x00],
]);

class Parser {
  readonly #text: RawString;
  #at = 0;
  #depth = 0;

  constructor(text: RawString) {
    this.#text = text;
  }

  parse(): Node {
    const node = this.#choice();
    if (this.#at < this.#text.length) throw new UnsupportedPattern('it has a ) too many');
    return node;
  }

  #choice(): Node {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new UnsupportedPattern('its groups are too deep');
    const nodes = [this.#sequence()];
    while (this.#take('|')) nodes.push(this.#sequence());
    this.#depth -= 1;
    return nodes.length === 1 ? nodes[0]! : { kind: 'choice', nodes };
  }

  #sequence(): Node {
    const nodes: Node[] = [];
    while (this.#at < this.#text.length && !'|)'.includes(this.#text[this.#at]!)) nodes.push(this.#repeated());
    return { kind: 'sequence', nodes };
  }

  #repeated(): Node {
    const node = this.#atom();
    const counts = this.#counts();
    if (!counts) return node;
    // Whether it takes as little as it can makes no difference to whether all of a key matches.
    this.#take('?');
    if (this.#counts()) throw new UnsupportedPattern('it repeats a repetition');
    return { kind: 'repeat', node, min: counts[0], max: counts[1] };
  }

  #counts(): readonly [min: number, max: number] | undefined {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#take('?')) return [0, 1];
    const braces = /^\{(\d{1,4})(,(\d{1,4})?)?\}/.exec(this.#text.slice(this.#at));
    if (!braces) {
      if (this.#text[this.#at] === '{') throw new UnsupportedPattern('its { } are no counts');
      return undefined;
    }
    this.#at += braces[0].length;
    const min = Number(braces[1]);
    const max = braces[2] === undefined ? min : braces[3] === undefined ? Number.POSITIVE_INFINITY : Number(braces[3]);
    if (max < min) throw new UnsupportedPattern('its { } are out of order');
    return [min, max];
  }

  #atom(): Node {
    const char = this.#text[this.#at]!;
    this.#at += 1;
    switch (char) {
      case '.':
        return { kind: 'char', test: isNoLineEnd };
      case '^':
        return { kind: 'begin' };
      case '$':
        return { kind: 'end' };
      case '(':
        return this.#group();
      case '[':
        return { kind: 'char', test: this.#set() };
      case '\\':
        return { kind: 'char', test: this.#escape() };
      case '*':
      case '+':
      case '?':
      case '{':
        throw new UnsupportedPattern(`before ${char} is nothing to repeat`);
      default:
        return { kind: 'char', test: only(char.charCodeAt(0)) };
    }
  }

  #group(): Node {
    if (this.#take('?') && !this.#take(':')) throw new UnsupportedPattern('it looks ahead or behind');
    const node = this.#choice();
    if (!this.#take(')')) throw new UnsupportedPattern('a ( is not closed');
    return node;
  }

  #escape(): CharTest {
    const code = this.#escapedCode();
    return typeof code === 'number' ? only(code) : code;
  }

  #escapedCode(): number | CharTest {
    const char = this.#text[this.#at];
    if (char === undefined) throw new UnsupportedPattern('it ends with \\');
    this.#at += 1;
    const known = classes.get(char) ?? controls.get(char);
    if (known !== undefined) return known;
    const hex = char === 'x' ? /^[0-9A-Fa-f]{2}/.exec(this.#text.slice(this.#at)) : undefined;
    if (hex) {
      this.#at += 2;
      return Number.parseInt(hex[0], 16);
    }
    if (/[A-Za-z1-9]/.test(char)) throw new UnsupportedPattern(`\\${char} is not supported`);
    return char.charCodeAt(0);
  }

  #set(): CharTest {
    const isNegated = this.#take('^');
    const tests: CharTest[] = [];
    while (!this.#take(']')) {
      const first = this.#member();
      const isRange = this.#text[this.#at] === '-' && this.#text[this.#at + 1] !== ']';
      if (!isRange || typeof first !== 'number') {
        tests.push(typeof first === 'number' ? only(first) : first);
        continue;
      }
      this.#at += 1;
      const last = this.#member();
      if (typeof last !== 'number' || last < first) throw new UnsupportedPattern('a range in [ ] is out of order');
      tests.push((code) => code >= first && code <= last);
    }
    const isIn: CharTest = (code) => tests.some((test) => test(code));
    return isNegated ? not(isIn) : isIn;
  }

  #member(): number | CharTest {
    const char = this.#text[this.#at];
    if (char === undefined) throw new UnsupportedPattern('a [ is not closed');
    if (char === '[' && /^\[[:.=]/.test(this.#text.slice(this.#at))) {
      throw new UnsupportedPattern('[: :] and the like are not supported');
    }
    this.#at += 1;
    return char === '\\' ? this.#escapedCode() : char.charCodeAt(0);
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }
}

function compile(root: Node): Instruction[] {
  const program: Instruction[] = [];
  const add = <I extends Instruction>(instruction: I): I => {
    if (program.length >= MAX_INSTRUCTIONS) throw new UnsupportedPattern('it is too large');
    program.push(instruction);
    return instruction;
  };
  let emitted = 0;
  const emit = (node: Node): void => {
    // Nothing, repeated often enough, would take for ever, too.
    emitted += 1;
    if (emitted > MAX_EMITTED) throw new UnsupportedPattern('it is too large');
    switch (node.kind) {
      case 'sequence':
        for (const each of node.nodes) emit(each);
        break;
      case 'choice':
        emitChoice(node.nodes);
        break;
      case 'repeat':
        emitRepeat(node.node, node.min, node.max);
        break;
      default:
        add({ ...node });
    }
  };
  const emitChoice = ([first, ...rest]: readonly Node[]): void => {
    if (rest.length === 0) return emit(first!);
    const split = add({ kind: 'split', first: program.length + 1, second: 0 });
    emit(first!);
    const jump = add({ kind: 'jump', to: 0 });
    split.second = program.length;
    emitChoice(rest);
    jump.to = program.length;
  };
  const emitRepeat = (node: Node, min: number, max: number): void => {
    for (let i = 0; i < min; i++) emit(node);
    if (max === Number.POSITIVE_INFINITY) {
      const begin = program.length;
      const split = add({ kind: 'split', first: begin + 1, second: 0 });
      emit(node);
      add({ kind: 'jump', to: begin });
      split.second = program.length;
      return;
    }
    const splits: { second: number }[] = [];
    for (let i = min; i < max; i++) {
      splits.push(add({ kind: 'split', first: program.length + 1, second: 0 }));
      emit(node);
    }
    for (const split of splits) split.second = program.length;
  };
  emit(root);
  add({ kind: 'match' });
  return program;
}

export class KeyPattern {
  readonly #program: readonly Instruction[];

  /** @throws UnsupportedPattern */
  constructor(text: RawString) {
    if (text.length > MAX_LENGTH) throw new UnsupportedPattern(`it is longer than ${MAX_LENGTH} bytes`);
    this.#program = compile(new Parser(text).parse());
  }

  /** Whether it matches all of a key. */
  matches(key: RawString): boolean {
    let threads = new Set<number>();
    this.#follow(0, 0, key.length, threads);
    for (let at = 0; at < key.length && threads.size > 0; at++) {
      const next = new Set<number>();
      const code = key.charCodeAt(at);
      for (const thread of threads) {
        const instruction = this.#program[thread]!;
        if (instruction.kind === 'char' && instruction.test(code)) this.#follow(thread + 1, at + 1, key.length, next);
      }
      threads = next;
    }
    return [...threads].some((thread) => this.#program[thread]!.kind === 'match');
  }

  /** Adds where a thread is when it next takes a character, or has matched. */
  #follow(start: number, at: number, length: number, threads: Set<number>): void {
    const seen = new Set<number>();
    const open = [start];
    for (let thread = open.pop(); thread !== undefined; thread = open.pop()) {
      if (seen.has(thread)) continue;
      seen.add(thread);
      const instruction = this.#program[thread]!;
      if (instruction.kind === 'jump') open.push(instruction.to);
      else if (instruction.kind === 'split') open.push(instruction.first, instruction.second);
      else if (instruction.kind === 'begin') {
        if (at === 0) open.push(thread + 1);
      } else if (instruction.kind === 'end') {
        if (at === length) open.push(thread + 1);
      } else threads.add(thread);
    }
  }
}
