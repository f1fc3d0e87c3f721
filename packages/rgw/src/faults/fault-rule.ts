/**
 * A fault rule: which requests it is for, when it fires, and what becomes of the request then. One form everywhere: in JSON, in
 * YAML, and as text (`fault-text.ts`).
 */
import { FaultRuleError } from './fault-rule-error.ts';
import { type Latency, readLatency } from './latency.ts';

/** All there is, each left out unless said otherwise; at least one effect is given. */
export interface FaultRule {
  /** AWS's names of operations, such as GetObject; in a text several are apart by `|`. */
  readonly operation?: string | readonly string[];
  readonly bucket?: string;
  /** What keys begin with. A request that names no key (a list, DeleteObjects) has the key ''. */
  readonly prefix?: string;
  /** Who asks. */
  readonly uid?: string;
  readonly method?: string;

  /** 0 .. 1: fires for so much of what matches. */
  readonly probability?: number;
  /** Fires so often at most. */
  readonly count?: number;
  /** The first so many that match pass. */
  readonly after?: number;
  /** Seconds since the rule was set: from when on, and until when, requests match. */
  readonly from?: number;
  readonly until?: number;
  /** What chance follows: one seed and the same requests, the same faults (1). */
  readonly seed?: number;

  /** Milliseconds, or how they are distributed: `uniform:100:300`, `normal:200:50`, `pareto:100:1.5`. */
  readonly latency?: Latency;
  /** Answered with this status, and nothing is done. */
  readonly error?: (typeof ERRORS)[number];
  /** Seconds, in the header `Retry-After`, with `error`; for 429 and 503 it is 1 unless given. */
  readonly retryAfter?: number;
  /**
   * The connection is reset: `before` anything is done; `after` all is done, instead of the answer; or after so many bytes of the
   * request's body (PUT, POST) or the answer's (others).
   */
  readonly reset?: 'before' | 'after' | number;
  /** The answer's body ends after so many bytes, and the connection with it. */
  readonly truncate?: number;
  /** Bytes per second of the request's body and of the answer's. */
  readonly throttle?: number;
  /** A listing does not see objects written in the last so many seconds. Requests that list nothing pass as they are. */
  readonly stale?: number;
}

const ERRORS = [429, 500, 503] as const;
const EFFECTS = ['latency', 'error', 'reset', 'truncate', 'throttle', 'stale'] as const;
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE']);
const MAX_SECONDS = 1e9;
const MAX_BYTES = Number.MAX_SAFE_INTEGER;
const MAX_SEED = 2 ** 32 - 1;

type Reader = (value: unknown, name: string) => unknown;

const readers: Readonly<Record<keyof FaultRule, Reader>> = {
  operation: readOperations,
  bucket: readText,
  prefix: readText,
  uid: readText,
  method: (value, name) => {
    const method = readText(value, name).toUpperCase();
    if (!METHODS.has(method)) throw new FaultRuleError(`${name}: give one of ${[...METHODS].join(', ')}`);
    return method;
  },
  probability: number(0, 1),
  count: wholeNumber(1, MAX_BYTES),
  after: wholeNumber(0, MAX_BYTES),
  from: number(0, MAX_SECONDS),
  until: number(0, MAX_SECONDS),
  seed: wholeNumber(0, MAX_SEED),
  latency: (value) => {
    const latency = numeric(value) ?? value;
    readLatency(latency);
    return latency;
  },
  error: (value, name) => {
    const status = numeric(value);
    if (!ERRORS.some((each) => each === status)) throw new FaultRuleError(`${name}: give one of ${ERRORS.join(', ')}`);
    return status;
  },
  retryAfter: wholeNumber(0, MAX_SECONDS),
  reset: (value, name) => {
    if (value === 'before' || value === 'after') return value;
    const bytes = numeric(value);
    if (bytes === undefined || !Number.isSafeInteger(bytes) || bytes < 1) {
      throw new FaultRuleError(`${name}: give before, after, or a number of bytes from 1`);
    }
    return bytes;
  },
  truncate: wholeNumber(1, MAX_BYTES),
  throttle: wholeNumber(1, MAX_BYTES),
  stale: number(0, MAX_SECONDS),
};

/**
 * A rule from what somebody wrote; numbers may be texts.
 *
 * @param operations that there are
 * @throws FaultRuleError
 */
export function parseFaultRule(given: unknown, operations: ReadonlySet<string>): FaultRule {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new FaultRuleError('A rule has fields, such as operation and error');
  }
  const rule: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const read = Object.hasOwn(readers, name) ? readers[name as keyof FaultRule] : undefined;
    if (!read)
      throw new FaultRuleError(`${name}: there is no such field. There are ${Object.keys(readers).join(', ')}`);
    rule[name] = read(value, name);
  }
  const parsed = rule as FaultRule;
  checkTogether(parsed);
  for (const name of operationsOf(parsed)) {
    if (!operations.has(name)) {
      throw new FaultRuleError(`operation: there is no ${name}. There are ${[...operations].sort().join(', ')}`);
    }
  }
  return parsed;
}

function checkTogether(rule: FaultRule): void {
  const effects = EFFECTS.filter((name) => rule[name] !== undefined);
  if (effects.length === 0) throw new FaultRuleError(`A rule needs an effect: ${EFFECTS.join(', ')}`);
  if (rule.retryAfter !== undefined && rule.error === undefined) throw new FaultRuleError('retryAfter goes with error');
  if (rule.until !== undefined && rule.until <= (rule.from ?? 0)) throw new FaultRuleError('until must be behind from');
  const endings = (['error', 'reset', 'truncate'] as const).filter((name) => rule[name] !== undefined);
  if (endings.length > 1) throw new FaultRuleError(`${endings.join(' and ')} exclude each other: make two rules`);
}

/** Empty: any. */
export function operationsOf({ operation = [] }: FaultRule): readonly string[] {
  return typeof operation === 'string' ? operation.split('|').map((name) => name.trim()) : operation;
}

function readOperations(value: unknown, name: string): string | readonly string[] {
  if (Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string')) return value;
  return readText(value, name);
}

function readText(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new FaultRuleError(`${name}: give a text (in YAML, in quotes)`);
  return value;
}

function numeric(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
}

function number(least: number, most: number): Reader {
  return (value, name) => {
    const read = numeric(value);
    if (read === undefined || !(read >= least && read <= most)) {
      throw new FaultRuleError(`${name}: give a number from ${least} to ${most}`);
    }
    return read;
  };
}

function wholeNumber(least: number, most: number): Reader {
  return (value, name) => {
    const read = numeric(value);
    if (read === undefined || !Number.isInteger(read) || read < least || read > most) {
      throw new FaultRuleError(`${name}: give a whole number from ${least} to ${most}`);
    }
    return read;
  };
}
