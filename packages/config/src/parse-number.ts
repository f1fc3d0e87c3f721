/** Numbers as Ceph reads them from text (common/strtol.cc), with its words for what is wrong. */

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;
const INT32_MAX = 2n ** 31n - 1n;
const SI_DIGITS: Readonly<Record<string, bigint>> = { K: 3n, M: 6n, G: 9n, T: 12n, P: 15n, E: 18n };
const IEC_BITS: Readonly<Record<string, bigint>> = { B: 0n, K: 10n, M: 20n, G: 30n, T: 40n, P: 50n, E: 60n };

function good<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

function bad(problem: string): Parsed<never> {
  return { ok: false, problem };
}

/** Digits with a sign, of 64 bits. */
function parseInt64(text: string): Parsed<bigint> {
  if (!/^\s*[+-]?\d+$/.test(text)) return bad(`Expected option value to be integer, got '${text}'`);
  const digits = text.trim().replace(/^\+/, '');
  const value = BigInt(digits);
  if (value > INT64_MAX || value < INT64_MIN) return bad(`The option value '${text}' seems to be invalid`);
  return good(value);
}

/** A number with K, M … for powers of 1000; `lowest` is 0 for what has no sign. */
export function parseSi(text: string, isSigned: boolean): Parsed<number> {
  if (text === '') return bad('strict_sistrtoll: value not specified');
  let digits = text;
  let power = 0n;
  if (/[^0-9+-]/.test(text)) {
    const unit = text.at(-1)!;
    if (!(unit in SI_DIGITS) && unit !== 'B') return bad('strict_si_cast: unit prefix not recognized');
    power = SI_DIGITS[unit] ?? 0n;
    if (power > 0n) digits = text.slice(0, -1);
  }
  const parsed = parseInt64(digits);
  if (!parsed.ok) return parsed;
  if (parsed.value < 0n && !isSigned) return bad('strict_sistrtoll: value should not be negative');
  const value = parsed.value * 10n ** power;
  if (value > (isSigned ? INT64_MAX : UINT64_MAX) || value < INT64_MIN) {
    return bad('strict_sistrtoll: value out of range');
  }
  return good(Number(value));
}

/** A number of bytes with K, Ki, KB, KiB, M … for powers of 1024. */
export function parseIec(text: string): Parsed<number> {
  if (text === '') return bad('strict_iecstrtoll: value not specified');
  const [, digits = '', suffix = ''] = /^([0-9+-]*)(.*)$/s.exec(text)!;
  const unit = suffix.length > 1 && suffix.endsWith('B') ? suffix.slice(0, -1) : suffix;
  if (unit.length > 2) return bad('strict_iecstrtoll: illegal prefix (length > 2)');
  if (unit === 'Bi') return bad('strict_iecstrtoll: illegal prefix "Bi"');
  if (unit.length === 2 && !unit.endsWith('i')) return bad(`strict_iecstrtoll: illegal prefix '${unit}' `);
  const bits = unit === '' ? 0n : IEC_BITS[unit[0]!];
  if (bits === undefined) return bad('strict_iecstrtoll: unit prefix not recognized');
  const parsed = parseInt64(digits);
  if (!parsed.ok) return parsed;
  if (parsed.value < 0n) return bad('strict_iecstrtoll: value should not be negative');
  if (parsed.value << bits > UINT64_MAX) return bad('strict_iecstrtoll: value seems to be too large');
  return good(Number(parsed.value << bits));
}

export function parseFloating(text: string): Parsed<number> {
  const match = /^\s*[+-]?(?:inf(?:inity)?|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)/i.exec(text);
  if (!match) return bad(`strict_strtod: expected double, got: '${text}'`);
  if (match[0].length < text.length) return bad(`strict_strtod: garbage at end of string. got: '${text}'`);
  const word = match[0].trim().toLowerCase();
  const value = /inf/.test(word) ? Number(word.startsWith('-') ? '-Infinity' : 'Infinity') : Number(word);
  if (!/inf/.test(word) && !Number.isFinite(value) && !/nan/.test(word)) {
    return bad(`strict_strtod: floating point overflow or underflow parsing '${text}'`);
  }
  return good(value);
}

export function parseBoolean(text: string): Parsed<boolean> {
  const word = text.toLowerCase();
  if (word === 'true' || word === 'false') return good(word === 'true');
  const parsed = parseInt64(text);
  if (!parsed.ok) return parsed;
  if (parsed.value > INT32_MAX || parsed.value < -INT32_MAX - 1n) {
    return bad(`The option value '${text}' seems to be invalid`);
  }
  return good(parsed.value !== 0n);
}

const SPAN_SECONDS = { days: 86_400, hours: 3600, minutes: 60, seconds: 1 };

/** `300`, or whole `days`, `hours`, `minutes`, `seconds` in this order, such as `1 hours 30 minutes`. */
export function parseSpan(text: string): Parsed<number> {
  const plain = parseInt64(text);
  if (plain.ok) return good(Number(plain.value));
  const compact = text.replaceAll(/\s/g, '');
  const match = /^(?:([+-]?\d+)days)?(?:([+-]?\d+)hours)?(?:([+-]?\d+)minutes)?(?:([+-]?\d+)seconds)?$/.exec(compact);
  if (!match || compact === '') return bad('');
  const counts = match.slice(1).map((count) => Number(count ?? 0));
  return good(Object.values(SPAN_SECONDS).reduce((sum, unit, i) => sum + unit * counts[i]!, 0));
}
