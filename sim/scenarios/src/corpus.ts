/**
 * Seeds that once found a bug, each with what it found: swarms run them first. What a seed draws changes with the program, so a
 * bug itself is kept by a test of its own beside the code; its seed stays here as one that is known to reach far.
 */
export interface CorpusEntry {
  readonly scenario: string;
  readonly seed: number;
  readonly found: string;
}

export const CORPUS: readonly CorpusEntry[] = [
  { scenario: 'standard', seed: 65, found: 'a write on an object whose recovery was not durable everywhere was lost' },
  { scenario: 'standard', seed: 262, found: 'the only copies, on members to be backfilled, were not looked for' },
  { scenario: 'standard', seed: 509, found: 'a PG whose objects could not be found kept its recovery slot for ever' },
  { scenario: 'standard', seed: 549, found: 'a write on an object whose recovery was not durable everywhere was lost' },
  { scenario: 'standard', seed: 583, found: 'the only copies, on members to be backfilled, were not looked for' },
];
