/**
 * The variables of `osd pool get` and `osd pool set`. What belongs to a part of Ceph that is not here can be asked for, and is
 * refused when it is set (EOPNOTSUPP): nothing is taken and then not heeded.
 */
import { PoolFlag } from '@spirula/maps';

export const POOL_FLAGS: Readonly<Record<string, bigint>> = {
  hashpspool: PoolFlag.hashpspool,
  nodelete: PoolFlag.nodelete,
  nopgchange: PoolFlag.nopgchange,
  nosizechange: PoolFlag.nosizechange,
  write_fadvise_dontneed: PoolFlag.writeFadviseDontneed,
  noscrub: PoolFlag.noscrub,
  'nodeep-scrub': PoolFlag.nodeepScrub,
  bulk: PoolFlag.bulk,
};

/** Those of pools that are cache tiers: with no tiers, they apply to no pool. */
export const TIER_KEYS: readonly string[] = [
  'hit_set_type',
  'hit_set_period',
  'hit_set_count',
  'hit_set_fpp',
  'target_max_objects',
  'target_max_bytes',
  'cache_target_dirty_ratio',
  'cache_target_dirty_high_ratio',
  'cache_target_full_ratio',
  'cache_min_flush_age',
  'cache_min_evict_age',
  'min_read_recency_for_promote',
  'min_write_recency_for_promote',
  'hit_set_grade_decay_rate',
  'hit_set_search_last_n',
];

export const ERASURE_KEYS: readonly string[] = ['erasure_code_profile', 'allow_ec_overwrites'];

export const NO_AUTOSCALER = 'there is no pg_autoscaler that would heed them';
const NO_SCRUB = 'scrub is not supported';
const NO_COMPRESSION = 'the object store does not compress';
const ONE_CHECKSUM = 'the object store has one kind of checksum';
const NO_DEDUP = 'deduplication is not supported';
const NO_SUCH_PRIORITY = 'recovery has one priority';

/** How the value of an option is read, and why the option cannot be heeded. */
export interface PoolOption {
  readonly type: 'text' | 'integer' | 'bytes' | 'double';
  readonly unsupported?: string;
  /** The only values there are. */
  readonly choices?: readonly string[];
  /** The range, where there is one. */
  readonly least?: number;
  readonly most?: number;
}

/** pool_opts_t, in the order in which `osd pool get all` shows them. */
export const POOL_OPTIONS: ReadonlyMap<string, PoolOption> = new Map<string, PoolOption>([
  ['scrub_min_interval', { type: 'double', unsupported: NO_SCRUB }],
  ['scrub_max_interval', { type: 'double', unsupported: NO_SCRUB }],
  ['deep_scrub_interval', { type: 'double', unsupported: NO_SCRUB }],
  ['recovery_priority', { type: 'integer', unsupported: NO_SUCH_PRIORITY, least: -10, most: 10 }],
  ['recovery_op_priority', { type: 'integer', unsupported: NO_SUCH_PRIORITY }],
  ['scrub_priority', { type: 'integer', unsupported: NO_SCRUB }],
  [
    'compression_mode',
    { type: 'text', unsupported: NO_COMPRESSION, choices: ['none', 'passive', 'aggressive', 'force'] },
  ],
  [
    'compression_algorithm',
    { type: 'text', unsupported: NO_COMPRESSION, choices: ['', 'none', 'snappy', 'zlib', 'zstd', 'lz4', 'brotli'] },
  ],
  ['compression_required_ratio', { type: 'double', unsupported: NO_COMPRESSION, least: 0, most: 1 }],
  ['compression_max_blob_size', { type: 'bytes', unsupported: NO_COMPRESSION }],
  ['compression_min_blob_size', { type: 'bytes', unsupported: NO_COMPRESSION }],
  [
    'csum_type',
    {
      type: 'text',
      unsupported: ONE_CHECKSUM,
      choices: ['none', 'xxhash32', 'xxhash64', 'crc32c', 'crc32c_16', 'crc32c_8'],
    },
  ],
  ['csum_min_block', { type: 'bytes', unsupported: ONE_CHECKSUM }],
  ['csum_max_block', { type: 'bytes', unsupported: ONE_CHECKSUM }],
  ['fingerprint_algorithm', { type: 'text', unsupported: NO_DEDUP }],
  ['pg_num_min', { type: 'integer' }],
  ['target_size_bytes', { type: 'bytes', unsupported: NO_AUTOSCALER }],
  ['target_size_ratio', { type: 'double', unsupported: NO_AUTOSCALER, least: 0 }],
  ['pg_autoscale_bias', { type: 'double', unsupported: NO_AUTOSCALER, least: 0, most: 1000 }],
  ['dedup_tier', { type: 'integer', unsupported: NO_DEDUP }],
  ['dedup_chunk_algorithm', { type: 'text', unsupported: NO_DEDUP }],
  ['dedup_cdc_chunk_size', { type: 'integer', unsupported: NO_DEDUP }],
  ['pg_num_max', { type: 'integer' }],
]);

/** After which of them `pg_autoscale_mode` is shown. */
const BEFORE_AUTOSCALE_MODE = 'fingerprint_algorithm';

const optionNames = [...POOL_OPTIONS.keys()];
const autoscaleModeAt = optionNames.indexOf(BEFORE_AUTOSCALE_MODE) + 1;

const FLAG_KEYS: readonly string[] = [
  'hashpspool',
  'nodelete',
  'nopgchange',
  'nosizechange',
  'write_fadvise_dontneed',
  'noscrub',
  'nodeep-scrub',
];

/** The variables that every replicated pool has, in the order in which they are shown. */
export const SHOWN_KEYS: readonly string[] = [
  'size',
  'min_size',
  'pg_num',
  'pgp_num',
  'crush_rule',
  ...FLAG_KEYS,
  'use_gmt_hitset',
  'fast_read',
  ...optionNames.slice(0, autoscaleModeAt),
  'pg_autoscale_mode',
  ...optionNames.slice(autoscaleModeAt),
  'bulk',
];

/** What `get` and `set` list at their ends. */
const LAST_KEYS: readonly string[] = [
  'hit_set_grade_decay_rate',
  'hit_set_search_last_n',
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
  'csum_min_block',
  'csum_max_block',
  'allow_ec_overwrites',
  'fingerprint_algorithm',
  'pg_autoscale_mode',
  'pg_autoscale_bias',
  'pg_num_min',
  'pg_num_max',
  'target_size_bytes',
  'target_size_ratio',
  'dedup_tier',
  'dedup_chunk_algorithm',
  'dedup_cdc_chunk_size',
  'bulk',
];

/** In the order in which `ceph` lists them. */
export const GET_KEYS: readonly string[] = [
  'size',
  'min_size',
  'pg_num',
  'pgp_num',
  'crush_rule',
  ...FLAG_KEYS,
  'hit_set_type',
  'hit_set_period',
  'hit_set_count',
  'hit_set_fpp',
  'use_gmt_hitset',
  'target_max_objects',
  'target_max_bytes',
  'cache_target_dirty_ratio',
  'cache_target_dirty_high_ratio',
  'cache_target_full_ratio',
  'cache_min_flush_age',
  'cache_min_evict_age',
  'erasure_code_profile',
  'min_read_recency_for_promote',
  'all',
  'min_write_recency_for_promote',
  'fast_read',
  ...LAST_KEYS,
];

/** In the order in which `ceph` lists them. */
export const SET_KEYS: readonly string[] = [
  'size',
  'min_size',
  'pg_num',
  'pgp_num',
  'pgp_num_actual',
  'crush_rule',
  ...FLAG_KEYS,
  'hit_set_type',
  'hit_set_period',
  'hit_set_count',
  'hit_set_fpp',
  'use_gmt_hitset',
  'target_max_bytes',
  'target_max_objects',
  'cache_target_dirty_ratio',
  'cache_target_dirty_high_ratio',
  'cache_target_full_ratio',
  'cache_min_flush_age',
  'cache_min_evict_age',
  'min_read_recency_for_promote',
  'min_write_recency_for_promote',
  'fast_read',
  ...LAST_KEYS,
];
