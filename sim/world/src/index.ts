export { type ClockProfile, EXACT_CLOCK } from './clock.ts';
export { type DiskProfile, QUICK_DISK, SimDisk } from './disk.ts';
export type { Endpoints } from './net.ts';
export { type NetworkProfile, type Paths, QUICK_NETWORK } from './paths.ts';
export type { ProcessSpec, ProcessState, SimProcess } from './process.ts';
export { SeededRandom } from './random.ts';
export { type BuggifyPoint, type LogLine, Simulation, type SimulationConfig } from './simulation.ts';
