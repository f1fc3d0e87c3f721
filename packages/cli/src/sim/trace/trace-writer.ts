/** Writes a trace to disk as it happens: JSON lines, in gzip when the file's name ends with .gz. Holds one chunk in memory. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { TraceEntry, TraceSink } from '@spirula/sim-world';
import { explainFileError } from './trace-file-error.ts';

/** Characters gathered before they are written. Each chunk is a gzip member of its own, which together are one gzip file. */
const CHUNK = 1 << 20;

export class TraceWriter implements TraceSink {
  readonly #path: string;
  readonly #file: number;
  readonly #zip: boolean;
  #waiting: string[] = [];
  #waitingLength = 0;
  #at = 0;
  #event = 0;

  /** @throws UserError when the file cannot be written. */
  constructor(path: string) {
    this.#path = path;
    this.#zip = path.endsWith('.gz');
    try {
      this.#file = openSync(path, 'w');
    } catch (error) {
      throw explainFileError(error, path);
    }
  }

  record(entry: TraceEntry): void {
    if (entry.kind !== 'header') {
      this.#at = entry.at;
      this.#event = entry.event;
    }
    const line = `${JSON.stringify(entry)}\n`;
    this.#waiting.push(line);
    this.#waitingLength += line.length;
    if (this.#waitingLength >= CHUNK) this.#write();
  }

  /** The run is over: what it says at its end. `problems` are empty when all is well. */
  end(digest: string, problems: readonly string[]): void {
    this.record({ kind: 'end', at: this.#at, event: this.#event, digest, problems });
  }

  /** Writes what waits, whether or not the run came to its end. */
  close(): void {
    this.#write();
    closeSync(this.#file);
  }

  #write(): void {
    if (this.#waitingLength === 0) return;
    const text = Buffer.from(this.#waiting.join(''));
    this.#waiting = [];
    this.#waitingLength = 0;
    try {
      const bytes = this.#zip ? gzipSync(text, { level: 4 }) : text;
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    } catch (error) {
      throw explainFileError(error, this.#path);
    }
  }
}
