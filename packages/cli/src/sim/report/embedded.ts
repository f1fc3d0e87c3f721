/** What the command line put into the page. */
import type { TraceEntry, TraceHeader } from '@spirula/sim-world';

export type Entry = Exclude<TraceEntry, TraceHeader>;

export interface Embedded {
  readonly header: TraceHeader;
  /** Entries of the trace that passed the filter. */
  readonly total: number;
  /** Entries in the page from which on all of them are there; those before say how things stood then. */
  readonly carried: number;
  /** One line of JSON each, in the order of the trace. */
  readonly lines: readonly string[];
}

/** @throws Error when this browser has no DecompressionStream, or the page was cut off. */
export async function readEmbedded(): Promise<Embedded> {
  const text = document.getElementById('trace')!.textContent;
  const zipped = Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0));
  const plain = new Blob([zipped]).stream().pipeThrough(new DecompressionStream('gzip'));
  const [first, ...lines] = (await new Response(plain).text()).split('\n');
  const { header, total, carried } = JSON.parse(first!) as Omit<Embedded, 'lines'>;
  return { header, total, carried, lines };
}
