import { float, int, secs, size, uint } from './option.ts';

/** What clients read, and daemons in so far as they are clients of the monitors. */
export const CLIENT_OPTIONS = {
  mon_client_hunt_interval: float(3, 'after so many seconds without an answer other monitors are tried'),
  mon_client_ping_interval: float(10, 'time between pings to a monitor, in seconds'),
  mon_client_ping_timeout: float(30, 'after so many seconds of silence a monitor is given up'),
  mon_client_log_interval: float(1, 'time between lines sent to the cluster log, in seconds'),
  mon_client_max_log_entries_per_message: int(1000, 'lines sent to the cluster log at a time; 0: all'),
  objecter_tick_interval: float(5, 'time between looks for slow requests, in seconds', { level: 'dev' }),
  objecter_timeout: float(10, 'after so many seconds a request makes the client ask for a newer map'),
  objecter_inflight_ops: uint(1024, 'most requests under way'),
  objecter_inflight_op_bytes: size(104_857_600, 'most bytes of requests under way'),
  client_mount_timeout: secs(300, 'how long connecting may take, in seconds', { services: ['mds_client'] }),
};
