/** Spans of virtual time as people write them: 30s, 1.5m, 200ms, 25us, 2h; a bare number counts seconds. */
import { type Instant, SECOND } from '@spirula/world';

const UNIT_US: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1000,
  '': 1_000_000,
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
  d: 86_400_000_000,
};
const SPAN = /^(\d+)(?:\.(\d{1,9}))?(us|ms|s|m|h|d|)$/;

/** Microseconds in `text`; undefined when it is no span. What is finer than a microsecond is cut off. */
export function parseSpan(text: string): Instant | undefined {
  const match = SPAN.exec(text.trim());
  if (match === null) return undefined;
  const unit = BigInt(UNIT_US[match[3]!]!);
  const fraction = match[2] ?? '';
  // Whole numbers only: a product of floats may round differently from what is written.
  const us = BigInt(match[1]!) * unit + (BigInt(fraction || '0') * unit) / 10n ** BigInt(fraction.length);
  return us <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(us) : undefined;
}

/** The shortest way to write `us` that `parseSpan` reads back the same. */
export function formatSpan(us: Instant): string {
  if (us % 60_000_000 === 0 && us >= 120_000_000) return `${us / 60_000_000}m`;
  const whole = Math.floor(us / 1_000_000);
  const rest = String(us % 1_000_000)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return rest === '' ? `${whole}s` : `${whole}.${rest}s`;
}

/** As reports show it. */
export function inSeconds(us: Instant): string {
  return (us / SECOND).toFixed(3);
}
