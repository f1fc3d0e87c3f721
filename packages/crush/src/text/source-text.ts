/** Source of a CRUSH map as the grammar sees it (CrushCompiler::compile): one line without comments, blanks squeezed to one. */
export interface SourceText {
  /** What the grammar reads. */
  readonly text: string;
  /** Where lines begin in `text`, in ascending order; of several that begin at one place, the last. */
  readonly starts: readonly { readonly at: number; readonly line: number }[];
  /** The lines as they were, by number from 1. */
  readonly lines: readonly string[];
}

/** Where a compiler gave up. */
export interface SourcePlace {
  readonly line: number;
  /** From 0, counted in the squeezed line. */
  readonly column: number;
  /** What the line says from that column on. */
  readonly rest: string;
}

export function readSource(source: string): SourceText {
  const lines = source.split('\n');
  // The last newline ends a line; it begins none.
  if (lines.at(-1) === '') lines.pop();
  const starts: { at: number; line: number }[] = [];
  const parts: string[] = [];
  let length = 0;
  const add = (part: string) => {
    parts.push(part);
    length += part.length;
  };
  for (const [index, line] of lines.entries()) {
    const squeezed = squeeze(line.replace(/#.*$/s, ''));
    if (squeezed !== '' && length > 0) add(' ');
    if (starts.at(-1)?.at === length) starts.pop();
    starts.push({ at: length, line: index + 1 });
    add(squeezed);
  }
  const text = parts.join('');
  const end = text.indexOf('\0');
  return { text: end < 0 ? text : text.slice(0, end), starts, lines: ['', ...lines] };
}

function squeeze(line: string): string {
  return line.replaceAll(/[ \t\v\f\r]+/g, ' ').replaceAll(/^ | $/g, '');
}

/** The place of an offset into the grammar's text. */
export function placeOf({ starts, lines }: SourceText, offset: number): SourcePlace {
  const start = starts.findLast(({ at }) => at <= offset) ?? { at: 0, line: 1 };
  const column = offset - start.at;
  return { line: start.line, column, rest: (lines[start.line] ?? '').slice(column) };
}
