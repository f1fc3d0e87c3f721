/** Numbers as C reads and C++ prints them: strtod, and a stream's default notation with a precision. */

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const HEXADECIMAL = /^([+-]?)0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i;
const INFINITE = /^([+-]?)inf(inity)?$/i;
const NOT_A_NUMBER = /^[+-]?nan(\(\w*\))?$/i;
/** No finite double needs more; enough of a hexadecimal number's exponent. */
const MAX_EXPONENT = 100_000;

/** A double, and the sign of one that is none: C++ prints it. */
export interface CNumber {
  readonly value: number;
  readonly isNegativeNan: boolean;
}

/** All of `text` as a number, white space before it aside; '' is 0. Undefined: it is none. A NUL ends the text. */
export function parseCNumber(text: string): CNumber | undefined {
  const [whole = ''] = text.split('\0', 1);
  if (whole === '') return { value: 0, isNegativeNan: false };
  const word = whole.replace(/^[\t-\r ]+/, '');
  if (NOT_A_NUMBER.test(word)) return { value: Number.NaN, isNegativeNan: word.startsWith('-') };
  const value = parseFinite(word);
  return value === undefined ? undefined : { value, isNegativeNan: false };
}

function parseFinite(word: string): number | undefined {
  if (DECIMAL.test(word)) return Number(word);
  const infinite = INFINITE.exec(word);
  if (infinite) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const [, sign, integer = '', fraction = '', exponent = '0'] = HEXADECIMAL.exec(word) ?? [];
  if (sign === undefined || integer + fraction === '') return undefined;
  const power = Math.max(-MAX_EXPONENT, Math.min(MAX_EXPONENT, Number(exponent))) - 4 * fraction.length;
  const magnitude = scale(BigInt(`0x${integer}${fraction}`), power);
  return sign === '-' ? -magnitude : magnitude;
}

/** Significant bits of a double, and the exponent of its smallest. */
const MANTISSA_BITS = 53;
const MIN_EXPONENT = -1074;

/** `digits` times 2 to the `power`, rounded once, half to even. */
function scale(digits: bigint, power: number): number {
  if (digits === 0n) return 0;
  const bits = digits.toString(2).length;
  if (bits + power > 1024) return Number.POSITIVE_INFINITY;
  // What a double has no room for is cut off first: near the smallest ones that is more than usual.
  const drop = Math.max(bits - MANTISSA_BITS, MIN_EXPONENT - power, 0);
  if (drop > bits + 1) return 0;
  const kept = digits >> BigInt(drop);
  const rest = digits - (kept << BigInt(drop));
  const half = drop === 0 ? 0n : 1n << BigInt(drop - 1);
  const up = drop > 0 && (rest > half || (rest === half && (kept & 1n) === 1n));
  return powerOf2(Number(kept + (up ? 1n : 0n)), power + drop);
}

/** Exact where the result is a double. */
function powerOf2(value: number, power: number): number {
  let [result, left] = [value, power];
  for (; left > 0; left -= Math.min(left, 1000)) result *= 2 ** Math.min(left, 1000);
  for (; left < 0; left += Math.min(-left, 1000)) result /= 2 ** Math.min(-left, 1000);
  return result;
}

/** As `std::setprecision(precision)` prints it: printf's %g. */
export function formatCNumber({ value, isNegativeNan }: CNumber, precision: number): string {
  if (Number.isNaN(value)) return isNegativeNan ? '-nan' : 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const sign = value < 0 ? '-' : '';
  const [digits, exponent] = roundHalfEven(Math.abs(value), precision);
  const significant = digits.replace(/0+$/, '');
  if (exponent < -4 || exponent >= precision) {
    const fraction = significant.slice(1);
    const power = `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
    return `${sign}${digits[0]}${fraction === '' ? '' : `.${fraction}`}e${power}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${significant}`;
  const integer = digits.slice(0, exponent + 1);
  const fraction = significant.slice(exponent + 1);
  return `${sign}${integer}${fraction === '' ? '' : `.${fraction}`}`;
}

/** So many digits more tell whether a double lies exactly between two shorter numbers: none comes closer without being it. */
const TIE_DIGITS = 60;

/** The first digits and the power of ten of the first one; `toExponential` alone would round a half up. */
function roundHalfEven(value: number, precision: number): [digits: string, exponent: number] {
  const split = (text: string): [string, number] => {
    const [mantissa = '', exponent = ''] = text.split('e');
    return [mantissa.replace('.', ''), Number(exponent)];
  };
  const [long, exponent] = split(value.toExponential(precision - 1 + TIE_DIGITS));
  const kept = long.slice(0, precision);
  const isTie = /^50*$/.test(long.slice(precision));
  if (isTie && Number(kept.at(-1)) % 2 === 0) return [kept, exponent];
  return split(value.toExponential(precision - 1));
}
