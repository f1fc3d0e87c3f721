/** Reads a trace entry by entry, never the whole of it. */
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TRACE_VERSION, type TraceEntry, type TraceHeader } from '@spirula/sim-world';
import { UserError } from '../../cluster/user-error.ts';
import { explainFileError } from './trace-file-error.ts';

type EntryOf<K extends TraceEntry['kind']> = Extract<TraceEntry, { kind: K }>;
type Kind = Exclude<TraceEntry['kind'], 'header'>;
type FieldType = 'string' | 'number' | 'boolean' | 'list';

/** The fields that every entry of a kind has, beside `at` and `event`. */
const FIELDS: { readonly [K in Kind]: { readonly [F in keyof EntryOf<K>]?: FieldType } } = {
  message: { what: 'string', id: 'number', from: 'string', to: 'string', type: 'string', bytes: 'number' },
  timer: { daemon: 'string', name: 'string' },
  disk: { daemon: 'string', what: 'string' },
  session: { daemon: 'string', what: 'string', session: 'number' },
  process: { daemon: 'string', what: 'string' },
  pg: { daemon: 'string', pgid: 'string', state: 'string', peering: 'string', primary: 'boolean', acting: 'list' },
  mon: { daemon: 'string', role: 'string', electionEpoch: 'number', quorum: 'list' },
  paxos: { daemon: 'string', lastCommitted: 'number' },
  boot: { daemon: 'string', state: 'string' },
  map: { daemon: 'string', epoch: 'number' },
  health: { daemon: 'string', status: 'string', checks: 'list' },
  fault: { what: 'string', id: 'number' },
  client: { daemon: 'string', what: 'string', id: 'number', object: 'string' },
  log: { daemon: 'string', level: 'string', text: 'string' },
  violation: { text: 'string' },
  end: { digest: 'string', problems: 'list' },
};

export const traceKinds: readonly string[] = Object.keys(FIELDS);

const GZIP_MAGIC = 0x1f8b;
/** No entry is longer: its payload is shortened when it is recorded. */
const MAX_LINE = 4 << 20;

/**
 * The header, then the entries in batches.
 *
 * @throws UserError, with the line and what is wrong with it, when the file is no trace or is damaged.
 */
export async function* readTrace(path: string): AsyncGenerator<TraceEntry[]> {
  let number = 0;
  for await (const lines of readLines(path)) {
    const entries: TraceEntry[] = [];
    for (const line of lines) {
      number += 1;
      const parsed = parseLine(line);
      const problem = number === 1 ? judgeHeader(parsed) : judgeEntry(parsed);
      if (problem !== undefined) throw new UserError(`${path}, line ${number}: ${problem}.`);
      entries.push(parsed as TraceEntry);
    }
    yield entries;
  }
  if (number === 0) throw new UserError(`${path} is empty: a trace begins with a header.`);
}

async function* readLines(path: string): AsyncGenerator<string[]> {
  let rest = '';
  try {
    const zipped = isGzip(path);
    const file = createReadStream(path, { highWaterMark: 1 << 18 });
    // Errors of the file come out of the last stream of the two.
    const bytes = zipped ? pipeline(file, createGunzip(), () => {}) : file;
    for await (const text of bytes.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      if (rest.length > MAX_LINE)
        throw new UserError(`${path} is no trace: a line has more than ${MAX_LINE} characters.`);
      if (lines.length > 0) yield lines;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_')) {
      throw new UserError(`${path} is damaged or cut off: gzip says "${(error as Error).message}".`);
    }
    throw explainFileError(error, path);
  }
  if (rest !== '') yield [rest];
}

/** By its first two bytes, whatever its name is. */
function isGzip(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const magic = Buffer.alloc(2);
    return readSync(file, magic) === 2 && magic.readUInt16BE() === GZIP_MAGIC;
  } finally {
    closeSync(file);
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function judgeHeader(parsed: unknown): string | undefined {
  if (!isRecord(parsed) || parsed['kind'] !== 'header') return 'this is no trace: it does not begin with a header';
  const { version, scenario, seed, daemons } = parsed as Partial<TraceHeader>;
  if (version !== TRACE_VERSION) return `the format is version ${version}; this program reads ${TRACE_VERSION}`;
  if (typeof scenario !== 'string' || typeof seed !== 'number' || !isTexts(daemons)) {
    return 'the header lacks scenario, seed or daemons';
  }
  return undefined;
}

/** What is wrong with an entry. */
function judgeEntry(parsed: unknown): string | undefined {
  if (parsed === undefined) return 'this is not JSON; the run was perhaps cut off while it wrote';
  if (!isRecord(parsed)) return 'an entry is a JSON object';
  const { kind, at, event } = parsed;
  const fields = typeof kind === 'string' && Object.hasOwn(FIELDS, kind) ? FIELDS[kind as Kind] : undefined;
  if (fields === undefined) return `there are no entries of kind ${JSON.stringify(kind)}`;
  if (!isCount(at) || !isCount(event)) return '"at" and "event" are whole numbers, not negative';
  for (const [name, type] of Object.entries(fields)) {
    if (typeOf(parsed[name]) !== type)
      return `"${name}" of kind ${kind} is a ${type}, not ${JSON.stringify(parsed[name])}`;
  }
  return undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? 'list' : typeof value;
}
