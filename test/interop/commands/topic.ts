/**
 * Command lines of `ceph` that are to give the same on Ceph 16.2 and here. A topic leaves the cluster as it found it. Besides
 * `ceph`'s own lines there is `settle`, which waits until every PG is active+clean and the monitors know it, and `placed`, until the manager has
 * heard of every PG from where the map has it.
 */

/**
 * What of the output is compared; the return code and standard error always are.
 * `text`: all of it. `json`: all of it, but for values that differ by nature (normalise.ts). `shape`: the keys of the JSON and the types of
 * their values. `code`: nothing.
 */
export type Comparison = 'text' | 'json' | 'shape' | 'code';

export interface Step {
  readonly line: string;
  /** Data as `-i` gives them. */
  readonly input?: string;
  /** Without it: `json` for lines that ask for JSON, `text` for others. */
  readonly compare?: Comparison;
}

interface KnownDifference {
  /** Lines; a star at the end stands for any rest. */
  readonly lines: readonly string[];
  readonly reason: string;
}

export interface Topic {
  readonly name: string;
  readonly steps: readonly (string | Step)[];
  readonly known?: readonly KnownDifference[];
}

export function stepOf(step: string | Step): Required<Pick<Step, 'line' | 'compare'>> & Step {
  const { line, compare, ...rest } = typeof step === 'string' ? { line: step } : step;
  const isJson = / (-f|--format) json(-pretty)?( |$)/.test(line);
  return { line, compare: compare ?? (isJson ? 'json' : 'text'), ...rest };
}
