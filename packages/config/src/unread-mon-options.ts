import { bool, float, int, secs, size, str, uint } from './option.ts';

/** Options of monitors in Ceph that nothing here reads: they can be set and looked at, and have no effect. */
export const UNREAD_MON_OPTIONS = {
  mon_data: str('/var/lib/ceph/mon/$cluster-$id', "folder of a monitor's store", {
    flags: ['no_mon_update'],
    services: ['mon'],
  }),
  mon_cluster_log_file: str(
    'default=/var/log/ceph/$cluster.$channel.log cluster=/var/log/ceph/$cluster.log',
    'files that the cluster log is written to, by channel',
    { flags: ['runtime'], services: ['mon'] },
  ),
  mon_cluster_log_file_level: str('debug', 'least level that is written to the file of the cluster log', {
    flags: ['runtime'],
    services: ['mon'],
    seeAlso: ['mon_cluster_log_file'],
  }),
  mon_elector_ping_timeout: float(
    2,
    'after so many seconds without an answer a connection counts as dead in elections',
    { services: ['mon'] },
  ),
  mon_osd_auto_mark_in: bool(false, 'whether every OSD that boots is marked in', { services: ['mon'] }),
  mon_osd_auto_mark_auto_out_in: bool(
    true,
    'whether an OSD that was marked out automatically is marked in when it boots',
    { services: ['mon'], seeAlso: ['mon_osd_down_out_interval'] },
  ),
  mon_osd_auto_mark_new_in: bool(true, 'whether a new OSD is marked in when it boots', { services: ['mon'] }),
  mon_osd_destroyed_out_interval: int(600, 'after so many seconds an OSD that was destroyed is marked out', {
    services: ['mon'],
  }),
  mon_osd_prime_pg_temp: bool(true, 'whether pg_temp is filled in beforehand when the map changes', {
    level: 'dev',
    services: ['mon'],
  }),
  mon_osd_cache_size: int(500, 'OSD maps kept in memory', { services: ['mon'] }),
  mon_osd_force_trim_to: int(0, 'remove OSD maps up to this epoch whatever needs them', {
    level: 'dev',
    services: ['mon'],
  }),
  mon_osd_initial_require_min_compat_client: str('luminous', 'oldest clients that a new cluster admits', {
    flags: ['no_mon_update', 'cluster_create'],
  }),
  mon_osd_warn_op_age: float(32, 'requests older than this are warned of, in seconds', { services: ['mgr'] }),
  mon_osd_err_op_age_ratio: float(128, 'requests older than so many times that are an error', { services: ['mgr'] }),
  mon_osd_warn_num_repaired: uint(10, 'more repaired reads of an OSD than this are warned of', { services: ['mon'] }),
  mon_fake_pool_delete: bool(false, 'rename pools instead of removing them', { services: ['mon'] }),
  mon_max_pool_pg_num: uint(65_536, 'most placement groups of a pool'),
  mon_max_osd: int(10_000, 'most OSDs of a cluster', { services: ['mon'] }),
  mon_max_mgrmap_epochs: int(500, 'MgrMaps that are kept', { services: ['mon'] }),
  mon_target_pg_per_osd: uint(100, 'placement groups for each OSD that automatic scaling aims at', { min: 1 }),
  mon_delta_reset_interval: float(10, 'time over which rates in the status are computed, in seconds', {
    services: ['mon'],
  }),
  mon_stat_smooth_intervals: uint(6, 'reports over which rates in the status are averaged', {
    min: 1,
    services: ['mgr'],
  }),
  mon_pg_warn_min_per_osd: uint(0, 'fewer placement groups for each OSD than this are warned of', {
    services: ['mgr'],
  }),
  mon_pg_warn_max_object_skew: float(10, 'a pool with so many times the usual objects a placement group is warned of', {
    services: ['mgr'],
  }),
  mon_pool_quota_warn_threshold: int(0, 'percent of a quota from which on there is a warning; 0 none', {
    services: ['mgr'],
  }),
  mon_pool_quota_crit_threshold: int(0, 'percent of a quota from which on there is an error; 0 none', {
    services: ['mgr'],
  }),
  mon_data_avail_warn: int(30, "less free space in percent than this on a monitor's disk is warned of", {
    services: ['mon'],
  }),
  mon_data_avail_crit: int(5, "less free space in percent than this on a monitor's disk is an error", {
    services: ['mon'],
  }),
  mon_data_size_warn: size(16_106_127_360, 'a larger store of a monitor is warned of', { services: ['mon'] }),
  mon_warn_on_pool_no_app: bool(true, 'whether pools that no application is named for are warned of', {
    level: 'dev',
    services: ['mgr'],
  }),
  mon_warn_on_misplaced: bool(false, 'whether misplaced objects are warned of', { services: ['mgr'] }),
  mon_warn_on_older_version: bool(true, 'whether daemons of different releases are warned of', { services: ['mon'] }),
  mon_warn_on_legacy_crush_tunables: bool(true, 'whether old CRUSH tunables are warned of', {
    services: ['mgr'],
    seeAlso: ['mon_crush_min_required_version'],
  }),
  mon_warn_on_crush_straw_calc_version_zero: bool(true, 'whether straw_calc_version 0 in the CRUSH map is warned of', {
    services: ['mgr'],
  }),
  mon_warn_on_insecure_global_id_reclaim: bool(true, 'whether clients that take up ids insecurely are warned of', {
    services: ['mon'],
    seeAlso: [
      'mon_warn_on_insecure_global_id_reclaim_allowed',
      'auth_allow_insecure_global_id_reclaim',
      'auth_expose_insecure_global_id_reclaim',
    ],
  }),
  mon_warn_on_insecure_global_id_reclaim_allowed: bool(
    true,
    'whether it is warned of that clients may take up ids insecurely',
    {
      services: ['mon'],
      seeAlso: [
        'mon_warn_on_insecure_global_id_reclaim',
        'auth_allow_insecure_global_id_reclaim',
        'auth_expose_insecure_global_id_reclaim',
      ],
    },
  ),
  mon_crush_min_required_version: str('hammer', 'oldest CRUSH tunables that are not warned of', {
    services: ['mgr'],
    seeAlso: ['mon_warn_on_legacy_crush_tunables'],
  }),
  mon_warn_pg_not_scrubbed_ratio: float(0.5, 'a scrub late by this part of its interval is warned of', {
    min: 0,
    seeAlso: ['osd_scrub_max_interval'],
  }),
  mon_warn_pg_not_deep_scrubbed_ratio: float(0.75, 'a deep scrub late by this part of its interval is warned of', {
    min: 0,
    seeAlso: ['osd_deep_scrub_interval'],
  }),
  mon_op_complaint_time: secs(30, "after so many seconds a monitor's request counts as slow", { services: ['mon'] }),
  mon_session_timeout: int(300, "after so many seconds of silence a monitor closes a client's connection", {
    services: ['mon'],
  }),
  mon_subscribe_interval: float(86400, 'how long a subscription of an old client holds, in seconds', {
    level: 'dev',
    services: ['mon'],
  }),
  mon_memory_target: size(2_147_483_648, 'memory that a monitor aims at', {
    level: 'basic',
    flags: ['runtime'],
    services: ['mon'],
  }),
  mon_cpu_threads: int(4, 'threads for heavy computations of a monitor', { services: ['mon'] }),
};
