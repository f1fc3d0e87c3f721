const CEPH_CLASSES =
  'cephfs hello journal lock log numops otp rbd refcount rgw rgw_gc timeindex user version cas cmpomap queue 2pc_queue fifo';

/**
 * The options of Ceph 16.2 that are read here, under Ceph's names, with Ceph's defaults (as `ceph-conf --show-config`
 * prints them). Times are in seconds, sizes in bytes, unless the name says otherwise.
 */
export const DEFAULTS = {
  // Authentication: how long tickets are good for, and how frames are protected, best first
  auth_mon_ticket_ttl: 259_200,
  auth_service_ticket_ttl: 3600,
  ms_client_mode: 'crc secure',
  ms_cluster_mode: 'crc secure',
  ms_service_mode: 'crc secure',
  ms_mon_client_mode: 'secure crc',
  ms_mon_cluster_mode: 'secure crc',
  ms_mon_service_mode: 'secure crc',
  // Monitors
  mon_lease: 5,
  mon_lease_renew_interval_factor: 0.6,
  mon_lease_ack_timeout_factor: 2,
  mon_accept_timeout_factor: 2,
  mon_election_timeout: 5,
  mon_probe_timeout: 2,
  mon_sync_timeout: 60,
  mon_tick_interval: 5,
  mon_clock_drift_allowed: 0.05,
  mon_timecheck_interval: 300,
  mon_timecheck_skew_interval: 30,
  mon_max_pg_per_osd: 250,
  mon_min_osdmap_epochs: 500,
  mon_osd_down_out_interval: 600,
  mon_osd_down_out_subtree_limit: 'rack',
  mon_osd_min_down_reporters: 2,
  mon_osd_reporter_subtree_level: 'host',
  mon_osd_adjust_heartbeat_grace: true,
  mon_osd_laggy_halflife: 3600,
  mon_osd_laggy_weight: 0.3,
  mon_osd_min_in_ratio: 0.75,
  mon_osd_min_up_ratio: 0.3,
  mon_osd_report_timeout: 900,
  mon_osd_nearfull_ratio: 0.85,
  mon_osd_backfillfull_ratio: 0.9,
  mon_osd_full_ratio: 0.95,
  mon_max_snap_prune_per_epoch: 100,
  mon_mgr_beacon_grace: 30,
  mon_allow_pool_delete: false,
  mon_allow_pool_size_one: false,
  mon_warn_on_pool_no_redundancy: true,
  mon_pg_stuck_threshold: 60,
  paxos_propose_interval: 1,
  paxos_min_wait: 0.05,
  paxos_min: 500,
  paxos_trim_min: 250,
  paxos_trim_max: 500,
  // OSDs
  osd_beacon_report_interval: 300,
  osd_heartbeat_interval: 6,
  osd_heartbeat_grace: 20,
  osd_heartbeat_min_peers: 10,
  /** Of the peers, how many must answer before an OSD that was marked down boots again. */
  osd_heartbeat_min_healthy_ratio: 0.33,
  osd_fast_fail_on_connection_refused: true,
  osd_mon_heartbeat_interval: 30,
  osd_mon_report_interval: 5,
  /** A piece of work that takes longer makes the OSD ignore pings; beyond the other it ends. */
  osd_op_thread_timeout: 15,
  osd_op_thread_suicide_timeout: 150,
  osd_max_markdown_count: 5,
  osd_max_markdown_period: 600,
  osd_pool_default_size: 3,
  /** 0: size - size/2. */
  osd_pool_default_min_size: 0,
  osd_pool_default_pg_num: 32,
  osd_pool_default_pg_autoscale_mode: 'on',
  osd_crush_chooseleaf_type: 1,
  /** 0.8 of the heartbeat grace: how long a primary may serve reads without hearing from its acting set. */
  osd_pool_default_read_lease_ratio: 0.8,
  osd_max_backfills: 1,
  osd_recovery_max_active: 10,
  osd_recovery_max_single_start: 1,
  osd_recovery_max_chunk: 8 << 20,
  osd_recovery_sleep: 0,
  osd_backfill_scan_min: 64,
  osd_backfill_scan_max: 512,
  osd_min_pg_log_entries: 250,
  osd_max_pg_log_entries: 10_000,
  osd_pg_log_trim_min: 100,
  osd_pg_log_dups_tracked: 3000,
  osd_snap_trim_sleep: 0,
  osd_max_trimming_pgs: 2,
  osd_pg_max_concurrent_snap_trims: 2,
  osd_max_snap_prune_intervals_per_epoch: 512,
  osd_max_object_size: 128 << 20,
  osd_max_object_name_len: 2048,
  osd_max_object_namespace_len: 256,
  osd_max_attr_name_len: 100,
  osd_max_attr_size: 0,
  osd_max_write_size_mb: 90,
  osd_max_omap_entries_per_request: 1024,
  /** Whether clients are asked to keep requests on PGs that peer; on those that cannot serve they are always. */
  osd_backoff_on_peering: false,
  /** Object classes that may be loaded, and those that capabilities need not name. */
  osd_class_load_list: CEPH_CLASSES,
  osd_class_default_list: CEPH_CLASSES,
  osd_client_message_size_cap: 500 << 20,
  /** For so long a watcher, and who a notify waits for, may be silent, unless its client asks otherwise. */
  osd_client_watch_timeout: 30,
  osd_default_notify_timeout: 30,
  osd_client_message_cap: 256,
  // Manager
  mgr_tick_period: 2,
  mgr_stats_period: 5,
  mon_mgr_mkfs_grace: 120,
  mgr_beacon_period: 2,
  // Clients
  mon_client_hunt_interval: 3,
  mon_client_ping_interval: 10,
  mon_client_ping_timeout: 30,
  objecter_tick_interval: 5,
  objecter_timeout: 10,
  objecter_inflight_ops: 1024,
  objecter_inflight_op_bytes: 100 << 20,
  client_mount_timeout: 300,
};

/** The options in force for one daemon. */
export type Config = typeof DEFAULTS;

/** The defaults with some options replaced. */
export function makeConfig(overrides: Partial<Config> = {}): Config {
  return { ...DEFAULTS, ...overrides };
}
