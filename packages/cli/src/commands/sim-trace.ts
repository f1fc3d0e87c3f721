import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import type { TraceEntry, TraceHeader } from '@spirula/sim-world';
import { UserError } from '../cluster/user-error.ts';
import { explainFileError } from '../sim/trace/trace-file-error.ts';
import { passes, type TraceFilter } from '../sim/trace/trace-filter.ts';
import { readTrace, traceKinds } from '../sim/trace/trace-reader.ts';
import { makeReport } from '../sim/trace/trace-report.ts';
import { TraceText } from '../sim/trace/trace-text.ts';

export interface TraceOptions {
  readonly pg?: string;
  readonly daemon?: string;
  readonly type?: string;
  readonly kind?: string;
  readonly from?: string;
  readonly to?: string;
  readonly last?: number;
  readonly format: 'text' | 'json' | 'html';
  readonly out?: string;
}

type Entry = Exclude<TraceEntry, TraceHeader>;

/** `spirula sim trace`. */
export async function showTrace(path: string, options: TraceOptions): Promise<void> {
  const filter = parseFilter(options);
  const { fromUs = 0 } = filter;
  if (options.format === 'html' && options.out === undefined && process.stdout.isTTY) {
    throw new UserError('A report is for a browser: give --out report.html.');
  }
  const batches = readTrace(path);
  const first = await batches.next();
  const [header, ...rest] = first.value as [TraceHeader, ...Entry[]];
  const all = batches as AsyncIterable<Entry[]>;
  if (options.format === 'html') {
    const passed = filterEntries(rest, all, { ...filter, fromUs: 0 });
    await write(only(makeReport(header, passed, fromUs, options.last)), options.out);
    return;
  }
  const passed = filterEntries(rest, all, filter);
  const shown = options.last === undefined ? passed : lastOf(passed, options.last);
  await write(options.format === 'json' ? asJson(header, shown) : asText(header, shown), options.out);
}

async function* filterEntries(
  first: Entry[],
  rest: AsyncIterable<Entry[]>,
  filter: TraceFilter,
): AsyncGenerator<Entry[]> {
  yield first.filter((entry) => passes(filter, entry));
  for await (const entries of rest) yield entries.filter((entry) => passes(filter, entry));
}

/** Keeps no more than `count`, and a batch. */
async function* lastOf(batches: AsyncIterable<Entry[]>, count: number): AsyncGenerator<Entry[]> {
  let last: Entry[] = [];
  for await (const entries of batches) last = last.concat(entries).slice(-count);
  yield last;
}

async function* asText(header: TraceHeader, batches: AsyncIterable<Entry[]>): AsyncGenerator<string> {
  const text = new TraceText(header);
  yield `${text.header(header)}\n`;
  for await (const entries of batches) yield entries.map((entry) => `${text.line(entry)}\n`).join('');
}

async function* asJson(header: TraceHeader, batches: AsyncIterable<Entry[]>): AsyncGenerator<string> {
  yield `${JSON.stringify(header)}\n`;
  for await (const entries of batches) yield entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
}

async function* only(text: Promise<string>): AsyncGenerator<string> {
  yield await text;
}

/** A reader that has seen enough (`| head`) ends it without a word. */
async function write(texts: AsyncIterable<string>, out: string | undefined): Promise<void> {
  const target: Writable = out === undefined ? process.stdout : createWriteStream(out);
  let failure: NodeJS.ErrnoException | undefined;
  target.on('error', (error) => {
    failure = error;
  });
  for await (const text of texts) {
    if (failure !== undefined) break;
    if (text !== '' && !target.write(text))
      await Promise.race([once(target, 'drain'), once(target, 'close')]).catch(() => {});
  }
  if (out !== undefined && failure === undefined) await new Promise((resolve) => target.end(resolve));
  if (failure !== undefined && failure.code !== 'EPIPE') throw explainFileError(failure, out ?? 'standard output');
}

/** @throws UserError */
export function parseFilter(options: Omit<TraceOptions, 'format'>): TraceFilter {
  const { pg, daemon, type, kind, from, to } = options;
  const kinds = kind && listOf(kind, '--kind', (name) => traceKinds.includes(name), `some of ${traceKinds.join(',')}`);
  const pgs = pg && listOf(pg, '--pg', (name) => /^\d+\.[0-9a-f]+$/.test(name), 'PGs such as 1.7');
  const daemons =
    daemon && listOf(daemon, '--daemon', (name) => /^[a-z]+\..+$/.test(name), 'daemons such as osd.3,mon.a');
  const types =
    type && listOf(type, '--type', (name) => /^\w+\*?$/.test(name), 'types of messages such as osd_op,pg_*');
  const fromUs = from === undefined ? undefined : parseTime(from, '--from');
  const toUs = to === undefined ? undefined : parseTime(to, '--to');
  if (fromUs !== undefined && toUs !== undefined && toUs < fromUs) throw new UserError('--to is before --from.');
  return {
    ...(kinds && { kinds: new Set(kinds) }),
    ...(pgs && { pgs: new Set(pgs) }),
    ...(daemons && { daemons: new Set(daemons) }),
    ...(types && { types }),
    ...(fromUs !== undefined && { fromUs }),
    ...(toUs !== undefined && { toUs }),
  };
}

function listOf(text: string, flag: string, isGood: (name: string) => boolean, expected: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  const bad = names.find((name) => !isGood(name));
  if (bad !== undefined) throw new UserError(`${flag} takes ${expected}, not ${JSON.stringify(bad)}.`);
  return names;
}

const UNIT_US: Readonly<Record<string, number>> = { us: 1, ms: 1000, '': 1e6, s: 1e6, m: 60e6, h: 3600e6 };

/** Microseconds since the beginning of the run. */
function parseTime(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)(us|ms|s|m|h|)$/.exec(text);
  if (!match)
    throw new UserError(`${flag} takes a virtual time such as 10s, 1.5m or 250ms, not ${JSON.stringify(text)}.`);
  return Math.round(Number(match[1]) * UNIT_US[match[2]!]!);
}
