import { bool, float, int, size, str, uint } from './option.ts';

const RBD_MIRROR = ['rbd-mirror'];

/** Options of Ceph's daemon that mirrors images, which nothing here reads. */
export const UNREAD_RBD_MIRROR_OPTIONS = {
  rbd_mirror_concurrent_image_deletions: uint(1, 'images removed at a time', { min: 1, services: RBD_MIRROR }),
  rbd_mirror_concurrent_image_syncs: uint(5, 'images copied at a time', { services: RBD_MIRROR }),
  rbd_mirror_delete_retry_interval: float(30, 'seconds until a removal that failed is tried again', {
    services: RBD_MIRROR,
  }),
  rbd_mirror_image_perf_stats_prio: int(5, 'priority of the counters of single images', {
    min: 0,
    max: 11,
    services: RBD_MIRROR,
  }),
  rbd_mirror_image_policy_migration_throttle: uint(300, 'seconds before an image may move again', {
    services: RBD_MIRROR,
  }),
  rbd_mirror_image_policy_rebalance_timeout: float(
    0,
    'images are spread anew after so many quiet seconds; 0 is never',
    { services: RBD_MIRROR },
  ),
  rbd_mirror_image_policy_type: str('simple', 'how images are spread over daemons', {
    values: ['none', 'simple'],
    services: RBD_MIRROR,
  }),
  rbd_mirror_image_policy_update_throttle_interval: float(1, 'seconds between messages about images to other daemons', {
    min: 1,
    services: RBD_MIRROR,
  }),
  rbd_mirror_image_state_check_interval: uint(30, 'seconds between looks at which images there are', {
    min: 1,
    services: RBD_MIRROR,
  }),
  rbd_mirror_journal_commit_age: float(5, 'seconds between notes of what is done', { services: RBD_MIRROR }),
  rbd_mirror_journal_poll_age: float(5, 'seconds between looks for new entries', { services: RBD_MIRROR }),
  rbd_mirror_leader_heartbeat_interval: uint(5, 'seconds between signs of life of the leader', {
    min: 1,
    services: RBD_MIRROR,
  }),
  rbd_mirror_leader_max_acquire_attempts_before_break: uint(3, "attempts before a silent leader's lock is broken", {
    services: RBD_MIRROR,
  }),
  rbd_mirror_leader_max_missed_heartbeats: uint(
    2,
    'signs of life that may be missed before another one tries to lead',
    { services: RBD_MIRROR },
  ),
  rbd_mirror_memory_autotune: bool(true, 'caches share the memory by need', {
    level: 'dev',
    services: RBD_MIRROR,
    seeAlso: ['rbd_mirror_memory_target'],
  }),
  rbd_mirror_memory_base: size(805_306_368, 'bytes used beside the caches', {
    level: 'dev',
    services: RBD_MIRROR,
    seeAlso: ['rbd_mirror_memory_autotune'],
  }),
  rbd_mirror_memory_cache_autotune_interval: float(30, 'seconds between changes of the shares', {
    level: 'dev',
    services: RBD_MIRROR,
    seeAlso: ['rbd_mirror_memory_autotune'],
  }),
  rbd_mirror_memory_cache_min: size(134_217_728, 'bytes that caches have at least', {
    level: 'dev',
    services: RBD_MIRROR,
    seeAlso: ['rbd_mirror_memory_autotune'],
  }),
  rbd_mirror_memory_cache_resize_interval: float(5, 'seconds between changes of sizes', {
    level: 'dev',
    services: RBD_MIRROR,
    seeAlso: ['rbd_mirror_memory_autotune'],
  }),
  rbd_mirror_memory_expected_fragmentation: float(0.15, 'part of the memory that is lost between allocations', {
    level: 'dev',
    min: 0,
    max: 1,
    services: RBD_MIRROR,
    seeAlso: ['rbd_mirror_memory_autotune'],
  }),
  rbd_mirror_memory_target: size(4_294_967_296, 'bytes of memory that a daemon is to keep to', {
    level: 'basic',
    services: RBD_MIRROR,
    seeAlso: ['rbd_mirror_memory_autotune'],
  }),
  rbd_mirror_perf_stats_prio: int(5, 'priority of the counters of mirroring', {
    min: 0,
    max: 11,
    services: RBD_MIRROR,
  }),
  rbd_mirror_pool_replayers_refresh_interval: uint(30, 'seconds between looks at which peers there are', {
    services: RBD_MIRROR,
  }),
  rbd_mirror_sync_point_update_age: float(30, 'seconds between notes of how far a copy is', { services: RBD_MIRROR }),
};
