/** What is going on, in the phrases of `ceph pg stat` and `ceph osd pool stats` (PGMapDigest, mon/PGMap.cc). */
import type { ObjectStatSum } from '@spirula/messages';
import { formatBytes, formatCount, formatPercentage } from './units.ts';

/** What happens per second. */
export interface IoRates {
  readonly readBytes: number;
  readonly writeBytes: number;
  readonly reads: number;
  readonly writes: number;
  readonly recoveredBytes: number;
  readonly recoveredObjects: number;
}

/** `5/15 objects degraded (33.333%)` and its like. */
export function recoveryPhrases(sum: ObjectStatSum): string[] {
  const phrases: string[] = [];
  const phrase = (part: number, whole: number, what: string) => {
    if (part > 0 && whole > 0) phrases.push(`${part}/${whole} objects ${what} (${formatPercentage(part, whole)})`);
  };
  phrase(sum.objectsDegraded, sum.objectCopies, 'degraded');
  phrase(sum.objectsMisplaced, sum.objectCopies, 'misplaced');
  phrase(sum.objectsUnfound, sum.objects, 'unfound');
  return phrases;
}

export function dumpRecovery(sum: ObjectStatSum): Record<string, number> {
  const dump: Record<string, number> = {};
  const put = (name: string, part: number, whole: number) => {
    if (part <= 0 || whole <= 0) return;
    dump[`${name}_objects`] = part;
    dump[`${name}_total`] = whole;
    dump[`${name}_ratio`] = part / whole;
  };
  put('degraded', sum.objectsDegraded, sum.objectCopies);
  put('misplaced', sum.objectsMisplaced, sum.objectCopies);
  put('unfound', sum.objectsUnfound, sum.objects);
  return dump;
}

/** `1.2 MiB/s, 3 objects/s`; '' when nothing recovers. */
export function recoveryRatePhrase({ recoveredBytes, recoveredObjects }: IoRates): string {
  if (recoveredBytes <= 0 && recoveredObjects <= 0) return '';
  const objects = recoveredObjects > 0 ? `, ${formatCount(recoveredObjects)} objects/s` : '';
  return `${formatBytes(recoveredBytes)}/s${objects}`;
}

export function dumpRecoveryRate({ recoveredBytes, recoveredObjects }: IoRates): Record<string, number> {
  if (recoveredBytes <= 0 && recoveredObjects <= 0) return {};
  return {
    recovering_objects_per_sec: Math.floor(recoveredObjects),
    recovering_bytes_per_sec: Math.floor(recoveredBytes),
    recovering_keys_per_sec: 0,
  };
}

/** `1.2 MiB/s rd, 4 KiB/s wr, 10 op/s rd, 1 op/s wr`; '' when clients do nothing. */
export function clientIoPhrase(rates: IoRates): string {
  const parts: string[] = [];
  if (rates.readBytes > 0) parts.push(`${formatBytes(rates.readBytes)}/s rd`);
  if (rates.writeBytes > 0) parts.push(`${formatBytes(rates.writeBytes)}/s wr`);
  if (parts.length > 0 || rates.reads > 0 || rates.writes > 0) {
    parts.push(`${formatCount(rates.reads)} op/s rd`, `${formatCount(rates.writes)} op/s wr`);
  }
  return parts.join(', ');
}

/** The same in one figure for operations, as `ceph pg stat` has it. */
export function clientIoShortPhrase(rates: IoRates): string {
  const ops = rates.reads + rates.writes;
  const parts: string[] = [];
  if (rates.readBytes > 0) parts.push(`${formatBytes(rates.readBytes)}/s rd`);
  if (rates.writeBytes > 0) parts.push(`${formatBytes(rates.writeBytes)}/s wr`);
  return parts.length > 0 || ops > 0 ? [...parts, `${formatCount(ops)} op/s`].join(', ') : '';
}

export function dumpClientIo(rates: IoRates): Record<string, number> {
  const dump: Record<string, number> = {};
  if (rates.readBytes > 0) dump['read_bytes_sec'] = Math.floor(rates.readBytes);
  if (rates.writeBytes > 0) dump['write_bytes_sec'] = Math.floor(rates.writeBytes);
  if (rates.reads > 0 || rates.writes > 0) {
    dump['read_op_per_sec'] = Math.floor(rates.reads);
    dump['write_op_per_sec'] = Math.floor(rates.writes);
  }
  return dump;
}
