export { type ClockProfile, EXACT_CLOCK } from './clock.ts';
export { type CpuProfile, FREE_CPU } from './cpu.ts';
export { SimCrypto } from './crypto.ts';
export { SimDisk } from './disk.ts';
export { DiskFaults, type DiskOperation, type Failing, type WriteFate } from './disk-faults.ts';
export { type DiskProfile, HDD_7200, NVME_SSD, QUICK_DISK, SATA_SSD } from './disk-profile.ts';
export type { HttpAnswer, HttpServer } from './http.ts';
export { Layers, type Undo, undoAll } from './layers.ts';
export type { Endpoints } from './network.ts';
export { GIGABIT_1, GIGABIT_10, GIGABIT_25, oversubscribed } from './network-profiles.ts';
export type { LatencyTail, NetworkName, Networks } from './path.ts';
export { type NetworkProfile, Paths, QUICK_NETWORK } from './paths.ts';
export type { ProcessState, SimProcess } from './process.ts';
export type { ProcessSpec } from './process-spec.ts';
export { SeededRandom } from './random.ts';
export { type BuggifyPoint, type LogLine, Simulation, type SimulationConfig } from './simulation.ts';
export {
  TRACE_VERSION,
  type TraceEntry,
  type TraceFacts,
  type TraceHeader,
  type TraceSink,
  type TraceValue,
} from './trace.ts';
export { toTraceValue } from './trace-value.ts';
export type { Tracer } from './tracer.ts';
