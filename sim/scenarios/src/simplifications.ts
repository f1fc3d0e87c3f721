/** What may be simpler in a scenario than it is: each names variants of it, the simplest first. */
import { type Instant, SECOND } from '@spirula/world';
import type { FaultPlan } from './faults/plan.ts';
import { formatSpan, parseSpan } from './span.ts';
import type { ScenarioSpec } from './spec.ts';
import type { WorkloadSpec } from './workloads/workload-spec.ts';

export interface Simplification {
  /** For people. */
  readonly text: string;
  /** Only such as differ from the scenario. */
  variants(spec: ScenarioSpec): readonly ScenarioSpec[];
}

/** Faults go on after the last one for so long; then they are healed. */
const LAST_FAULT_LASTS: readonly Instant[] = [5 * SECOND, 15 * SECOND, 30 * SECOND];
/** What has not come right after that much time does not: a run that waits for it is short. */
const ENOUGH_TO_HEAL: Instant = 120 * SECOND;
/** Clients have written something by then. */
const FIRST_FAULT: Instant = 5 * SECOND;
/** Tried for a fault that has to strike at a certain moment. */
const MOMENTS = 40;
const NAMES_MONITORS = /"(mon\.|leader|peons|mons)/;

/** Less time, and less that runs: what follows is tried sooner. */
export const CLUSTER: readonly Simplification[] = [
  {
    text: 'a shorter run',
    variants: (spec) => {
      const last = Math.max(0, ...timesOf(spec));
      return LAST_FAULT_LASTS.filter((us) => last + us < parseSpan(spec.duration)!).map((us) => ({
        ...spec,
        duration: formatSpan(last + us),
      }));
    },
  },
  {
    text: 'faults sooner',
    variants: (spec) => {
      const times = timesOf(spec);
      const early = Math.min(...times) - FIRST_FAULT;
      if (times.length === 0 || early < SECOND) return [];
      return [
        {
          ...spec,
          duration: formatSpan(parseSpan(spec.duration)! - early),
          faults: spec.faults.map((plan, i) => ({ ...plan, at: formatSpan(times[i]! - early) }) as FaultPlan),
        },
      ];
    },
  },
  {
    text: 'less time to heal',
    variants: (spec) =>
      parseSpan(spec.healWithin)! > ENOUGH_TO_HEAL ? [{ ...spec, healWithin: formatSpan(ENOUGH_TO_HEAL) }] : [],
  },
  { text: 'one manager', variants: (spec) => (spec.cluster.mgrs > 1 ? [changed(spec, { mgrs: 1 })] : []) },
  {
    text: 'one monitor',
    variants: (spec) =>
      spec.cluster.mons > 1 && !NAMES_MONITORS.test(wordsOf(spec)) ? [changed(spec, { mons: 1 })] : [],
  },
  {
    text: 'no spare monitors',
    variants: (spec) =>
      spec.cluster.spareMons > 0 && !wordsOf(spec).includes('add-mon') ? [changed(spec, { spareMons: 0 })] : [],
  },
  {
    text: 'fewer OSDs',
    variants: (spec) => {
      const { osds, osdsPerHost } = spec.cluster;
      const least = Math.max(spec.pools[0]!.size * osdsPerHost, namedUpTo(spec, 'osd') + 1);
      const counts = Array.from({ length: Math.max(0, osds - least) }, (_, i) => least + i);
      return counts.map((count) => changed(spec, { osds: count }));
    },
  },
  {
    text: 'fewer clients',
    variants: (spec) =>
      fewer(spec.cluster.clients, Math.max(1, namedUpTo(spec, 'client') + 1)).map((clients) =>
        changed(spec, { clients }),
      ),
  },
  {
    text: 'fewer PGs',
    variants: (spec) =>
      fewer(spec.pools[0]!.pgNum, 1).map((pgNum) => ({
        ...spec,
        pools: [{ ...spec.pools[0]!, pgNum }, ...spec.pools.slice(1)],
      })),
  },
];

/** Clients that do less. */
export const WORK: readonly Simplification[] = [
  {
    text: 'one workload',
    variants: (spec) =>
      spec.workloads.length < 2 ? [] : spec.workloads.map((work) => ({ ...spec, workloads: [work] })),
  },
  eachWork('one request at a time', (work) => {
    const { pace } = work;
    if (pace.kind === 'closed' && pace.workers === 1) return [];
    const restUs = pace.kind === 'closed' ? pace.restUs : SECOND / 2;
    return [{ ...work, pace: { kind: 'closed', workers: 1, restUs } }];
  }),
  eachWork('fewer objects', (work) => {
    const field = work.kind === 'append-log' ? 'logs' : work.kind === 'omap-counter' ? 'counters' : 'objects';
    const count = (work as unknown as Record<string, number>)[field]!;
    return fewer(count, 1).map((each) => ({ ...work, [field]: each }) as WorkloadSpec);
  }),
  eachWork('smaller writes', (work) => {
    if (work.kind !== 'objects' || (work.writeBytes <= 100 && work.largeOneIn === 0)) return [];
    return [{ ...work, writeBytes: 100, largeOneIn: 0 }];
  }),
  eachWork('nobody gives up', (work) =>
    work.kind === 'watch-notify' || work.timeoutOneIn === 0 ? [] : [{ ...work, timeoutOneIn: 0 }],
  ),
];

/** Machines as they are at their best, and Ceph's options as usual. */
const circumstances: readonly Simplification[] = [
  { text: 'no rare branches', variants: (spec) => (spec.buggify ? [{ ...spec, buggify: false }] : []) },
  { text: 'exact clocks', variants: (spec) => [changed(spec, { wallSkewUs: 0, driftPpm: 0, timerSlackUs: 1 })] },
  {
    text: 'quick disks',
    variants: (spec) => [changed(spec, { disk: undefined, slowDiskOneIn: 0, slowDiskFactor: 1 })],
  },
  {
    text: 'a quick network',
    variants: (spec) => [changed(spec, { network: undefined, rackOversubscription: undefined })],
  },
  { text: 'free processors', variants: (spec) => [changed(spec, { cpu: undefined })] },
];

export const CIRCUMSTANCES = circumstances.map(({ text, variants }) => ({
  text,
  variants: (spec: ScenarioSpec) => variants(spec).filter((each) => JSON.stringify(each) !== JSON.stringify(spec)),
}));

/** Only the last fault, or the last two, at other moments: what strikes between an answer and a flush must strike just then. */
export function lastFaultsElsewhen(spec: ScenarioSpec, count: number): readonly ScenarioSpec[] {
  if (spec.faults.length <= count) return [];
  const kept = spec.faults.slice(-count);
  const times = timesOf({ faults: kept });
  const span = Math.min(...times) - FIRST_FAULT;
  const duration = parseSpan(spec.duration)!;
  return Array.from({ length: MOMENTS }, (_, i) => Math.floor((span * i) / MOMENTS))
    .filter((earlier) => earlier >= 0)
    .map((earlier) => ({
      ...spec,
      duration: formatSpan(duration - earlier),
      faults: kept.map((plan, i) => ({ ...plan, at: formatSpan(times[i]! - earlier) }) as FaultPlan),
    }));
}

/** Variants in which the fault at `index` strikes one daemon less. */
export function fewerVictims(spec: ScenarioSpec, index: number): readonly ScenarioSpec[] {
  const plan = spec.faults[index]!;
  if (!('daemons' in plan) || typeof plan.daemons === 'string') return [];
  const daemons = plan.daemons ?? [];
  if (daemons.length < 2) return [];
  return daemons.map((_, i) => ({
    ...spec,
    faults: spec.faults.with(index, { ...plan, daemons: daemons.filter((__, other) => other !== i) } as FaultPlan),
  }));
}

/** Variants in which the fault at `index` lasts less long. */
export function shorterFaults(spec: ScenarioSpec, index: number): readonly ScenarioSpec[] {
  const plan = spec.faults[index]!;
  if (plan.for === undefined) return [];
  const lasts = parseSpan(plan.for)!;
  return [8, 4, 2].map((part) => ({
    ...spec,
    faults: spec.faults.with(index, { ...plan, for: formatSpan(Math.ceil(lasts / part)) } as FaultPlan),
  }));
}

function timesOf({ faults }: Pick<ScenarioSpec, 'faults'>): Instant[] {
  return faults.map(({ at }) => (at === undefined ? 0 : parseSpan(at)!));
}

function wordsOf({ faults }: ScenarioSpec): string {
  return JSON.stringify(faults);
}

/** The highest number that a fault names an OSD or a client by; -1: none. */
function namedUpTo(spec: ScenarioSpec, kind: 'osd' | 'client'): number {
  const named = wordsOf(spec).matchAll(new RegExp(`\\b${kind}\\.(\\d+)`, 'g'));
  return Math.max(-1, ...[...named].map(([, number]) => Number(number)));
}

/** Smaller counts, the smallest first. */
function fewer(count: number, least: number): number[] {
  const counts = new Set([least, Math.ceil(count / 4), Math.ceil(count / 2)]);
  return [...counts].filter((each) => each >= least && each < count).sort((a, b) => a - b);
}

function changed(spec: ScenarioSpec, change: Partial<ScenarioSpec['cluster']>): ScenarioSpec {
  return { ...spec, cluster: { ...spec.cluster, ...change } };
}

/** A change of one workload or another. */
function eachWork(text: string, simpler: (work: WorkloadSpec) => readonly WorkloadSpec[]): Simplification {
  return {
    text,
    variants: (spec) =>
      spec.workloads.flatMap((work, i) =>
        simpler(work).map((each) => ({ ...spec, workloads: spec.workloads.with(i, each) })),
      ),
  };
}
