/** How much faster than time a simulated cluster runs: 3 monitors and 5, 50 or 500 OSDs, idle and under load. */
import { checkScenario, Lab, type ScenarioInput } from '@spirula/sim-scenarios';
import { cpuSeconds } from './process-cpu.ts';
import { printTable } from './table.ts';

interface Size {
  readonly osds: number;
  readonly pgNum: number;
  readonly osdsPerHost: number;
  readonly hostsPerRack?: number;
  readonly clients: number;
  /** Virtual seconds that are measured, after as many that are not. */
  readonly seconds: number;
  readonly loads: readonly ('idle' | 'load')[];
}

const SIZES: readonly Size[] = [
  { osds: 5, pgNum: 32, osdsPerHost: 1, clients: 2, seconds: 300, loads: ['idle', 'load'] },
  { osds: 50, pgNum: 512, osdsPerHost: 10, clients: 10, seconds: 30, loads: ['idle', 'load'] },
  { osds: 500, pgNum: 1024, osdsPerHost: 10, hostsPerRack: 10, clients: 10, seconds: 5, loads: ['idle'] },
];
/** Requests a virtual second for each OSD: reads and writes, half and half, 2 kB of most objects. */
const REQUESTS_PER_OSD = 2;
/** A worker rests up to so long, half of it on average. */
const REST_US = 1_000_000;

/** Prints the table; each row in CPU seconds of one thread and what helps it (compiler, garbage collection). */
export async function benchSim(): Promise<void> {
  const rows = [['OSDs', 'PGs', '', 'boot CPU s', 'events per virtual s', 'events per CPU s', 'virtual s per CPU s']];
  for (const size of SIZES) for (const load of size.loads) rows.push(measure(size, load));
  printTable('a simulated cluster, 3 monitors', rows);
}

function measure({ osds, pgNum, osdsPerHost, hostsPerRack, clients, seconds }: Size, load: 'idle' | 'load'): string[] {
  const workers = load === 'idle' ? 0 : Math.round((osds * REQUESTS_PER_OSD * REST_US) / 2_000_000 / clients);
  const spec = checkScenario({
    name: 'bench',
    cluster: { osds, osdsPerHost, ...(hostsPerRack !== undefined && { hostsPerRack }), clients },
    pools: [{ pgNum }],
    workloads: [{ kind: 'objects', objects: 10 * osds, pace: { kind: 'closed', workers, restUs: REST_US } }],
  } satisfies ScenarioInput);
  const lab = new Lab(spec, 1);
  const start = cpuSeconds(process.pid);
  const failure = lab.boot();
  if (failure !== undefined) throw new Error(failure);
  const booted = cpuSeconds(process.pid);
  run(lab, seconds);
  const [cpu, events] = [cpuSeconds(process.pid), lab.simulation.events];
  run(lab, seconds);
  const took = cpuSeconds(process.pid) - cpu;
  const happened = lab.simulation.events - events;
  return [
    String(osds),
    String(pgNum),
    load,
    (booted - start).toFixed(1),
    (happened / seconds).toFixed(0),
    (happened / took).toFixed(0),
    (seconds / took).toFixed(1),
  ];
}

function run(lab: Lab, seconds: number): void {
  lab.advance(lab.simulation.now + seconds * 1_000_000);
  const [violation] = lab.simulation.violations;
  if (violation !== undefined) throw new Error(violation);
}
