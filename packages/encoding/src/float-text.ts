const SIGNIFICANT_DIGITS = 6;

/**
 * A number as C++ streams print it: by default with six significant digits; ties go to even, trailing zeros are dropped
 * (`%g`).
 */
export function formatFloat(value: number, precision = SIGNIFICANT_DIGITS): string {
  if (value === 0) return '0';
  if (value < 0) return `-${formatFloat(-value, precision)}`;
  const { digits, exponent } = significantDigits(value, precision);
  if (exponent < -4 || exponent >= precision) {
    const sign = exponent < 0 ? '-' : '+';
    return `${withPoint(digits, 1)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  return exponent < 0 ? withPoint('0'.repeat(-exponent) + digits, 1) : withPoint(digits, exponent + 1);
}

/** `value` is d.ddddd times ten to the `exponent`. */
function significantDigits(value: number, precision: number): { digits: string; exponent: number } {
  // Forty digits hold every tie exactly; toExponential alone would round a tie up.
  const [exact = ''] = value.toExponential(40).split('e');
  const isTie = /^50*$/.test(exact.slice(precision + 1));
  const evenBefore = Number(exact[precision]) % 2 === 0;
  const [rounded = '', exponent] = value.toExponential(precision - 1).split('e');
  const mantissa = isTie && evenBefore ? exact.slice(0, precision + 1) : rounded;
  return { digits: mantissa.replace('.', ''), exponent: Number(exponent) };
}

function withPoint(digits: string, before: number): string {
  const fraction = digits.slice(before).replace(/0+$/, '');
  return fraction === '' ? digits.slice(0, before) : `${digits.slice(0, before)}.${fraction}`;
}
