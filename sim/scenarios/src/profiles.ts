/** Disks and networks by name, for scenarios. */
import {
  type DiskProfile,
  GIGABIT_1,
  GIGABIT_10,
  GIGABIT_25,
  HDD_7200,
  type NetworkProfile,
  NVME_SSD,
  QUICK_DISK,
  SATA_SSD,
} from '@spirula/sim-world';
import type { ClusterSpec } from './cluster-spec.ts';

const DISKS = { 'hdd-7200': HDD_7200, 'sata-ssd': SATA_SSD, 'nvme-ssd': NVME_SSD } as const;
const NETWORKS = { '1gbe': GIGABIT_1, '10gbe': GIGABIT_10, '25gbe': GIGABIT_25 } as const;

/** The disk that every daemon has; a quick one unless the scenario says. */
export function diskOf({ disk = QUICK_DISK }: ClusterSpec['cluster']): DiskProfile {
  return typeof disk === 'string' ? DISKS[disk] : disk;
}

/** What the scenario says of the network; a quick one but for that. */
export function networkOf({ network = {}, rackOversubscription }: ClusterSpec['cluster']): Partial<NetworkProfile> {
  const profile = typeof network === 'string' ? NETWORKS[network] : network;
  const said = Object.entries({ ...profile, rackOversubscription }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said);
}
