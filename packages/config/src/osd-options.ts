import { bool, float, int, size, str, uint } from './option.ts';

/** What OSDs read, and monitors that make pools. */
export const OSD_OPTIONS = {
  osd_beacon_report_interval: int(300, "time between an OSD's signs of life to the monitors, in seconds"),
  osd_heartbeat_interval: int(6, 'time between pings among OSDs, in seconds', { level: 'dev', min: 1, max: 60 }),
  osd_heartbeat_grace: int(20, 'after so many seconds without an answer an OSD reports another'),
  osd_heartbeat_min_peers: int(10, 'peers that an OSD pings at least'),
  osd_heartbeat_min_healthy_ratio: float(
    0.33,
    'part of the peers that must answer before an OSD that was marked down boots again',
  ),
  osd_fast_fail_on_connection_refused: bool(true, 'whether a refused connection is reported as a failure at once'),
  osd_mon_report_interval: int(5, 'least time between reports to the monitors, in seconds'),
  osd_op_thread_timeout: int(15, 'a piece of work longer than this makes the OSD ignore pings, in seconds'),
  osd_op_thread_suicide_timeout: int(150, 'a piece of work longer than this ends the OSD, in seconds'),
  osd_max_markdown_count: int(5, 'marked down so often in osd_max_markdown_period an OSD stops'),
  osd_max_markdown_period: int(600, 'the time that osd_max_markdown_count counts in, in seconds'),
  osd_pool_default_size: uint(3, 'copies of a new pool', { min: 0, max: 10, flags: ['runtime'], services: ['mon'] }),
  osd_pool_default_min_size: uint(0, 'copies with which a new pool still serves; 0 is size - size/2', {
    min: 0,
    max: 255,
    flags: ['runtime'],
    services: ['mon'],
    seeAlso: ['osd_pool_default_size'],
  }),
  osd_pool_default_pg_num: uint(32, 'placement groups of a new pool', { flags: ['runtime'], services: ['mon'] }),
  osd_pool_default_pg_autoscale_mode: str('on', "whether a new pool's placement groups are scaled", {
    values: ['off', 'warn', 'on'],
    flags: ['runtime'],
  }),
  osd_pool_default_read_lease_ratio: float(0.8, 'part of the heartbeat grace that a read lease holds for', {
    level: 'dev',
    flags: ['runtime'],
    seeAlso: ['osd_heartbeat_grace'],
  }),
  osd_crush_chooseleaf_type: int(1, 'number of the CRUSH type that a new cluster spreads copies over', {
    level: 'dev',
    flags: ['cluster_create'],
  }),
  osd_max_backfills: uint(1, 'backfills at a time, to this OSD and from it', { flags: ['runtime'] }),
  osd_recovery_max_active: uint(0, 'objects recovered at a time; 0 leaves it to the options for kinds of disks', {
    flags: ['runtime'],
    seeAlso: ['osd_recovery_max_active_hdd', 'osd_recovery_max_active_ssd'],
  }),
  osd_recovery_max_active_ssd: uint(10, 'objects recovered at a time on disks that do not rotate', {
    flags: ['runtime'],
    seeAlso: ['osd_recovery_max_active', 'osd_recovery_max_active_hdd'],
  }),
  osd_recovery_max_chunk: size(8_388_608, 'bytes of an object that recovery pushes at a time'),
  osd_backfill_scan_min: int(64, 'objects that a backfill compares at a time, at least'),
  osd_backfill_scan_max: int(512, 'objects that a backfill compares at a time, at most'),
  osd_min_pg_log_entries: uint(250, "entries that a placement group's log keeps", {
    level: 'dev',
    services: ['osd'],
    seeAlso: ['osd_max_pg_log_entries', 'osd_pg_log_dups_tracked', 'osd_target_pg_log_entries_per_osd'],
  }),
  osd_max_pg_log_entries: uint(10_000, "entries that a placement group's log keeps while copies are missing", {
    level: 'dev',
    services: ['osd'],
    seeAlso: ['osd_min_pg_log_entries', 'osd_pg_log_dups_tracked', 'osd_target_pg_log_entries_per_osd'],
  }),
  osd_pg_log_trim_min: uint(100, 'entries of a log that are removed at a time, at least', {
    level: 'dev',
    seeAlso: ['osd_max_pg_log_entries', 'osd_min_pg_log_entries'],
  }),
  osd_pg_log_dups_tracked: uint(3000, 'past requests that are recognized when they are sent again', {
    level: 'dev',
    services: ['osd'],
    seeAlso: ['osd_min_pg_log_entries', 'osd_max_pg_log_entries'],
  }),
  osd_max_write_op_reply_len: size(64, 'most bytes that a write with RETURNVEC answers for each operation'),
  osd_max_object_size: size(134_217_728, 'most bytes of an object'),
  osd_max_object_name_len: uint(2048, "most bytes of an object's name"),
  osd_max_object_namespace_len: uint(256, "most bytes of a namespace's name"),
  osd_max_attr_name_len: uint(100, "most bytes of an attribute's name"),
  osd_max_attr_size: uint(0, 'most bytes of an attribute; 0 is no limit'),
  osd_max_write_size: size(90, 'most megabytes of one write', { min: 4 }),
  osd_max_omap_entries_per_request: uint(1024, 'most keys that one request is answered with'),
  osd_backoff_on_peering: bool(false, 'whether clients are asked to hold requests back while a placement group peers'),
  osd_client_message_size_cap: size(524_288_000, 'bytes of requests under way'),
  osd_enable_op_tracker: bool(true, 'whether requests are watched on their way'),
  osd_op_complaint_time: float(30, 'after so many seconds a request counts as slow'),
  osd_op_history_size: uint(20, 'requests that are remembered after their end'),
  osd_op_history_duration: uint(600, 'how long requests are remembered after their end, in seconds'),
  osd_op_history_slow_op_size: uint(20, 'slow requests that are remembered after their end'),
  osd_op_history_slow_op_threshold: float(10, 'a request that took so many seconds is remembered as slow'),
  osd_snap_trim_sleep: float(0, "pause between snapshots' objects that are trimmed, in seconds", {
    flags: ['runtime'],
  }),
  osd_pg_max_concurrent_snap_trims: uint(2, 'objects of a placement group trimmed at a time', { min: 1 }),
  osd_max_snap_prune_intervals_per_epoch: uint(512, 'removed snapshots that a placement group reports at a time', {
    level: 'dev',
  }),
  osd_max_trimming_pgs: uint(2, 'placement groups trimmed at a time'),
  osd_class_load_list: str(
    'cephfs hello journal lock log numops otp rbd refcount rgw rgw_gc timeindex user version cas cmpomap queue 2pc_queue fifo',
    'object classes that may be loaded',
  ),
  osd_class_default_list: str(
    'cephfs hello journal lock log numops otp rbd refcount rgw rgw_gc timeindex user version cas cmpomap queue 2pc_queue fifo',
    'object classes that anyone may call',
  ),
  osd_default_notify_timeout: uint(30, 'how long answers to a notify are waited for, in seconds'),
  osd_client_watch_timeout: int(30, 'after so many seconds of silence a watch is over', {
    level: 'dev',
    services: ['mds_client'],
  }),
};
