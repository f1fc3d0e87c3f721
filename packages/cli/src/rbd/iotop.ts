/**
 * What `rbd perf image iotop` shows (tools/rbd/action/Perf.cc, MainWindow): a line of headings, images below, the busiest first. Keys:
 * `<`, `>` and arrows say by what they are sorted; `q` ends it.
 */
import { formatStat, fullName, type ImageStats, STATS, type StatName } from './perf-stats.ts';

const STAT_WIDTH = 12;
const TITLES: Readonly<Record<StatName, string>> = {
  write_ops: 'WRITES OPS',
  read_ops: 'READS OPS',
  write_bytes: 'WRITE BYTES',
  read_bytes: 'READ BYTES',
  write_latency: 'WRITE LAT',
  read_latency: 'READ LAT',
};
const WAITING = 'Waiting for initial stats';

/** A screen of text on which it is shown. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
  /** Called with each key, as the terminal sends it. */
  onKey(listener: (key: string) => void): void;
}

export interface IotopView {
  readonly images: readonly ImageStats[];
  readonly sortBy: StatName;
  /** Of all pools: they are named. */
  readonly isGlobal: boolean;
}

/** Control sequences (ECMA-48; the alternate screen: xterm). */
const Esc = {
  enter: '\u001b[?1049h\u001b[?25l',
  leave: '\u001b[?25h\u001b[?1049l',
  home: '\u001b[H',
  clearLine: '\u001b[K',
  clearBelow: '\u001b[J',
  reverse: '\u001b[7m',
  bold: '\u001b[1m',
  plain: '\u001b[0m',
} as const;

/** Shows what `query` finds, again after each `wait` or key, until somebody presses `q`. @throws what `query` rejects with */
export async function runIotop(
  terminal: Terminal,
  isGlobal: boolean,
  query: (sortBy: StatName) => Promise<readonly ImageStats[]>,
  wait: (untilKey: Promise<void>) => Promise<void>,
): Promise<void> {
  let sortBy: StatName = 'write_ops';
  let isOver = false;
  let onKey = () => {};
  terminal.onKey((key) => {
    const step = KEYS.get(key);
    if (step === 'end') isOver = true;
    else if (step !== undefined) sortBy = STATS[STATS.indexOf(sortBy) + step] ?? sortBy;
    onKey();
  });
  terminal.write(Esc.enter);
  try {
    terminal.write(paint({ images: [], sortBy, isGlobal }, terminal));
    while (!isOver) {
      const pressed = new Promise<void>((resolve) => {
        onKey = resolve;
      });
      const images = await query(sortBy);
      terminal.write(paint({ images, sortBy, isGlobal }, terminal));
      if (!isOver) await wait(pressed);
    }
  } finally {
    terminal.write(Esc.leave);
  }
}

const KEYS: ReadonlyMap<string, number | 'end'> = new Map<string, number | 'end'>([
  ['q', 'end'],
  ['Q', 'end'],
  // Control-C, where the terminal does not make a signal of it.
  ['\u0003', 'end'],
  ['<', -1],
  ['\u001b[D', -1],
  ['\u001bOD', -1],
  ['>', 1],
  ['\u001b[C', 1],
  ['\u001bOC', 1],
]);

function paint(view: IotopView, { columns, rows }: Terminal): string {
  const lines = [headings(view, columns), ...body(view, columns, rows - 1)];
  return `${Esc.home}${lines.map((line) => `${line}${Esc.clearLine}`).join('\r\n')}${Esc.clearBelow}`;
}

function headings({ sortBy }: IotopView, columns: number): string {
  const cells = STATS.map((stat) => {
    const cell = `${`${stat === sortBy ? '>' : ' '}${TITLES[stat]}`.padStart(STAT_WIDTH)} `;
    return { cell, attribute: stat === sortBy ? Esc.bold : '' };
  });
  let left = columns;
  const painted = [...cells, { cell: 'IMAGE'.padEnd(columns), attribute: '' }].map(({ cell, attribute }) => {
    const shown = cell.slice(0, left);
    left -= shown.length;
    return `${Esc.reverse}${attribute}${shown}${Esc.plain}`;
  });
  return painted.join('');
}

/** Lines below the headings, none wider than the screen. */
export function body({ images, isGlobal }: IotopView, columns: number, rows: number): readonly string[] {
  if (images.length === 0) return waiting(columns, rows);
  return images.slice(0, rows).map((image) => {
    const cells = STATS.map(
      (stat) => `${formatStat(stat, image.stats[stat]).slice(0, STAT_WIDTH).padStart(STAT_WIDTH)} `,
    );
    return `${cells.join('')}${isGlobal ? fullName(image) : image.image}`.slice(0, columns);
  });
}

/** A box in the middle. */
function waiting(columns: number, rows: number): readonly string[] {
  const line = '─'.repeat(WAITING.length + 2);
  const blank = ' '.repeat(WAITING.length + 2);
  const box = [`┌${line}┐`, `│${blank}│`, `│ ${WAITING} │`, `│${blank}│`, `└${line}┘`];
  const above = Math.max(0, Math.floor((rows + 1 - box.length) / 2) - 1);
  const margin = ' '.repeat(Math.max(0, Math.floor((columns - WAITING.length - 4) / 2)));
  return [...Array<string>(above).fill(''), ...box.map((each) => `${margin}${each}`.slice(0, columns))].slice(0, rows);
}
