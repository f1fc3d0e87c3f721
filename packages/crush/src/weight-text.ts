/**
 * A 16.16 weight with so many decimals, as `%.nf` prints it of a C float: ties to even. Weights are at hand as signed
 * integers: from 2^31 on they are negative.
 */
export function weightText(weight16: number, decimals: number): string {
  const signed = Math.fround(weight16 | 0);
  const scaled = BigInt(Math.abs(signed)) * 10n ** BigInt(decimals);
  const half = 0x8000n;
  const [whole, rest] = [scaled >> 16n, scaled & 0xffffn];
  const rounded = rest > half || (rest === half && (whole & 1n) === 1n) ? whole + 1n : whole;
  const digits = String(rounded).padStart(decimals + 1, '0');
  return `${signed < 0 ? '-' : ''}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}
