/** What a cluster is made of: daemons and where they stand, pools, and what clients do to them. */
import { findOption, isRead } from '@spirula/config';
import { z } from 'zod';
import type { WorkloadSpec } from './workloads/workload-spec.ts';

const us = z.int().min(0);
const range = z.tuple([us, us]).readonly();

/** Options of Ceph by their names, each of the type of its default. */
const options = z.record(z.string(), z.union([z.number(), z.boolean(), z.string()])).superRefine((given, context) => {
  for (const [name, value] of Object.entries(given)) {
    const type = typeof findOption(name)?.default;
    const message =
      type === 'undefined'
        ? 'there is no such option'
        : !isRead(name)
          ? 'nothing here reads this option'
          : type === typeof value
            ? undefined
            : `it takes a ${type}, not ${JSON.stringify(value)}`;
    if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message });
  }
});

/** One that exists, by name, or what its flushes cost and nothing else: see profiles.ts. */
const disk = z.union([
  z.enum(['hdd-7200', 'sata-ssd', 'nvme-ssd']),
  z.strictObject({ flushUs: range, stallOneIn: us, stallUs: us }),
]);

const network = z.union([
  z.enum(['1gbe', '10gbe', '25gbe']),
  z
    .strictObject({
      latencyUs: range,
      spikeOneIn: us,
      spikeUs: us,
      bytesPerSecond: us,
      portBytesPerSecond: us,
      stallTimeoutUs: us,
      codecOneIn: us,
    })
    .partial(),
]);

export const clusterSchema = z.strictObject({
  mons: z.int().min(1).max(9).default(3),
  /** Monitors beside them that are not part of the cluster until they are added. */
  spareMons: z.int().min(0).max(3).default(0),
  osds: z.int().min(1).max(1000).default(3),
  mgrs: z.int().min(0).max(3).default(1),
  clients: z.int().min(1).max(20).default(2),
  /** OSDs on one host. */
  osdsPerHost: z.int().min(1).default(1),
  /** Hosts in one rack; without it there are no racks. */
  hostsPerRack: z.int().min(1).optional(),
  /** How daemons and clients authenticate. */
  auth: z.enum(['none', 'cephx']).default('none'),
  options: options.default({}),
  disk: disk.optional(),
  /** Of each OSD's block device. */
  deviceBytes: z
    .int()
    .min(1 << 20)
    .default(1 << 30),
  /** One disk in so many takes longer for every flush, by this factor; 0: none does. */
  slowDiskOneIn: us.default(0),
  slowDiskFactor: us.default(1),
  network: network.optional(),
  /** How often the uplink of a rack fits into what its machines can send; without it racks share nothing. */
  rackOversubscription: z.int().min(1).optional(),
  /** What handling an event costs a daemon, in microseconds, and each KiB of a message; nothing unless said. */
  cpu: z.strictObject({ eventUs: us, perKiBUs: us }).optional(),
  /** How far wall clocks may be off, and by how many millionths clocks may run fast or slow. */
  wallSkewUs: us.default(0),
  driftPpm: us.default(0),
  timerSlackUs: us.default(1),
  /** Whether a daemon that ends by itself is started again, as an init system may. */
  restarts: z.boolean().default(true),
});

export const poolSchema = z.strictObject({
  name: z.string().default('data'),
  size: z.int().min(1).max(10).default(3),
  /** Ceph's size - size/2 unless given. */
  minSize: z.int().min(1).max(10).optional(),
  pgNum: z.int().min(1).max(1024).default(8),
  /** The type of CRUSH bucket that holds one copy at most. */
  failureDomain: z.enum(['osd', 'host', 'rack']).default('host'),
});

/** A cluster with nothing left out. */
export interface ClusterSpec {
  readonly cluster: z.output<typeof clusterSchema>;
  readonly pools: readonly z.output<typeof poolSchema>[];
  readonly workloads: readonly WorkloadSpec[];
}
