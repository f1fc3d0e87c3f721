/** Words for the numbers in a pool (pg_pool_t, osd/osd_types.h). */
import { type Pool, PoolType } from './pool.ts';

const CACHE_MODES = ['none', 'writeback', 'forward', 'readonly', 'readforward', 'readproxy', 'proxy'];
/** By pg_autoscale_mode_t. */
export const AUTOSCALE_MODES: readonly string[] = ['off', 'warn', 'on'];
const OBJECT_HASHES: Readonly<Record<number, string>> = { 1: 'linux', 2: 'rjenkins' };

/** pool_opts_t: the name of each key. */
const OPTION_NAMES = [
  'scrub_min_interval',
  'scrub_max_interval',
  'deep_scrub_interval',
  'recovery_priority',
  'recovery_op_priority',
  'scrub_priority',
  'compression_mode',
  'compression_algorithm',
  'compression_required_ratio',
  'compression_max_blob_size',
  'compression_min_blob_size',
  'csum_type',
  'csum_max_block',
  'csum_min_block',
  'fingerprint_algorithm',
  'pg_num_min',
  'target_size_bytes',
  'target_size_ratio',
  'pg_autoscale_bias',
  'read_lease_interval',
  'dedup_tier',
  'dedup_chunk_algorithm',
  'dedup_cdc_chunk_size',
  'pg_num_max',
];

export function poolTypeName(type: number): string {
  if (type === PoolType.replicated) return 'replicated';
  return type === PoolType.erasure ? 'erasure' : '???';
}

export function cacheModeName(mode: number): string {
  return CACHE_MODES[mode] ?? 'unknown';
}

export function autoscaleModeName(mode: number): string {
  return AUTOSCALE_MODES[mode] ?? 'unknown';
}

export function objectHashName(hash: number): string {
  return OBJECT_HASHES[hash] ?? 'unknown';
}

/** Key number of a pool option. */
export function poolOptionKey(name: string): number | undefined {
  const key = OPTION_NAMES.indexOf(name);
  return key < 0 ? undefined : key;
}

/** The options set on a pool with their names, sorted by name; an option of a later release is left out. */
export function namedOptions(pool: Pool): [name: string, value: string | bigint | number][] {
  const named: [string, string | bigint | number][] = [];
  for (const [key, value] of pool.opts) {
    const name = OPTION_NAMES[key];
    if (name !== undefined) named.push([name, value]);
  }
  return named.sort(([a], [b]) => (a < b ? -1 : 1));
}
