export type Alignment = 'left' | 'right';

export interface Column {
  readonly heading: string;
  readonly headingAlign: Alignment;
  readonly align: Alignment;
}

/** A column with its heading on the left, as most of Ceph's are. */
export function column(heading: string, align: Alignment, headingAlign: Alignment = 'left'): Column {
  return { heading, headingAlign, align };
}

function pad(text: string, width: number, align: Alignment): string {
  return align === 'left' ? text.padEnd(width) : text.padStart(width);
}

/**
 * Rows as wide as their widest cell, two blanks between columns, every line ending in a newline (common/TextTable.cc,
 * which pads the last column as well).
 */
export function formatTable(columns: readonly Column[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = rows.map((row) => columns.map((_, i) => String(row[i] ?? '')));
  const widths = columns.map(({ heading }, i) => Math.max(heading.length, ...cells.map((row) => row[i]!.length)));
  const headings = columns.map(({ heading, headingAlign }, i) => pad(heading, widths[i]!, headingAlign));
  const body = cells.map((row) => row.map((cell, i) => pad(cell, widths[i]!, columns[i]!.align)));
  return [headings, ...body].map((line) => `${line.join('  ')}\n`).join('');
}
