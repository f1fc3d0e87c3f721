/** Pools, as commands name them, and the numbers that their values are. */
import { Errno, type PoolId } from '@spirula/encoding';
import type { OsdMap } from '@spirula/maps';
import { type CommandOutcome, refuse } from './command.ts';

export const POOL = { name: 'pool', type: 'CephPoolname' } as const;
export const SURE = { name: 'yes_i_really_mean_it', type: 'CephBool', req: 'false' } as const;

export function findPool(map: OsdMap, name: string | undefined): PoolId | undefined {
  return [...map.poolNames].find(([, each]) => each === name)?.[0];
}

export function unrecognizedPool(name: string | undefined): CommandOutcome {
  return refuse(Errno.ENOENT, `unrecognized pool '${name ?? ''}'`);
}

/** A number read from text, or what is wrong with the text, in Ceph's words. */
export type Parsed<V> = { readonly value: V } | { readonly problem: string };

/** A decimal integer (strict_strtoll). */
export function parseInteger(text: string): Parsed<bigint> {
  if (!/^\s*[-+]?\d+$/.test(text)) return { problem: `Expected option value to be integer, got '${text}'` };
  const value = BigInt(text.trim().replace(/^\+/, ''));
  return BigInt.asIntN(64, value) === value ? { value } : { problem: `The option value '${text}' seems to be invalid` };
}

/** A decimal number (strict_strtod). */
export function parseFloatingPoint(text: string): Parsed<number> {
  if (!/^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text)) {
    return { problem: `strict_strtod: expected double, got: '${text}'` };
  }
  const value = Number(text);
  return Number.isFinite(value)
    ? { value }
    : { problem: `strict_strtod: floating point overflow or underflow parsing '${text}'` };
}

const UNITS = 'KMGTPE';

/** A size in bytes: `4096`, `4K`, `4Ki`, `4KB` (strict_iec_cast). One beyond 64 bits wraps around, as in Ceph. */
export function parseBytes(text: string): Parsed<bigint> {
  if (text === '') return { problem: 'strict_iecstrtoll: value not specified' };
  const [, digits = '', unit = ''] = /^([-+0-9]*)(.*)$/s.exec(text)!;
  if (unit.startsWith('B') && unit.endsWith('i')) return { problem: 'strict_iecstrtoll: illegal prefix "Bi"' };
  if (unit.length > 2) return { problem: 'strict_iecstrtoll: illegal prefix (length > 2)' };
  const power = unit === '' || unit.startsWith('B') ? 0 : UNITS.indexOf(unit[0]!) + 1;
  if (power === 0 && unit !== '' && !unit.startsWith('B')) {
    return { problem: 'strict_iecstrtoll: unit prefix not recognized' };
  }
  return scaled(digits, 1024n ** BigInt(power), 'strict_iecstrtoll');
}

/** A count: `2000`, `2K` (strict_si_cast). One beyond 64 bits wraps around, as in Ceph. */
export function parseCount(text: string): Parsed<bigint> {
  if (text === '') return { problem: 'strict_sistrtoll: value not specified' };
  if (/^[-+0-9]*$/.test(text)) return scaled(text, 1n, 'strict_sistrtoll');
  const unit = text.at(-1)!;
  if (unit === 'B') return scaled(text, 1n, 'strict_sistrtoll');
  if (!UNITS.includes(unit)) return { problem: 'strict_si_cast: unit prefix not recognized' };
  return scaled(text.slice(0, -1), 1000n ** BigInt(UNITS.indexOf(unit) + 1), 'strict_sistrtoll');
}

function scaled(digits: string, factor: bigint, parser: string): Parsed<bigint> {
  const parsed = parseInteger(digits);
  if ('problem' in parsed) return parsed;
  if (parsed.value < 0n) return { problem: `${parser}: value should not be negative` };
  return { value: BigInt.asIntN(64, parsed.value * factor) };
}
