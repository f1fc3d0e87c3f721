import { SeededRandom } from '@spirula/sim-world';

interface DrawnAuth {
  readonly auth: 'cephx' | 'none';
  readonly options: Record<string, number | string>;
}

/**
 * How a cluster authenticates, by the seed: mostly by cephx, with tickets so short that three minutes see them renewed. Those
 * for monitors last longer: a client that sleeps through three generations of their secrets is lost, as in Ceph.
 */
export function drawAuth(seed: number): DrawnAuth {
  const random = new SeededRandom(seed, 'auth');
  if (random.oneIn(4)) return { auth: 'none', options: {} };
  const options = {
    auth_service_ticket_ttl: random.between(10, 60),
    auth_mon_ticket_ttl: random.pick([240, 3600]),
    ms_client_mode: random.pick(['crc secure', 'secure crc']),
  };
  return { auth: 'cephx', options };
}
