import { float, str, uuid } from './option.ts';

/** Options that every daemon and client reads. */
export const COMMON_OPTIONS = {
  fsid: uuid('00000000-0000-0000-0000-000000000000', 'id of the cluster', {
    level: 'basic',
    flags: ['no_mon_update', 'startup'],
    services: ['common'],
    tags: ['service'],
  }),
  mon_host: str('', 'where the monitors are: addresses or host names, apart by commas or blanks', {
    level: 'basic',
    flags: ['no_mon_update', 'startup'],
    services: ['common'],
  }),
  admin_socket: str('', 'path of the socket that `ceph daemon` speaks to', {
    daemonDefault: '$run_dir/$cluster-$name.asok',
    flags: ['startup'],
    services: ['common'],
  }),
  auth_client_required: str('cephx, none', 'how clients ask daemons to prove themselves'),
  auth_mon_ticket_ttl: float(259200, 'how long a ticket for the monitors holds, in seconds'),
  auth_service_ticket_ttl: float(3600, 'how long a ticket for other services holds, in seconds'),
  ms_cluster_mode: str('crc secure', 'modes of connections between daemons', {
    level: 'basic',
    flags: ['startup'],
    seeAlso: ['ms_service_mode', 'ms_client_mode'],
  }),
  ms_service_mode: str('crc secure', 'modes that daemons offer to clients', {
    level: 'basic',
    flags: ['startup'],
    seeAlso: ['ms_cluster_mode', 'ms_client_mode'],
  }),
  ms_client_mode: str('crc secure', 'modes that clients ask daemons for', {
    level: 'basic',
    flags: ['startup'],
    seeAlso: ['ms_cluster_mode', 'ms_service_mode'],
  }),
  ms_mon_cluster_mode: str('secure crc', 'modes of connections between monitors', {
    level: 'basic',
    flags: ['startup'],
    seeAlso: ['ms_mon_service_mode', 'ms_mon_client_mode', 'ms_service_mode', 'ms_cluster_mode', 'ms_client_mode'],
  }),
  ms_mon_service_mode: str('secure crc', 'modes that monitors offer', {
    level: 'basic',
    flags: ['startup'],
    seeAlso: ['ms_service_mode', 'ms_mon_cluster_mode', 'ms_mon_client_mode', 'ms_cluster_mode', 'ms_client_mode'],
  }),
  ms_mon_client_mode: str('secure crc', 'modes that clients ask monitors for', {
    level: 'basic',
    flags: ['startup'],
    seeAlso: ['ms_mon_service_mode', 'ms_mon_cluster_mode', 'ms_service_mode', 'ms_cluster_mode', 'ms_client_mode'],
  }),
};
