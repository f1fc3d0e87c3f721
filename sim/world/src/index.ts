export { type ClockProfile, EXACT_CLOCK } from './clock.ts';
export { SimDisk } from './disk.ts';
export { DiskFaults, type DiskOperation, type Failing, type WriteFate } from './disk-faults.ts';
export { type DiskProfile, HDD_7200, NVME_SSD, QUICK_DISK, SATA_SSD } from './disk-profile.ts';
export type { Endpoints } from './net.ts';
export { type NetworkProfile, type Paths, QUICK_NETWORK } from './paths.ts';
export type { ProcessSpec, ProcessState, SimProcess } from './process.ts';
export { SeededRandom } from './random.ts';
export { type BuggifyPoint, type LogLine, Simulation, type SimulationConfig } from './simulation.ts';
