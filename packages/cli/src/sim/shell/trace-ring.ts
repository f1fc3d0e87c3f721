/** The last that was traced of a run, as text. */
import { type Lab, TraceRecorder } from '@spirula/sim-scenarios';
import type { TraceEntry, TraceHeader, TraceSink } from '@spirula/sim-world';
import { passes } from '../trace/trace-filter.ts';
import { TraceText } from '../trace/trace-text.ts';

/** Entries kept: some seconds of a small cluster at work. */
const MAX_ENTRIES = 20_000;

type Entry = Exclude<TraceEntry, TraceHeader>;

export class TraceRing implements TraceSink {
  readonly #entries: Entry[] = [];
  #count = 0;
  #text!: TraceText;

  /** Watches a lab that is not booted yet. */
  constructor(lab: Lab) {
    new TraceRecorder(lab.cluster, this).begin({ scenario: lab.spec.name, config: lab.spec });
  }

  record(entry: TraceEntry): void {
    if (entry.kind === 'header') this.#text = new TraceText(entry);
    else {
      this.#entries[this.#count % MAX_ENTRIES] = entry;
      this.#count += 1;
    }
  }

  /** Entries so far, those included that are not kept. */
  get count(): number {
    return this.#count;
  }

  /** The last entries, of all daemons or what one does. */
  last(count: number, daemon?: string): string[] {
    const lines: string[] = [];
    const filter = daemon === undefined ? {} : { daemons: new Set([daemon]) };
    const oldest = Math.max(0, this.#count - MAX_ENTRIES);
    for (let i = this.#count - 1; i >= oldest && lines.length < count; i--) {
      const entry = this.#entries[i % MAX_ENTRIES]!;
      if (passes(filter, entry)) lines.push(this.#text.line(entry));
    }
    return lines.reverse();
  }
}
