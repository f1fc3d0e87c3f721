/**
 * The cluster log under Paxos (mon/LogMonitor.cc), bounded in every direction. In the store:
 *
 *   first, last    versions that are there, mon_max_log_epochs of them; subscribers count in versions
 *   v:<version>    number of its first line, and the lines that came together
 *   kept:<number>  a line of a version that is gone which is still among the newest mon_log_max_summary of its channel
 *
 * In memory are the newest lines of each channel: what `log last` shows. Lines stand in the order of their arrival; their
 * stamps are for people.
 */
import { Decoder, Encoder } from '@spirula/encoding';
import { decodeLogEntry, encodeLogEntry, type LogEntry } from '@spirula/messages';
import { isSameLine } from './cluster-log.ts';
import { type MonTransaction, versionKey } from './mon-store.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';

const PREFIX = 'logm';
const VERSION = 'v:';
const KEPT = 'kept:';
/** Most versions that go with one proposal. */
const MAX_TRIMMED = 100;
/** Channels beyond these are not written to. */
const MAX_CHANNELS = 16;
const ENTRY_BYTES = 64;

interface Line {
  /** Counted over all channels. */
  readonly number: number;
  readonly entry: LogEntry;
}

type Tails = ReadonlyMap<string, readonly Line[]>;

export class LogMonitor implements PaxosService {
  readonly #context: ServiceContext;
  readonly #onCommitted: (entries: readonly LogEntry[]) => void;
  #first = 0;
  #last = 0;
  /** Lines ever logged. */
  #lines = 0;
  #tails: Tails = new Map();
  /** Version -> its lines, as far as they may come again (`keyOf`). */
  readonly #recent = new Map<number, ReadonlySet<string>>();
  #pending: LogEntry[] = [];

  /** `onCommitted` hears what comes to stand in the log. */
  constructor(context: ServiceContext, onCommitted: (entries: readonly LogEntry[]) => void) {
    this.#context = context;
    this.#onCommitted = onCommitted;
  }

  get dirty(): boolean {
    return this.#pending.length > 0;
  }

  /** The newest version. */
  get version(): number {
    return this.#last;
  }

  /** Oldest version that is still there. */
  get first(): number {
    return this.#first;
  }

  /**
   * The newest `count` lines of a channel, or of all (`*`), of at least that priority; oldest first. As in 16.2 one more, where
   * the line right before them in the channel is of that priority, too.
   */
  last(count: number, priority: number, channel: string): readonly LogEntry[] {
    const lines = this.#linesOf(channel);
    let [from, left] = [lines.length, count];
    while (left > 0 && from > 0) {
      from -= 1;
      if (lines[from]!.priority >= priority) left -= 1;
    }
    return lines.slice(Math.max(0, from - 1)).filter((entry) => entry.priority >= priority);
  }

  /** The newest line of all of at least that priority. */
  newest(priority: number): LogEntry | undefined {
    return this.#linesOf('*')
      .filter((entry) => entry.priority >= priority)
      .at(-1);
  }

  #linesOf(channel: string): readonly LogEntry[] {
    const lines = channel === '*' ? [...this.#tails.values()].flat() : (this.#tails.get(channel) ?? []);
    return [...lines].sort((one, other) => one.number - other.number).map(({ entry }) => entry);
  }

  /** Lines of the versions from `version` on, as far as they are kept, of at least that priority. */
  since(version: number, priority: number): readonly LogEntry[] {
    const entries: LogEntry[] = [];
    for (let each = Math.max(version, this.#first); each <= this.#last; each++) {
      for (const { entry } of this.#batch(each)) if (entry.priority >= priority) entries.push(entry);
    }
    return entries;
  }

  /** Leaves out what is there already: who is not sure that a line arrived sends it again. */
  append(entries: readonly LogEntry[]): void {
    const before = this.#pending.length;
    for (const entry of entries) {
      const isNewChannel = !this.#tails.has(entry.channel) && this.#tails.size >= MAX_CHANNELS;
      if (!isNewChannel && !this.#isKnown(entry)) this.#pending.push(entry);
    }
    if (this.#pending.length === before) return;
    const excess = this.#pending.length - Math.max(1, this.#context.config.mon_max_log_entries_per_event);
    if (excess > 0) this.#pending.splice(0, excess);
    this.#context.changed();
  }

  #isKnown(entry: LogEntry): boolean {
    if (entry.seq === 0) return false;
    if (this.#pending.some((each) => isSameLine(each, entry))) return true;
    if ((this.#tails.get(entry.channel) ?? []).some((line) => isSameLine(line.entry, entry))) return true;
    const key = keyOf(entry);
    return [...this.#recent.values()].some((keys) => keys.has(key));
  }

  refresh(): void {
    const { store } = this.#context;
    const last = store.getNumber(PREFIX, 'last');
    const first = store.getNumber(PREFIX, 'first');
    const isWhole = this.#last === 0 || last < this.#last || first > this.#last + 1;
    if (last !== this.#last) this.#lines = store.getNumber(PREFIX, 'lines');
    const from = isWhole ? first : this.#last + 1;
    const fresh: Line[] = isWhole && last > 0 ? this.#keptLines() : [];
    if (isWhole) this.#recent.clear();
    for (let version = from; version <= last && last > 0; version++) {
      const lines = this.#batch(version);
      fresh.push(...lines);
      this.#recent.set(version, new Set(lines.map(({ entry }) => keyOf(entry))));
    }
    for (let version = this.#first; version < first; version++) this.#recent.delete(version);
    [this.#first, this.#last] = [first, last];
    if (isWhole) this.#tails = new Map();
    if (fresh.length === 0) return;
    this.#tails = this.#extended(fresh);
    this.#onCommitted(fresh.map(({ entry }) => entry));
  }

  onLeading(): void {
    this.#pending = [];
  }

  encodePending(transaction: MonTransaction): void {
    const version = this.#last + 1;
    const number = this.#lines + 1;
    transaction.put(PREFIX, VERSION + versionKey(version), encodeBatch(number, this.#pending));
    transaction.putNumber(PREFIX, 'last', version);
    transaction.putNumber(PREFIX, 'lines', this.#lines + this.#pending.length);
    this.#trim(transaction, version, number);
    this.#pending = [];
  }

  /** Drops the oldest versions; what the tails still show of them is kept by itself, until they show it no more. */
  #trim(transaction: MonTransaction, version: number, number: number): void {
    const oldest = Math.max(1, version - Math.max(1, this.#context.config.mon_max_log_epochs) + 1);
    const first = Math.min(Math.max(this.#first, oldest), this.#first + MAX_TRIMMED);
    if (this.#first === 0) transaction.putNumber(PREFIX, 'first', 1);
    else if (first > this.#first) transaction.putNumber(PREFIX, 'first', first);
    const next = this.#extended(this.#pending.map((entry, i) => ({ number: number + i, entry })));
    const shown = new Set([...next.values()].flatMap((lines) => lines.map((line) => line.number)));
    const gone = (line: Line) => !shown.has(line.number);
    const firstLine = this.#first === 0 ? number : (this.#batch(this.#first)[0]?.number ?? number);
    for (const line of [...this.#tails.values()].flat()) {
      if (line.number < firstLine && gone(line)) transaction.del(PREFIX, KEPT + versionKey(line.number));
    }
    for (let each = this.#first; each > 0 && each < first; each++) {
      for (const line of this.#batch(each)) {
        if (!gone(line))
          transaction.put(PREFIX, KEPT + versionKey(line.number), encodeBatch(line.number, [line.entry]));
      }
      transaction.del(PREFIX, VERSION + versionKey(each));
    }
  }

  #extended(lines: readonly Line[]): Tails {
    const tails = new Map([...this.#tails].map(([channel, tail]) => [channel, [...tail]]));
    for (const line of lines) {
      const tail = tails.get(line.entry.channel) ?? [];
      tail.push(line);
      tails.set(line.entry.channel, tail);
    }
    const { mon_log_max_summary: most } = this.#context.config;
    for (const tail of tails.values()) if (tail.length > most) tail.splice(0, tail.length - most);
    return tails;
  }

  #batch(version: number): readonly Line[] {
    const bytes = this.#context.store.get(PREFIX, VERSION + versionKey(version));
    return bytes === undefined ? [] : decodeBatch(bytes);
  }

  #keptLines(): Line[] {
    return [...this.#context.store.list(PREFIX)]
      .filter(([key]) => key.startsWith(KEPT))
      .flatMap(([, value]) => decodeBatch(value));
  }
}

/** The same for two that are one line (`isSameLine`). */
function keyOf({ name, stamp, seq }: LogEntry): string {
  return `${name.type}.${name.id} ${stamp.sec}.${stamp.nsec} ${seq}`;
}

function encodeBatch(number: number, entries: readonly LogEntry[]): Uint8Array {
  const to = new Encoder(256);
  to.u64(number);
  to.list(entries, (entry) => encodeLogEntry(to, entry));
  return to.finish();
}

function decodeBatch(bytes: Uint8Array): Line[] {
  const from = new Decoder(bytes);
  const number = from.u64('log.number');
  return from
    .list('log.lines', ENTRY_BYTES, () => decodeLogEntry(from))
    .map((entry, i) => ({ number: number + i, entry }));
}
