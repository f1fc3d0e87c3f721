/**
 * Networks as clusters have them, for `Simulation`'s `network`.
 *
 * Bandwidth. A segment of 1448 bytes (MTU 1500, less 20 bytes of IPv4, 20 of TCP, 12 of the timestamp option of RFC 7323)
 * occupies 1538 bytes of the line: Ethernet adds preamble and delimiter 8, header 14, check sequence 4, gap 12 (IEEE 802.3,
 * clauses 3 and 4). So 94.1 % of the bit rate carries data, which is also what iperf shows on an idle link.
 *
 * Latency, one way from process to process in one rack. S. Rumble et al., "It's Time for Low Latency" (HotOS 2011,
 * table 1) sum up a 1 GbE data centre: a switch 10 to 30 us, an interface 2.5 to 32 us, the kernel 15 us, each way and
 * at each end. C. Guo et al., "Pingmesh" (SIGCOMM 2015, section 4) measure TCP between servers of 10 GbE data centres:
 * median round trip 216 us in a pod and 268 us across, with 1.3 ms at P99 and 11 to 23 ms at P99.9, which comes from busy
 * hosts and queues. The ranges below are chosen within these figures, the spikes (one packet in 500) for P99.9; 25 GbE
 * differs from 10 GbE by its switches, which forward in about 1 us instead of several, and not by its kernels.
 *
 * Oversubscription of racks. A. Greenberg et al., "VL2" (SIGCOMM 2009, section 2) find uplinks of racks 1:5 and worse
 * in conventional networks; M. Al-Fares et al. (SIGCOMM 2008, section 2) give 2.5:1 to 8:1 as typical.
 */
import { type NetworkProfile, QUICK_NETWORK } from './paths.ts';

/** Of a bit rate, the bytes in a second that a TCP connection can carry. */
function payload(gigabits: number): number {
  return Math.floor((gigabits * 125_000_000 * 1448) / 1538);
}

/** 1 GbE: 117.7 MB/s for each port and direction. */
export const GIGABIT_1: Partial<NetworkProfile> = {
  latencyUs: [60, 160],
  spikeOneIn: 500,
  spikeUs: 20_000,
  portBytesPerSecond: payload(1),
};

/** 10 GbE: 1.18 GB/s for each port and direction. */
export const GIGABIT_10: Partial<NetworkProfile> = {
  latencyUs: [40, 120],
  spikeOneIn: 500,
  spikeUs: 15_000,
  portBytesPerSecond: payload(10),
};

/** 25 GbE: 2.94 GB/s for each port and direction. */
export const GIGABIT_25: Partial<NetworkProfile> = {
  latencyUs: [30, 80],
  spikeOneIn: 500,
  spikeUs: 12_000,
  portBytesPerSecond: payload(25),
};

/** What a profile is among racks whose uplinks carry a fifth of what their machines can send, as VL2 has it. */
export function oversubscribed(profile: Partial<NetworkProfile>, ratio = 5): NetworkProfile {
  return { ...QUICK_NETWORK, ...profile, rackOversubscription: ratio };
}
