import { bool, float, size, str, uint } from './option.ts';

const LIBRBD = ['rbd'];

/** What librbd in Ceph's clients reads, which monitors tell them. */
export const LIBRBD_OPTIONS = {
  rbd_atime_update_interval: uint(60, 'an image notes that it was read at most once in so many seconds; 0 is never', {
    min: 0,
    services: LIBRBD,
  }),
  rbd_auto_exclusive_lock_until_manual_request: bool(
    true,
    'the exclusive lock comes and goes by itself until somebody asks for it',
    { services: LIBRBD },
  ),
  rbd_balance_parent_reads: bool(false, 'reads of parents go to any OSD that has the object', { services: LIBRBD }),
  rbd_balance_snap_reads: bool(false, 'reads of snapshots go to any OSD that has the object', { services: LIBRBD }),
  rbd_blkin_trace_all: bool(false, 'every request is traced with blkin', { services: LIBRBD }),
  rbd_blocklist_expire_seconds: uint(
    0,
    'how long who lost a lock by force is kept out, in seconds; 0 leaves it to the monitors',
    { services: LIBRBD },
  ),
  rbd_blocklist_on_break_lock: bool(true, 'who loses a lock by force is kept out', { services: LIBRBD }),
  rbd_cache: bool(true, 'whether images are cached', { services: LIBRBD }),
  rbd_cache_block_writes_upfront: bool(false, 'a write waits for room in the cache before its call returns', {
    services: LIBRBD,
  }),
  rbd_cache_max_dirty: size(25_165_824, 'bytes not yet written that the cache may hold; 0 writes through', {
    services: LIBRBD,
  }),
  rbd_cache_max_dirty_age: float(1, 'seconds that data stay in the cache before they are written', {
    services: LIBRBD,
  }),
  rbd_cache_max_dirty_object: uint(
    0,
    'objects not yet written that the cache may hold; 0 follows from rbd_cache_size',
    { services: LIBRBD },
  ),
  rbd_cache_policy: str('writearound', 'when what is written goes to the OSDs', {
    values: ['writethrough', 'writeback', 'writearound'],
    services: LIBRBD,
  }),
  rbd_cache_size: size(33_554_432, 'bytes of the cache of an image', { services: LIBRBD }),
  rbd_cache_target_dirty: size(16_777_216, 'from so many bytes on the cache writes what it holds', {
    services: LIBRBD,
  }),
  rbd_cache_writethrough_until_flush: bool(true, 'the cache writes through until somebody flushes', {
    services: LIBRBD,
  }),
  rbd_clone_copy_on_read: bool(false, 'a clone copies what it reads of its parent', { services: LIBRBD }),
  rbd_compression_hint: str('none', 'what OSDs are told of how well data compress', {
    level: 'basic',
    values: ['none', 'compressible', 'incompressible'],
    flags: ['runtime'],
    services: LIBRBD,
  }),
  rbd_concurrent_management_ops: uint(10, 'operations under way while an image is removed, resized and so on', {
    min: 1,
    services: LIBRBD,
  }),
  rbd_config_pool_override_update_timestamp: uint(0, "when a pool's own options were changed last", {
    level: 'dev',
    services: LIBRBD,
  }),
  rbd_default_clone_format: str('auto', 'how clones note their parents: 1, 2, or what all clients know', {
    values: ['1', '2', 'auto'],
    flags: ['runtime'],
    services: LIBRBD,
  }),
  rbd_default_data_pool: str('', 'where the data of new images go, when not to their own pool', { services: LIBRBD }),
  rbd_default_features: str('layering,exclusive-lock,object-map,fast-diff,deep-flatten', 'features of new images', {
    flags: ['runtime'],
    services: LIBRBD,
  }),
  rbd_default_format: uint(2, 'format of new images', { services: LIBRBD }),
  rbd_default_map_options: str('', 'options of the kernel client for images it maps', { services: LIBRBD }),
  rbd_default_order: uint(22, 'size of the objects of new images, as a power of two', { services: LIBRBD }),
  rbd_default_pool: str('rbd', 'the pool of images that are named without one', { services: LIBRBD }),
  rbd_default_snapshot_quiesce_mode: str('required', 'whether a snapshot waits until clients hold still', {
    values: ['required', 'ignore-error', 'skip'],
    services: LIBRBD,
  }),
  rbd_default_stripe_count: uint(0, 'objects that stripes of new images go over', { services: LIBRBD }),
  rbd_default_stripe_unit: size(0, 'bytes of a stripe of new images', { services: LIBRBD }),
  rbd_disable_zero_copy_writes: bool(true, 'what is written is copied first: the client may change it meanwhile', {
    services: LIBRBD,
  }),
  rbd_discard_granularity_bytes: uint(65536, 'discards are cut to multiples of so many bytes', {
    min: 4096,
    max: 33_554_432,
    services: LIBRBD,
  }),
  rbd_discard_on_zeroed_write_same: bool(true, 'to write zeros again and again is to discard', { services: LIBRBD }),
  rbd_enable_alloc_hint: bool(true, 'OSDs are told how large objects will become', { services: LIBRBD }),
  rbd_invalidate_object_map_on_timeout: bool(
    true,
    'an object map that cannot be read or written in time no longer counts',
    { level: 'dev', services: LIBRBD },
  ),
  rbd_io_scheduler: str('simple', 'whether small writes wait for others beside them', {
    values: ['none', 'simple'],
    services: LIBRBD,
  }),
  rbd_io_scheduler_simple_max_delay: uint(0, 'how long, in milliseconds; 0 finds it out', { min: 0, services: LIBRBD }),
  rbd_journal_commit_age: float(5, 'seconds between notes of what is done', { services: LIBRBD }),
  rbd_journal_max_concurrent_object_sets: uint(0, 'a client that is further behind is disconnected; 0 is never', {
    services: LIBRBD,
  }),
  rbd_journal_max_payload_bytes: size(16384, 'longer writes are several entries', { services: LIBRBD }),
  rbd_journal_object_flush_age: float(0, 'entries wait at most so many seconds', { services: LIBRBD }),
  rbd_journal_object_flush_bytes: size(1_048_576, 'at most so many bytes of entries wait', { services: LIBRBD }),
  rbd_journal_object_flush_interval: uint(0, 'at most so many entries wait', { services: LIBRBD }),
  rbd_journal_object_max_in_flight_appends: uint(0, 'appends to an object at a time; 0 is any number', {
    services: LIBRBD,
  }),
  rbd_journal_object_writethrough_until_flush: bool(true, 'entries wait only after somebody has flushed', {
    services: LIBRBD,
  }),
  rbd_journal_order: uint(24, "size of a journal's objects, as a power of two", { min: 12, max: 26, services: LIBRBD }),
  rbd_journal_pool: str('', 'where journals go, when not beside their images', { services: LIBRBD }),
  rbd_journal_splay_width: uint(4, 'objects that a journal is written to at a time', { services: LIBRBD }),
  rbd_localize_parent_reads: bool(false, 'reads of parents go to the nearest OSD that has the object', {
    services: LIBRBD,
  }),
  rbd_localize_snap_reads: bool(false, 'reads of snapshots go to the nearest OSD that has the object', {
    services: LIBRBD,
  }),
  rbd_mirroring_delete_delay: uint(0, 'seconds until a removal is done at the other site', { services: LIBRBD }),
  rbd_mirroring_max_mirroring_snapshots: uint(5, 'snapshots for mirroring that an image keeps', {
    min: 3,
    services: LIBRBD,
  }),
  rbd_mirroring_replay_delay: uint(0, 'seconds that the other site stays behind', { services: LIBRBD }),
  rbd_mirroring_resync_after_disconnect: bool(false, 'an image that fell too far behind is copied anew', {
    services: LIBRBD,
  }),
  rbd_move_parent_to_trash_on_remove: bool(false, 'an image with clones goes to the trash when it is removed', {
    level: 'basic',
    services: LIBRBD,
  }),
  rbd_move_to_trash_on_remove: bool(false, 'an image goes to the trash when it is removed', {
    level: 'basic',
    services: LIBRBD,
  }),
  rbd_move_to_trash_on_remove_expire_seconds: uint(0, 'seconds that such an image is kept at least', {
    level: 'basic',
    services: LIBRBD,
  }),
  rbd_mtime_update_interval: uint(
    60,
    'an image notes that it was written at most once in so many seconds; 0 is never',
    { min: 0, services: LIBRBD },
  ),
  rbd_non_blocking_aio: bool(true, 'asynchronous calls return at once, whatever they find', { services: LIBRBD }),
  rbd_op_thread_timeout: uint(60, 'a thread that takes more seconds hangs', { services: LIBRBD }),
  rbd_op_threads: uint(1, 'threads of librbd', { services: LIBRBD }),
  rbd_parent_cache_enabled: bool(false, 'whether parents are cached by the daemon for that', { services: LIBRBD }),
  rbd_persistent_cache_mode: str('disabled', 'whether writes are kept on a disk of the client first, and which kind', {
    values: ['disabled', 'rwl', 'ssd'],
    services: LIBRBD,
  }),
  rbd_persistent_cache_path: str('/tmp', 'where', { services: LIBRBD }),
  rbd_persistent_cache_size: uint(1_073_741_824, 'bytes of that', { min: 1_073_741_824, services: LIBRBD }),
  rbd_plugins: str('', 'plugins of librbd, with commas between', { services: LIBRBD }),
  rbd_qos_bps_burst: uint(0, 'bytes in a second for a short time', { services: LIBRBD }),
  rbd_qos_bps_burst_seconds: uint(1, 'how long that is, in seconds', { min: 1, services: LIBRBD }),
  rbd_qos_bps_limit: uint(0, 'bytes in a second; 0 is without a limit', { services: LIBRBD }),
  rbd_qos_iops_burst: uint(0, 'operations in a second for a short time', { services: LIBRBD }),
  rbd_qos_iops_burst_seconds: uint(1, 'how long that is, in seconds', { min: 1, services: LIBRBD }),
  rbd_qos_iops_limit: uint(0, 'operations in a second; 0 is without a limit', { services: LIBRBD }),
  rbd_qos_read_bps_burst: uint(0, 'bytes read in a second for a short time', { services: LIBRBD }),
  rbd_qos_read_bps_burst_seconds: uint(1, 'how long that is, in seconds', { min: 1, services: LIBRBD }),
  rbd_qos_read_bps_limit: uint(0, 'bytes read in a second; 0 is without a limit', { services: LIBRBD }),
  rbd_qos_read_iops_burst: uint(0, 'operations of reading in a second for a short time', { services: LIBRBD }),
  rbd_qos_read_iops_burst_seconds: uint(1, 'how long that is, in seconds', { min: 1, services: LIBRBD }),
  rbd_qos_read_iops_limit: uint(0, 'operations of reading in a second; 0 is without a limit', { services: LIBRBD }),
  rbd_qos_schedule_tick_min: uint(50, 'least time between looks at the limits, in milliseconds', {
    min: 1,
    services: LIBRBD,
  }),
  rbd_qos_write_bps_burst: uint(0, 'bytes written in a second for a short time', { services: LIBRBD }),
  rbd_qos_write_bps_burst_seconds: uint(1, 'how long that is, in seconds', { min: 1, services: LIBRBD }),
  rbd_qos_write_bps_limit: uint(0, 'bytes written in a second; 0 is without a limit', { services: LIBRBD }),
  rbd_qos_write_iops_burst: uint(0, 'operations of writing in a second for a short time', { services: LIBRBD }),
  rbd_qos_write_iops_burst_seconds: uint(1, 'how long that is, in seconds', { min: 1, services: LIBRBD }),
  rbd_qos_write_iops_limit: uint(0, 'operations of writing in a second; 0 is without a limit', { services: LIBRBD }),
  rbd_quiesce_notification_attempts: uint(10, 'how often clients are asked to hold still', {
    level: 'dev',
    min: 1,
    services: LIBRBD,
  }),
  rbd_read_from_replica_policy: str('default', 'which OSD reads go to', {
    level: 'basic',
    values: ['default', 'balance', 'localize'],
    flags: ['runtime'],
    services: LIBRBD,
  }),
  rbd_readahead_disable_after_bytes: size(
    52_428_800,
    'nothing is read ahead any more after so many bytes; 0 is never',
    { services: LIBRBD },
  ),
  rbd_readahead_max_bytes: size(524_288, 'bytes read ahead at most; 0 is not at all', { services: LIBRBD }),
  rbd_readahead_trigger_requests: uint(10, 'reads in a row before more is read ahead', { services: LIBRBD }),
  rbd_request_timed_out_seconds: uint(30, 'seconds that the owner of the lock has for a request of another client', {
    services: LIBRBD,
  }),
  rbd_skip_partial_discard: bool(true, 'discards leave out what is only part of a unit', { services: LIBRBD }),
  rbd_sparse_read_threshold_bytes: size(65536, 'from so many bytes on, reads leave out holes', { services: LIBRBD }),
  rbd_tracing: bool(false, 'whether tracepoints are on', { services: LIBRBD }),
  rbd_validate_names: bool(true, 'whether names of new images are checked', { services: LIBRBD }),
  rbd_validate_pool: bool(true, 'whether a pool without images is checked before the first one', { services: LIBRBD }),
};
