import type { Config, Instant } from '@spirula/world';
import { seconds } from '@spirula/world';
import type { PaxosTimer } from './paxos.ts';

/**
 * How long each of Paxos's timers runs (mon_lease and its factors), on each monitor's monotonic clock.
 *
 * No safety rests on them: what is committed is so by proposal numbers and by a quorum that has accepted. They decide when a
 * silent peer is given up. Ceph's leases end at an instant of wall time, so that it warns of clocks 50 ms apart; here a
 * lease is counted from its arrival, and of drift it matters only that a leader renews (factor 0.6) before a peon gives up
 * (factor 2), which holds far beyond `MAX_DRIFT_PPM`.
 */
export function paxosTimeout(timer: PaxosTimer, config: Config): Instant {
  switch (timer) {
    case 'leaseRenew':
      return seconds(config.mon_lease * config.mon_lease_renew_interval_factor);
    case 'lease':
    case 'leaseAck':
      return seconds(config.mon_lease * config.mon_lease_ack_timeout_factor);
    case 'collect':
    case 'accept':
      return seconds(config.mon_lease * config.mon_accept_timeout_factor);
  }
}
