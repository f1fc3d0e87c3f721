import type { Config, Instant } from '@spirula/world';
import { seconds } from '@spirula/world';
import type { PaxosTimer } from './paxos.ts';

/** How long each of Paxos's timers runs (mon_lease and its factors). */
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
