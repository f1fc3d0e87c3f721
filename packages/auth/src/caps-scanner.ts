/**
 * What the grammars of capabilities share. Ceph writes them as parsing expressions (boost::spirit): of alternatives the
 * first that matches counts, and nothing goes back into what has matched. So does this, to stop where Ceph stops.
 */
import { MalformedInput } from '@spirula/encoding';
import type { CapsService } from './entity-auth.ts';

/** Capabilities that their daemon could not read. The message is Ceph's. */
export class MalformedCaps extends MalformedInput {
  constructor(service: CapsService, at: number, message: string) {
    super(`${service} caps`, at, message);
    this.message = message;
  }
}

const WORD = /[a-zA-Z0-9_./-]+/y;
const QUOTED = /"([^"]+)"|'([^']+)'/y;
const NETWORK = /[/.:a-fA-F0-9[\]]+/y;

export class CapsScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get at(): number {
    return this.#at;
  }

  get rest(): string {
    return this.#text.slice(this.#at);
  }

  /** Runs a rule; when it does not match (undefined), it has consumed nothing. */
  attempt<T>(rule: () => T | undefined): T | undefined {
    const begun = this.#at;
    const result = rule();
    if (result === undefined) this.#at = begun;
    return result;
  }

  /** Whether `text` comes next; it is consumed then. */
  literal(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  /** Consumes what a sticky pattern matches here. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }

  /** At least one blank, or line end. */
  spaces(): boolean {
    return this.match(/[ \n\t]+/y) !== undefined;
  }

  /** What follows a keyword: `=` or blanks. */
  assignment(): boolean {
    return this.literal('=') || this.spaces();
  }

  /** A word, or text in quotes of either kind. */
  string(): string | undefined {
    const quoted = this.match(QUOTED);
    return quoted === undefined ? this.match(WORD)?.[0] : (quoted[1] ?? quoted[2]);
  }

  /** ` KEYWORD=STRING` or ` KEYWORD STRING`. */
  setting(keyword: string): string | undefined {
    return this.attempt(() =>
      this.spaces() && this.literal(keyword) && this.assignment() ? this.string() : undefined,
    );
  }

  /** ` network CIDR`, at the end of a grant. */
  network(): string | undefined {
    return this.attempt(() =>
      this.spaces() && this.literal('network') && this.spaces() ? this.match(NETWORK)?.[0] : undefined,
    );
  }
}

/** One grant and more of them, each after a separator; undefined when not even one is there. */
export function grantList<T>(
  scanner: CapsScanner,
  grant: (scanner: CapsScanner) => T | undefined,
  separator: RegExp,
): T[] | undefined {
  const first = scanner.attempt(() => grant(scanner));
  if (first === undefined) return undefined;
  const grants = [first];
  for (;;) {
    const next = scanner.attempt(() => (scanner.match(separator) === undefined ? undefined : grant(scanner)));
    if (next === undefined) return grants;
    grants.push(next);
  }
}

/**
 * Bits of what is allowed, of monitors and managers. `ANY` is more than their sum: only `*` allows what blanket
 * permissions do not reach.
 */
export const READ = 2;
export const WRITE = 4;
export const EXECUTE = 8;
export const ANY = 0xff;

/** `*`, `all`, or some of `r`, `w` and `x` in this order. */
export function permissions(scanner: CapsScanner): number | undefined {
  if (scanner.literal('*') || scanner.literal('all')) return ANY;
  const letters = scanner.match(/(r)?(w)?(x)?/y)!;
  const allow = (letters[1] ? READ : 0) | (letters[2] ? WRITE : 0) | (letters[3] ? EXECUTE : 0);
  return allow === 0 ? undefined : allow;
}
