/**
 * A ceph.conf (common/ConfUtils.cc): sections of options.
 *
 *   ; or # begins a comment, a backslash before the end of a line goes on with the next, a backslash elsewhere takes the
 *   next character as it is, and a value may stand in single or double quotes. In names blanks and underscores are alike.
 */

/** A line that does not parse. */
export class ConfFileError extends Error {
  override readonly name = 'ConfFileError';
  /** Counted from 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

export type ConfSections = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Names have underscores, however they were written (ConfFile::normalize_key_name). */
export function normalName(name: string): string {
  return name.trim().replaceAll(/\s+/g, '_');
}

/** @throws ConfFileError with Ceph's words. */
export function parseConfFile(text: string): ConfSections {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  for (const { line, number } of joinLines(text)) {
    const reader = new LineReader(line, number);
    if (reader.atEnd) continue;
    const heading = reader.heading();
    if (heading !== undefined) {
      section = sections.get(heading) ?? new Map();
      sections.set(heading, section);
      continue;
    }
    const [name, value] = reader.option(section !== undefined);
    section?.set(name, value);
  }
  return sections;
}

interface NumberedLine {
  readonly line: string;
  readonly number: number;
}

function* joinLines(text: string): Generator<NumberedLine> {
  const lines = text.split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const number = i + 1;
    let line = lines[i]!;
    while (line.endsWith('\\') && i + 1 < lines.length) {
      i += 1;
      line = line.slice(0, -1) + lines[i]!;
    }
    yield { line, number };
  }
}

class LineReader {
  readonly #line: string;
  readonly #number: number;
  #at = 0;

  constructor(line: string, number: number) {
    this.#line = line;
    this.#number = number;
    this.#skipBlanks();
  }

  get atEnd(): boolean {
    return this.#at >= this.#line.length || this.#isComment(this.#at);
  }

  /** The name in brackets; undefined when the line has none. */
  heading(): string | undefined {
    if (this.#line[this.#at] !== '[') return undefined;
    this.#at += 1;
    const name = this.#take(']');
    this.#expect(']');
    this.#expectEnd();
    return name.trim();
  }

  option(isInSection: boolean): [name: string, value: string] {
    const name = normalName(this.#take('='));
    if (!isInSection || name === '' || this.#line[this.#at] !== '=') {
      this.#at = 0;
      this.#fail('<eoi>');
    }
    this.#at += 1;
    this.#skipBlanks();
    const quote = this.#line[this.#at];
    if (quote !== '"' && quote !== "'") return [name, this.#take('').trim()];
    this.#at += 1;
    const value = this.#take(quote);
    this.#expect(quote);
    this.#expectEnd();
    return [name, value.trim()];
  }

  /** Text up to `end`, a comment or the end of the line; within quotes a comment's sign ends it too, as in Ceph. */
  #take(end: string): string {
    let text = '';
    for (; this.#at < this.#line.length; this.#at++) {
      const char = this.#line[this.#at]!;
      if (char === end || this.#isComment(this.#at)) break;
      if (char === '\\' && this.#at + 1 < this.#line.length) {
        this.#at += 1;
        text += this.#line[this.#at]!;
      } else text += char;
    }
    return text;
  }

  #isComment(at: number): boolean {
    return this.#line[at] === '#' || this.#line[at] === ';';
  }

  #skipBlanks(): void {
    while (/\s/.test(this.#line[this.#at] ?? '')) this.#at += 1;
  }

  #expect(char: string): void {
    if (this.#line[this.#at] !== char) this.#fail(`"${char}"`);
    this.#at += 1;
  }

  #expectEnd(): void {
    const after = this.#at;
    this.#skipBlanks();
    if (this.atEnd) return;
    this.#at = after;
    this.#fail('<empty_line>');
  }

  #fail(what: string): never {
    const position = this.#at + 1;
    throw new ConfFileError(
      this.#number,
      `parse error: expected '${what}' in line ${this.#number} at position ${position}`,
    );
  }
}

/** The sections that hold for a daemon or client, the most specific first (md_config_t::_get_my_sections). */
function sectionsOf(entity: { readonly type: string; readonly id: string }): readonly string[] {
  return [`${entity.type}.${entity.id}`, entity.type, 'global'];
}

/** What a conf says of an option to a daemon or client; undefined when it says nothing. */
export function lookUp(
  sections: ConfSections,
  entity: { readonly type: string; readonly id: string },
  name: string,
): string | undefined {
  for (const section of sectionsOf(entity)) {
    const value = sections.get(section)?.get(normalName(name));
    if (value !== undefined) return value;
  }
  return undefined;
}
