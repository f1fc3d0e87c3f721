import { bool, float, int, secs, size, str, uint } from './option.ts';

/** Options of managers, clients and stores in Ceph that nothing here reads: they can be set and looked at, and have no effect. */
export const UNREAD_OTHER_OPTIONS = {
  mgr_data: str('/var/lib/ceph/mgr/$cluster-$id', "folder of a manager's data", {
    flags: ['no_mon_update'],
    services: ['mgr'],
  }),
  mgr_module_path: str('/usr/share/ceph/mgr', "folder of a manager's modules", { services: ['mgr'] }),
  mgr_initial_modules: str('restful iostat nfs', 'modules that a new cluster has switched on', {
    level: 'basic',
    flags: ['no_mon_update', 'cluster_create'],
    services: ['mon'],
  }),
  mgr_disabled_modules: str('diskprediction_local', 'modules that are never loaded', {
    flags: ['startup'],
    services: ['mgr'],
    seeAlso: ['mgr_module_path'],
  }),
  mgr_stats_threshold: int(5, 'least priority of counters that are reported to the manager', { min: 0, max: 11 }),
  mgr_service_beacon_grace: float(60, 'after so many seconds without a word a service is forgotten', {
    services: ['mgr'],
  }),
  mgr_client_bytes: size(134_217_728, "bytes of clients' messages under way", { level: 'dev', services: ['mgr'] }),
  mgr_osd_bytes: size(536_870_912, "bytes of OSDs' messages under way", { level: 'dev', services: ['mgr'] }),
  mgr_connect_retry_interval: float(1, 'after so many seconds a manager is dialled again', {
    level: 'dev',
    services: ['common'],
  }),
  mon_client_hunt_interval_backoff: float(1.5, 'by this factor the patience grows with every try'),
  mon_client_hunt_interval_max_multiple: float(10, 'patience grows to so many times the first'),
  mon_client_hunt_parallel: uint(3, 'monitors tried at a time'),
  rados_mon_op_timeout: secs(0, 'how long a monitor may take to answer, in seconds; 0 is for ever', {
    min: 0,
    flags: ['runtime'],
  }),
  rados_osd_op_timeout: secs(0, 'how long an OSD may take to answer, in seconds; 0 is for ever', {
    min: 0,
    flags: ['runtime'],
  }),
  bluestore_block_size: size(107_374_182_400, 'size of the file behind an OSD', { level: 'dev', flags: ['create'] }),
  bluestore_block_create: bool(true, 'whether the file behind an OSD is made when it is missing', {
    level: 'dev',
    flags: ['create'],
    seeAlso: ['bluestore_block_path', 'bluestore_block_size'],
  }),
  bluestore_block_path: str('', 'the device or file behind an OSD', { level: 'dev', flags: ['create'] }),
  bluestore_cache_size: size(0, "memory that an OSD's store caches with; 0 leaves it to the kind of disk", {
    level: 'dev',
  }),
  bluestore_csum_type: str('crc32c', 'checksum of stored blocks', {
    values: ['none', 'crc32c', 'crc32c_16', 'crc32c_8', 'xxhash32', 'xxhash64'],
    flags: ['runtime'],
  }),
  bluestore_min_alloc_size: uint(0, 'unit of allocation; 0 leaves it to the kind of disk', { flags: ['create'] }),
  memstore_device_bytes: size(1_073_741_824, 'size of a store in memory'),
};
