import { bool, float, int, size, str, uint } from './option.ts';

/** Options of OSDs in Ceph that nothing here reads: they can be set and looked at, and have no effect. */
export const UNREAD_OSD_OPTIONS = {
  osd_data: str('/var/lib/ceph/osd/$cluster-$id', "folder of an OSD's data", { flags: ['no_mon_update'] }),
  osd_objectstore: str('bluestore', 'how an OSD keeps objects', {
    values: ['bluestore', 'filestore', 'memstore', 'kstore'],
    flags: ['create'],
  }),
  osd_heartbeat_stale: int(600, 'after so many seconds an old connection for pings is forgotten'),
  osd_heartbeat_use_min_delay_socket: bool(false, 'whether pings ask the network for little delay'),
  osd_mon_heartbeat_interval: int(30, 'without peers an OSD asks the monitors for maps so often, in seconds'),
  osd_mon_shutdown_timeout: float(5, 'how long an OSD that stops waits for the monitors, in seconds'),
  osd_pool_default_type: str('replicated', 'kind of a new pool', {
    values: ['replicated', 'erasure'],
    flags: ['runtime'],
    services: ['mon'],
  }),
  osd_pool_default_erasure_code_profile: str(
    'plugin=jerasure technique=reed_sol_van k=2 m=2',
    'code of a new erasure-coded pool',
    { flags: ['runtime'], services: ['mon'] },
  ),
  osd_pool_default_ec_fast_read: bool(false, 'whether a new erasure-coded pool reads from all shards at once', {
    services: ['mon'],
  }),
  osd_pool_erasure_code_stripe_unit: size(4096, 'bytes of a chunk in a stripe', { services: ['mon'] }),
  osd_crush_update_on_start: bool(true, 'whether an OSD that starts moves to its place in the CRUSH map'),
  osd_crush_initial_weight: float(-1, 'CRUSH weight of a new OSD; below 0 it follows the size'),
  osd_crush_update_weight_set: bool(true, 'whether weight sets follow when weights change'),
  osd_class_update_on_start: bool(true, 'whether an OSD that starts tells its device class'),
  osd_calc_pg_upmaps_aggressively: bool(true, 'whether balancing with upmaps tries harder', { flags: ['runtime'] }),
  osd_recovery_max_active_hdd: uint(3, 'objects recovered at a time on disks that rotate', {
    flags: ['runtime'],
    seeAlso: ['osd_recovery_max_active', 'osd_recovery_max_active_ssd'],
  }),
  osd_recovery_max_single_start: uint(1, 'objects that recovery begins with at a time, for each placement group'),
  osd_recovery_max_omap_entries_per_chunk: uint(8096, 'keys of an object that recovery pushes at a time'),
  osd_recovery_sleep: float(0, 'pause between recoveries, in seconds; 0 leaves it to the options for kinds of disks', {
    flags: ['runtime'],
  }),
  osd_recovery_sleep_hdd: float(0.1, 'pause between recoveries on disks that rotate, in seconds', {
    flags: ['runtime'],
  }),
  osd_recovery_sleep_ssd: float(0, 'pause between recoveries on disks that do not rotate, in seconds', {
    flags: ['runtime'],
    seeAlso: ['osd_recovery_sleep'],
  }),
  osd_recovery_sleep_hybrid: float(
    0.025,
    'pause between recoveries where data rotate and metadata do not, in seconds',
    { flags: ['runtime'], seeAlso: ['osd_recovery_sleep'] },
  ),
  osd_recovery_delay_start: float(0, 'pause before recovery begins, in seconds'),
  osd_allow_recovery_below_min_size: bool(true, 'whether recovery goes on with fewer copies than min_size', {
    level: 'dev',
    services: ['osd'],
  }),
  osd_recovery_op_priority: uint(3, 'priority of recovery against clients'),
  osd_recovery_priority: uint(5, 'priority of recovery in the queue of work'),
  osd_client_op_priority: uint(63, 'priority of clients against recovery'),
  osd_max_push_cost: size(8_388_608, 'bytes of one message that recovery pushes'),
  osd_max_push_objects: uint(10, 'objects of one message that recovery pushes'),
  osd_target_pg_log_entries_per_osd: uint(300_000, 'entries of all logs on an OSD', {
    level: 'dev',
    seeAlso: ['osd_max_pg_log_entries', 'osd_min_pg_log_entries'],
  }),
  osd_max_omap_bytes_per_request: size(
    1_073_741_824,
    'most bytes of keys and values that one request is answered with',
  ),
  osd_backoff_on_degraded: bool(
    false,
    'whether clients are asked to hold requests back for an object that has too few copies',
  ),
  osd_backoff_on_unfound: bool(true, 'whether clients are asked to hold requests back for an object that nobody has'),
  osd_client_message_cap: uint(256, 'requests under way'),
  osd_op_log_threshold: int(5, 'slow requests written to the log at a time'),
  osd_num_op_tracker_shard: uint(32, 'parts that the watch on requests is split into'),
  osd_op_queue: str('wpq', 'how the queue of work is ordered', {
    values: ['wpq', 'mclock_scheduler', 'debug_random'],
    seeAlso: ['osd_op_queue_cut_off'],
  }),
  osd_op_queue_cut_off: str('high', 'what skips the order of the queue', {
    values: ['low', 'high', 'debug_random'],
    seeAlso: ['osd_op_queue'],
  }),
  osd_op_num_shards: int(0, 'parts of the queue of work; 0 leaves it to the kind of disk', { flags: ['startup'] }),
  osd_op_num_threads_per_shard: int(0, 'threads for each part of the queue of work; 0 leaves it to the kind of disk', {
    flags: ['startup'],
  }),
  osd_mclock_profile: str('high_client_ops', 'how the mclock scheduler shares an OSD out', {
    values: ['balanced', 'high_recovery_ops', 'high_client_ops', 'custom'],
    flags: ['runtime'],
    seeAlso: ['osd_op_queue'],
  }),
  osd_mclock_max_capacity_iops_ssd: float(
    21500,
    'what the mclock scheduler takes an OSD without rotation for, in operations a second',
    { level: 'basic', flags: ['runtime'] },
  ),
  osd_max_scrubs: int(1, 'scrubs at a time'),
  osd_scrub_begin_hour: int(0, 'first hour of the day for scrubs', {
    min: 0,
    max: 23,
    seeAlso: ['osd_scrub_end_hour'],
  }),
  osd_scrub_end_hour: int(0, 'hour of the day before which scrubs begin', {
    min: 0,
    max: 23,
    seeAlso: ['osd_scrub_begin_hour'],
  }),
  osd_scrub_begin_week_day: int(0, 'first day of the week for scrubs, 0 is Sunday', {
    min: 0,
    max: 6,
    seeAlso: ['osd_scrub_end_week_day'],
  }),
  osd_scrub_end_week_day: int(0, 'day of the week before which scrubs begin', {
    min: 0,
    max: 6,
    seeAlso: ['osd_scrub_begin_week_day'],
  }),
  osd_scrub_load_threshold: float(0.5, 'no scrub begins at a higher load of the machine'),
  osd_scrub_min_interval: float(86400, 'least time between scrubs of a placement group, in seconds', {
    seeAlso: ['osd_scrub_max_interval'],
  }),
  osd_scrub_max_interval: float(604800, 'most time between scrubs of a placement group, in seconds', {
    seeAlso: ['osd_scrub_min_interval'],
  }),
  osd_scrub_interval_randomize_ratio: float(0.5, 'part of the interval by which scrubs are spread', {
    seeAlso: ['osd_scrub_min_interval'],
  }),
  osd_scrub_chunk_min: int(5, 'objects that a scrub compares at a time, at least', {
    seeAlso: ['osd_scrub_chunk_max'],
  }),
  osd_scrub_chunk_max: int(25, 'objects that a scrub compares at a time, at most', {
    seeAlso: ['osd_scrub_chunk_min'],
  }),
  osd_scrub_sleep: float(0, 'pause between pieces of a scrub, in seconds', { flags: ['runtime'] }),
  osd_scrub_priority: uint(5, 'priority of scrubs in the queue of work'),
  osd_deep_scrub_interval: float(604800, 'time between deep scrubs of a placement group, in seconds'),
  osd_deep_scrub_stride: size(524_288, 'bytes that a deep scrub reads at a time'),
  osd_deep_scrub_randomize_ratio: float(0.15, 'part of the scrubs that become deep ones'),
  osd_scrub_auto_repair: bool(false, 'whether scrubs repair what they find'),
  osd_scrub_auto_repair_num_errors: uint(5, 'a scrub that finds more errors repairs nothing', {
    seeAlso: ['osd_scrub_auto_repair'],
  }),
  osd_scrub_during_recovery: bool(false, 'whether scrubs begin during recovery'),
  osd_snap_trim_priority: uint(5, 'priority of snapshot trimming in the queue of work'),
  osd_snap_trim_cost: size(1_048_576, 'bytes that trimming counts as in the queue of work'),
  osd_delete_sleep: float(0, 'pause between pieces of a removal, in seconds', { flags: ['runtime'] }),
  osd_memory_target: size(4_294_967_296, 'memory that an OSD aims at', {
    level: 'basic',
    min: 939_524_096,
    flags: ['runtime'],
    seeAlso: ['osd_memory_target_autotune'],
  }),
  osd_memory_target_autotune: bool(false, "whether osd_memory_target follows the machine's memory", {
    seeAlso: ['osd_memory_target'],
  }),
  osd_map_cache_size: int(50, 'maps that an OSD keeps in memory'),
  osd_map_message_max: int(40, 'most maps of one message'),
  osd_map_share_max_epochs: int(40, 'most maps told to a peer at a time'),
  osd_max_pg_per_osd_hard_ratio: float(3, 'an OSD takes so many times mon_max_pg_per_osd placement groups at most', {
    min: 1,
    seeAlso: ['mon_max_pg_per_osd'],
  }),
  osd_fast_shutdown: bool(true, 'whether an OSD stops without tidying up'),
  osd_fast_shutdown_notify_mon: bool(true, 'whether an OSD that stops so tells the monitors', {
    seeAlso: ['osd_fast_shutdown', 'osd_mon_shutdown_timeout'],
  }),
  osd_debug_drop_ping_probability: float(0, 'part of the pings that are lost on purpose', { level: 'dev' }),
  osd_inject_bad_map_crc_probability: float(0, 'part of the maps that are damaged on purpose', { level: 'dev' }),
  osd_numa_node: int(-1, 'NUMA node to run on; -1 is any', { flags: ['startup'] }),
};
