/** What clients do, as a seed draws it. */
import { SeededRandom } from '@spirula/sim-world';
import { SECOND } from '@spirula/world';
import type { WorkloadInput } from '../workloads/workload-spec.ts';

/** Any operation on few objects, mostly; beside it at times what is asked of a store in other ways. */
export function drawWorkloads(random: SeededRandom): WorkloadInput[] {
  const timeouts = { timeoutOneIn: random.pick([0, 0, 10]), timeoutUs: random.between(1, 10) * SECOND };
  const restUs = random.pick([300_000, 600_000, 1_500_000]);
  const slow = { kind: 'closed', workers: 1, restUs: 2 * restUs } as const;
  const workloads: WorkloadInput[] = [
    {
      kind: 'objects',
      objects: random.between(4, 20),
      pace: { kind: 'closed', workers: random.between(1, 3), restUs },
      stay: random.pick([1, 10, 100]),
      onlyReadsOneIn: random.pick([3, 10]),
      writeBytes: random.pick([200, 5000]),
      largeWriteBytes: random.pick([20_000, 200_000, 200_000]),
      largeOneIn: random.pick([3, 6, 20]),
      ...timeouts,
    },
  ];
  if (random.oneIn(3)) {
    workloads.push({ kind: 'conditional', objects: random.between(1, 4), pace: slow, ...timeouts });
  }
  if (random.oneIn(4)) {
    const pace = random.oneIn(2) ? slow : ({ kind: 'open', opsPerSecond: 2, mostUnderWay: 4 } as const);
    workloads.push({ kind: 'append-log', pace, ...timeouts });
  }
  if (random.oneIn(4)) workloads.push({ kind: 'omap-counter', pace: slow, ...timeouts });
  if (random.oneIn(4)) {
    const sizes = [1, 4096, 65_536, random.pick([131_072, 1 << 20])];
    workloads.push({ kind: 'mixed-sizes', sizes, pace: slow, ...timeouts });
  }
  return workloads;
}

/** Calls of object classes, at times. Drawn by themselves: what else a seed makes of a run stays what it is. */
export function drawClassCalls(seed: number): WorkloadInput[] {
  const random = new SeededRandom(seed, 'class calls');
  if (!random.oneIn(3)) return [];
  const restUs = random.pick([200_000, 600_000]);
  const timeouts = { timeoutOneIn: random.pick([0, 10]), timeoutUs: random.between(1, 10) * SECOND };
  return [
    { kind: 'classes', objects: random.between(1, 2), pace: { kind: 'closed', workers: 1, restUs }, ...timeouts },
  ];
}

/** In one run of three, snapshots beside all else. */
export function drawSnapshots(seed: number): WorkloadInput[] {
  // A stream of its own: what else a seed draws does not depend on it.
  const random = new SeededRandom(seed, 'snapshots');
  if (!random.oneIn(3)) return [];
  const mode = random.pick(['pool', 'self-managed'] as const);
  const pace = { kind: 'closed', workers: random.between(1, 2), restUs: random.pick([300_000, 600_000]) } as const;
  return [{ kind: 'snapshots', mode, objects: random.between(1, 6), snapshots: random.between(1, 6), pace }];
}

/** Beside them, in some runs, clients that watch. Data that are lost take those along who watch them: only where nothing may be. */
export function drawWatchers(seed: number): WorkloadInput[] {
  const random = new SeededRandom(seed, 'watchers');
  if (!random.oneIn(3)) return [];
  return [
    {
      kind: 'watch-notify',
      objects: random.between(1, 4),
      pace: { kind: 'closed', workers: random.between(1, 2), restUs: random.pick([500_000, 2 * SECOND]) },
      timeoutSeconds: random.pick([10, 20, 30]),
      notifySeconds: random.pick([2, 5, 20]),
    },
  ];
}
