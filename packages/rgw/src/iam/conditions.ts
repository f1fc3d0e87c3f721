/**
 * Conditions of policies: operators over what is known of a request. As AWS defines them; radosgw 16.2 has the same, but that it
 * takes a `NotEquals` of several values for met when one of them differs, and heeds no value of `Null`.
 */
import ipaddr from 'ipaddr.js';
import { parseIsoDate } from '../s3/http-date.ts';
import { globMatches } from './glob.ts';

/** What is known of a request, by keys in lower case: `aws:sourceip`, `s3:prefix`. A key may have several values. */
export type Environment = ReadonlyMap<string, readonly string[]>;

export interface Condition {
  /** As in `operators`. */
  readonly operator: string;
  /** Met when the request has no such key. */
  readonly ifExists: boolean;
  /** For keys with several values: whether every one of them, or one, must meet it. */
  readonly set: 'all' | 'any' | undefined;
  /** In lower case. */
  readonly key: string;
  readonly values: readonly string[];
}

type Compare = (actual: string, expected: string) => boolean;

interface Operator {
  readonly compare: Compare;
  /** Met when no value fits. */
  readonly negated: boolean;
}

const is = (compare: Compare): Operator => ({ compare, negated: false });
const isNot = (compare: Compare): Operator => ({ compare, negated: true });

const equal: Compare = (actual, expected) => actual === expected;
const equalIgnoringCase: Compare = (actual, expected) => actual.toLowerCase() === expected.toLowerCase();
const like: Compare = (actual, expected) => globMatches(expected, actual);
const arnLike: Compare = (actual, expected) => {
  const [parts, patterns] = [arnParts(actual), arnParts(expected)];
  return parts.length === patterns.length && patterns.every((pattern, i) => globMatches(pattern, parts[i]!));
};

function arnParts(text: string): string[] {
  const [a = '', b = '', c = '', d = '', e = '', ...rest] = text.split(':');
  return [a, b, c, d, e, rest.join(':')];
}

const numbers =
  (holds: (a: number, b: number) => boolean): Compare =>
  (actual, expected) =>
    actual.trim() !== '' && expected.trim() !== '' && holds(Number(actual), Number(expected));

const dates =
  (holds: (a: number, b: number) => boolean): Compare =>
  (actual, expected) =>
    holds(readDate(actual), readDate(expected));

/** Seconds since 1970, given so or as a date of ISO 8601. NaN compares with nothing. */
function readDate(text: string): number {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  const date = parseIsoDate(text.includes('T') ? text : `${text}T00:00:00Z`);
  return date ? date.sec + date.nsec / 1e9 : Number.NaN;
}

const inNetwork: Compare = (actual, expected) => {
  try {
    const address = ipaddr.process(actual);
    const [network, bits] = expected.includes('/')
      ? ipaddr.parseCIDR(expected)
      : [ipaddr.process(expected), ipaddr.process(expected).kind() === 'ipv4' ? 32 : 128];
    return address.kind() === network.kind() && address.match(network, bits);
  } catch {
    return false;
  }
};

const operators: ReadonlyMap<string, Operator> = new Map([
  ['StringEquals', is(equal)],
  ['StringNotEquals', isNot(equal)],
  ['StringEqualsIgnoreCase', is(equalIgnoringCase)],
  ['StringNotEqualsIgnoreCase', isNot(equalIgnoringCase)],
  ['StringLike', is(like)],
  ['StringNotLike', isNot(like)],
  ['NumericEquals', is(numbers((a, b) => a === b))],
  ['NumericNotEquals', isNot(numbers((a, b) => a === b))],
  ['NumericLessThan', is(numbers((a, b) => a < b))],
  ['NumericLessThanEquals', is(numbers((a, b) => a <= b))],
  ['NumericGreaterThan', is(numbers((a, b) => a > b))],
  ['NumericGreaterThanEquals', is(numbers((a, b) => a >= b))],
  ['DateEquals', is(dates((a, b) => a === b))],
  ['DateNotEquals', isNot(dates((a, b) => a === b))],
  ['DateLessThan', is(dates((a, b) => a < b))],
  ['DateLessThanEquals', is(dates((a, b) => a <= b))],
  ['DateGreaterThan', is(dates((a, b) => a > b))],
  ['DateGreaterThanEquals', is(dates((a, b) => a >= b))],
  ['Bool', is(equalIgnoringCase)],
  ['BinaryEquals', is(equal)],
  ['IpAddress', is(inNetwork)],
  ['NotIpAddress', isNot(inNetwork)],
  ['ArnEquals', is(arnLike)],
  ['ArnLike', is(arnLike)],
  ['ArnNotEquals', isNot(arnLike)],
  ['ArnNotLike', isNot(arnLike)],
]);

/** An operator's name, taken apart; undefined: there is none. */
export function parseOperator(text: string): Pick<Condition, 'operator' | 'ifExists' | 'set'> | undefined {
  const match = /^(?:For(All|Any)Values?:)?(\w+?)(IfExists)?$/.exec(text);
  if (!match) return undefined;
  const [, set, operator = '', ifExists] = match;
  const isKnown = operator === 'Null' ? set === undefined && ifExists === undefined : operators.has(operator);
  if (!isKnown) return undefined;
  return {
    operator,
    ifExists: ifExists !== undefined,
    set: set === undefined ? undefined : set === 'All' ? 'all' : 'any',
  };
}

/** Whether a request meets it. */
export function meets({ operator, ifExists, set, key, values }: Condition, environment: Environment): boolean {
  const actual = environment.get(key) ?? [];
  if (operator === 'Null') return values.some((value) => equalIgnoringCase(value, String(actual.length === 0)));
  const { compare, negated } = operators.get(operator)!;
  // AWS: nothing is in every set; a key that is not there differs from every value.
  if (actual.length === 0) return ifExists || set === 'all' || (negated && set === undefined);
  const fits = (one: string) => values.some((value) => compare(one, value)) !== negated;
  return set === 'any' || (set === undefined && !negated) ? actual.some(fits) : actual.every(fits);
}
