import { bool, float, int, secs, size, str, uint } from './option.ts';

/** What monitors read. */
export const MON_OPTIONS = {
  mon_lease: float(5, 'how long a lease on the newest state holds, in seconds', { services: ['mon'] }),
  mon_lease_renew_interval_factor: float(0.6, 'after this part of mon_lease the leader renews it', {
    min: 0,
    max: 0.9999999,
    services: ['mon'],
    seeAlso: ['mon_lease'],
  }),
  mon_lease_ack_timeout_factor: float(2, 'after so many times mon_lease without answers the leader calls an election', {
    min: 1.0001,
    max: 100,
    services: ['mon'],
    seeAlso: ['mon_lease'],
  }),
  mon_accept_timeout_factor: float(2, 'after so many times mon_lease without acceptance the leader calls an election', {
    services: ['mon'],
    seeAlso: ['mon_lease'],
  }),
  mon_election_timeout: float(5, 'how long votes are waited for, in seconds', { services: ['mon'] }),
  mon_probe_timeout: float(2, 'how long a monitor waits for others to answer before it asks again, in seconds', {
    services: ['mon'],
  }),
  mon_sync_timeout: float(60, "how long a monitor that copies another's store waits for the next piece, in seconds", {
    services: ['mon'],
  }),
  mon_tick_interval: int(5, "time between a monitor's regular checks, in seconds", { services: ['mon'] }),
  mon_clock_drift_allowed: float(0.05, 'how far the clocks of monitors may be apart, in seconds', {
    services: ['mon'],
  }),
  mon_timecheck_interval: float(300, "time between comparisons of the monitors' clocks, in seconds", {
    services: ['mon'],
  }),
  mon_timecheck_skew_interval: float(30, 'the same while clocks are apart, in seconds', {
    services: ['mon'],
    seeAlso: ['mon_timecheck_interval'],
  }),
  mon_max_pg_per_osd: uint(250, 'most placement groups for each OSD', { min: 1, services: ['mgr'] }),
  mon_min_osdmap_epochs: int(500, 'OSD maps that are kept at least', { services: ['mon'] }),
  mon_osd_blocklist_default_expire: float(3600, 'for so many seconds a client is blocklisted unless more is said', {
    services: ['mon'],
  }),
  mon_osd_down_out_interval: int(600, 'after so many seconds down an OSD is marked out; 0 never', {
    services: ['mon'],
  }),
  mon_osd_down_out_subtree_limit: str('rack', 'when a whole subtree of this type is down its OSDs are not marked out', {
    flags: ['runtime'],
    services: ['mon'],
    seeAlso: ['mon_osd_down_out_interval'],
  }),
  mon_osd_min_down_reporters: uint(2, 'from so many subtrees failures must be reported before an OSD is marked down', {
    services: ['mon'],
    seeAlso: ['mon_osd_reporter_subtree_level'],
  }),
  mon_osd_reporter_subtree_level: str('host', 'CRUSH type of the subtrees that reporters are counted in', {
    flags: ['runtime'],
    services: ['mon'],
  }),
  mon_osd_adjust_heartbeat_grace: bool(true, 'whether more time is given to OSDs that have been slow before', {
    services: ['mon'],
    seeAlso: ['mon_osd_laggy_halflife', 'mon_osd_laggy_weight'],
  }),
  mon_osd_laggy_halflife: int(3600, 'after so many seconds past slowness counts half', { services: ['mon'] }),
  mon_osd_laggy_weight: float(0.3, "how much the newest occasion counts in an OSD's slowness", {
    min: 0,
    max: 1,
    services: ['mon'],
  }),
  mon_osd_min_in_ratio: float(0.75, 'no OSD is marked out when fewer than this part would be left in', {
    services: ['mon'],
    seeAlso: ['mon_osd_down_out_interval'],
  }),
  mon_osd_min_up_ratio: float(0.3, 'no OSD is marked down when fewer than this part would be left up', {
    services: ['mon'],
    seeAlso: ['mon_osd_down_out_interval'],
  }),
  mon_osd_report_timeout: int(900, 'after so many seconds without a word an OSD is marked down', { services: ['mon'] }),
  mon_osd_nearfull_ratio: float(0.85, 'nearfull ratio of a new cluster', {
    flags: ['no_mon_update', 'cluster_create'],
  }),
  mon_osd_backfillfull_ratio: float(0.9, 'backfillfull ratio of a new cluster', {
    flags: ['no_mon_update', 'cluster_create'],
  }),
  mon_osd_full_ratio: float(0.95, 'full ratio of a new cluster', { flags: ['no_mon_update', 'cluster_create'] }),
  mon_mgr_beacon_grace: secs(30, 'after so many seconds without a beacon a manager is replaced', { services: ['mon'] }),
  mon_scrub_timeout: secs(300, 'after so many seconds without all answers a comparison of stores is given up', {
    services: ['mon'],
  }),
  mon_mgr_mkfs_grace: int(120, 'so many seconds a new cluster may be without a manager', { services: ['mon'] }),
  mon_allow_pool_delete: bool(false, 'whether pools may be removed', { services: ['mon'] }),
  mon_allow_pool_size_one: bool(false, 'whether pools may keep one copy only', { services: ['mon'] }),
  mon_max_snap_prune_per_epoch: uint(100, 'removed snapshots forgotten with one OSD map at most', {
    services: ['mon'],
  }),
  mon_reweight_min_bytes_per_osd: size(104_857_600, 'reweight-by-utilization wants so many bytes for each OSD', {
    services: ['mgr'],
  }),
  mon_reweight_min_pgs_per_osd: uint(10, 'reweight-by-utilization wants so many placement groups for each OSD', {
    services: ['mgr'],
  }),
  mon_reweight_max_osds: int(4, 'reweight-by-utilization changes so many OSDs at a time', { services: ['mgr'] }),
  mon_reweight_max_change: float(0.05, 'reweight-by-utilization changes a weight by so much at a time', {
    services: ['mgr'],
  }),
  mon_pg_stuck_threshold: int(60, 'after so many seconds a placement group counts as stuck', { services: ['mgr'] }),
  mon_warn_on_pool_no_redundancy: bool(true, 'whether pools with one copy are warned of', {
    services: ['mon'],
    seeAlso: ['osd_pool_default_size', 'osd_pool_default_min_size'],
  }),
  mon_config_key_max_entry_size: size(65_536, 'most bytes of one value in the config-key store', { services: ['mon'] }),
  paxos_propose_interval: float(1, 'changes of so many seconds are gathered into one proposal', { services: ['mon'] }),
  paxos_min_wait: float(0.05, 'least time that changes are gathered, in seconds', { services: ['mon'] }),
  paxos_min: int(500, 'versions of Paxos that are kept', { services: ['mon'] }),
  paxos_trim_min: int(250, 'old versions of Paxos are removed when there are so many', { services: ['mon'] }),
  paxos_trim_max: int(500, 'old versions of Paxos removed at a time at most', { services: ['mon'] }),
  mon_max_log_epochs: int(500, 'versions of the cluster log that are kept', { services: ['mon'] }),
  mon_warn_on_osd_down_out_interval_zero: bool(true, 'whether it is warned of when mon_osd_down_out_interval is 0', {
    services: ['mgr'],
    seeAlso: ['mon_osd_down_out_interval'],
  }),
  mon_health_to_clog: bool(true, 'whether health is written to the cluster log', { services: ['mon'] }),
  mon_health_to_clog_interval: int(600, 'time between full lines on health in the cluster log, in seconds', {
    services: ['mon'],
    seeAlso: ['mon_health_to_clog'],
  }),
  mon_health_to_clog_tick_interval: float(60, 'time between short lines on health in the cluster log, in seconds', {
    level: 'dev',
    services: ['mon'],
  }),
  mon_health_detail_to_clog: bool(true, 'whether details of health are written to the cluster log', { level: 'dev' }),
  mon_health_log_update_period: int(
    5,
    'a check whose summary changes is logged again after so many seconds at the soonest',
    {
      level: 'dev',
      min: 0,
      services: ['mon'],
    },
  ),
  mon_log_max_summary: uint(50, 'newest lines of each channel of the cluster log that are kept', { services: ['mon'] }),
  mon_max_log_entries_per_event: int(4096, 'most lines that may wait to be written to the cluster log together', {
    services: ['mon'],
  }),
  mon_client_bytes: size(104_857_600, 'bytes of requests of clients that a monitor holds at a time', {
    services: ['mon'],
  }),
  mon_mgr_proxy_client_bytes_ratio: float(
    0.3,
    'part of mon_client_bytes that commands passed on to the manager may take',
    { level: 'dev', services: ['mon'], seeAlso: ['mon_client_bytes'] },
  ),
  mon_warn_on_too_few_osds: bool(true, 'whether fewer OSDs than osd_pool_default_size are warned of', {
    services: ['mgr'],
  }),
  mon_warn_on_slow_ping_time: float(
    0,
    'pings between OSDs that take longer are warned of, in milliseconds; 0: by the ratio',
    {
      services: ['mgr', 'osd'],
      seeAlso: ['mon_warn_on_slow_ping_ratio'],
    },
  ),
  mon_warn_on_slow_ping_ratio: float(0.05, 'pings longer than this part of osd_heartbeat_grace are warned of', {
    services: ['mgr', 'osd'],
    seeAlso: ['osd_heartbeat_grace', 'mon_warn_on_slow_ping_time'],
  }),
};
