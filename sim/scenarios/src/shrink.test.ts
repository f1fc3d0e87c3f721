import { expect, test } from 'vitest';
import type { FaultPlan } from './faults/plan.ts';
import type { Outcome } from './scenario.ts';
import { type Attempt, failureOf, shrink } from './shrink.ts';
import { parseSpan } from './span.ts';
import { type ScenarioInput, type ScenarioSpec, scenarioSchema } from './spec.ts';

const LOST = 'violation: at 31.5 s: c0: object-3: read [nothing]; it may have been [version 2]';
const STUCK = 'unclean: pg 1.3 of osd.2 [2,0] is peering (GetInfo)';

/** Crashes of osd.0, osd.1 ... one a second from second 10 on. */
function crashes(count: number): FaultPlan[] {
  return Array.from({ length: count }, (_, i) => ({
    at: `${10 + i}s`,
    for: '8s',
    fault: 'crash' as const,
    daemons: [`osd.${i}`],
  }));
}

function victims({ faults }: ScenarioSpec): string[] {
  return faults.flatMap((each) => ('daemons' in each ? [...(each.daemons ?? [])] : []));
}

function outcomeOf(spec: ScenarioSpec, problem: string, lastedUs = parseSpan(spec.duration)!): Outcome {
  const [kind, text] = [problem.slice(0, problem.indexOf(':')), problem.slice(problem.indexOf(':') + 2)];
  return {
    config: spec,
    violations: kind === 'violation' ? [text] : [],
    unclean: kind === 'unclean' ? [text] : [],
    findings: [],
    digest: '',
    stats: {},
    faults: [],
    script: spec.faults,
    lastedUs,
    log: [],
  };
}

/** A runner in which what `judge` says of a scenario is how it fails; counts, and keeps what it was given. */
function fakeRunner(judge: (spec: ScenarioSpec) => string | undefined, lastedUs?: (spec: ScenarioSpec) => number) {
  const tried: ScenarioSpec[] = [];
  const batches: number[] = [];
  const run = (specs: readonly ScenarioSpec[]): Promise<Attempt[]> => {
    batches.push(specs.length);
    tried.push(...specs);
    return Promise.resolve(
      specs.map((spec) => {
        const problem = judge(spec);
        const lasted = lastedUs?.(spec) ?? parseSpan(spec.duration)!;
        return { failure: problem && failureOf(outcomeOf(spec, problem)), lastedUs: lasted };
      }),
    );
  };
  return { run, tried, batches };
}

function failing(input: Omit<ScenarioInput, 'name'>): ScenarioSpec {
  return scenarioSchema.parse({ name: 'failing', cluster: { osds: 40 }, duration: '100s', ...input });
}

test.each([1, 2, 7])('of many faults the two that are needed are left, %i tried at a time', async (width) => {
  const spec = failing({ faults: crashes(37) });
  const needsPair = (each: ScenarioSpec) =>
    victims(each).includes('osd.5') && victims(each).includes('osd.29') ? LOST : undefined;
  const { run, batches } = fakeRunner(needsPair);

  const small = await shrink(spec, outcomeOf(spec, LOST), { run, width, maxRuns: 400 });

  expect(victims(small.spec)).toEqual(['osd.5', 'osd.29']);
  expect(Math.max(...batches)).toBeLessThanOrEqual(width);
  expect(small.runs).toBeLessThan(120);
});

test('faults that only stand in for one another are taken away until none is needless', async () => {
  const spec = failing({ faults: crashes(16) });
  const needsThreeOfFour = (each: ScenarioSpec) =>
    victims(each).filter((name) => ['osd.1', 'osd.4', 'osd.8', 'osd.14'].includes(name)).length >= 3 ? LOST : undefined;
  const { run } = fakeRunner(needsThreeOfFour);

  const { spec: small } = await shrink(spec, outcomeOf(spec, LOST), { run, width: 3, maxRuns: 400 });

  expect(small.faults).toHaveLength(3);
});

test('a failure of another kind is not taken for the one that is looked for', async () => {
  const spec = failing({ faults: crashes(8) });
  const judge = (each: ScenarioSpec) => (victims(each).includes('osd.3') ? LOST : STUCK);
  const { run } = fakeRunner(judge);

  const { spec: small } = await shrink(spec, outcomeOf(spec, LOST), { run, width: 2, maxRuns: 400 });

  expect(victims(small)).toEqual(['osd.3']);
});

test('no more is tried than was allowed, and what was found by then is the answer', async () => {
  const spec = failing({ faults: crashes(64) });
  const needsMany = (each: ScenarioSpec) => (victims(each).length >= 20 ? LOST : undefined);
  const { run, tried } = fakeRunner(needsMany);

  const small = await shrink(spec, outcomeOf(spec, LOST), { run, width: 4, maxRuns: 13 });

  expect(tried).toHaveLength(13);
  expect(small.runs).toBe(13);
  expect(victims(small.spec).length).toBeLessThan(64);
  expect(needsMany(small.spec)).toBe(LOST);
});

test('a storm is written down, with the faults that struck up to the failure', async () => {
  const storm = { weights: { crash: 1 }, intervalUs: 1, durationUs: 1, graceUs: 1, maxMons: 1, maxOsds: 1 };
  const spec = failing({ storm });
  const { run } = fakeRunner((each) =>
    each.storm === undefined && victims(each).includes('osd.2') ? LOST : undefined,
  );
  const outcome = { ...outcomeOf(spec, LOST, 12_500_000), script: crashes(9) };

  const { spec: small, isWrittenDown } = await shrink(spec, outcome, { run, width: 2, maxRuns: 400 });

  expect(isWrittenDown).toBe(true);
  expect(small).not.toHaveProperty('storm');
  expect(victims(small)).toEqual(['osd.2']);
  expect(parseSpan(small.duration)).toBeLessThanOrEqual(13_500_000);
});

test('what does not fail when it is written down is left as it is', async () => {
  const storm = { weights: { crash: 1 }, intervalUs: 1, durationUs: 1, graceUs: 1, maxMons: 1, maxOsds: 1 };
  const spec = failing({ storm });
  const { run } = fakeRunner(() => undefined);

  const small = await shrink(spec, outcomeOf(spec, LOST), { run, width: 2, maxRuns: 400 });

  expect(small).toMatchObject({ spec, isWrittenDown: false });
});

test('a run that fails early ends soon after, and what would have come later goes with it', async () => {
  const spec = failing({ faults: crashes(20) });
  const { run } = fakeRunner(
    (each) => (victims(each).includes('osd.0') ? LOST : undefined),
    () => 10_500_000,
  );

  const { spec: small } = await shrink(spec, outcomeOf(spec, LOST), { run, width: 2, maxRuns: 3 });

  expect(small.duration).toBe('11.5s');
  expect(victims(small)).toEqual(['osd.0']);
});

test('a fault that has to strike at a certain moment is looked for alone, at other moments', async () => {
  const spec = failing({ faults: crashes(3), duration: '60s' });
  // All three, or one that strikes while something is being written.
  const judge = ({ faults }: ScenarioSpec) => {
    const [only] = faults;
    const isWriting =
      faults.length === 1 && parseSpan(only!.at!)! % 1_000_000 < 200_000 && parseSpan(only!.at!)! > 5_000_000;
    return faults.length === 3 || (isWriting && only!.at !== '12s' && only!.at !== '10s') ? LOST : undefined;
  };
  const { run } = fakeRunner(judge);

  const { spec: small } = await shrink(spec, outcomeOf(spec, LOST), { run, width: 2, maxRuns: 400 });

  expect(small.faults).toHaveLength(1);
  expect(judge(small)).toBe(LOST);
});

test('who need not be struck is not', async () => {
  const daemons = ['osd.0', 'osd.1', 'osd.2', 'osd.3'];
  const spec = failing({ faults: [{ at: '5s', fault: 'power-loss', daemons }] });
  const { run } = fakeRunner((each) =>
    victims(each).includes('osd.1') && victims(each).includes('osd.3') ? LOST : undefined,
  );

  const { spec: small } = await shrink(spec, outcomeOf(spec, LOST), { run, width: 3, maxRuns: 400 });

  expect(victims(small)).toEqual(['osd.1', 'osd.3']);
});

test('workload, cluster and options become as simple as the failure allows', async () => {
  const spec = failing({
    cluster: {
      osds: 9,
      clients: 8,
      mgrs: 2,
      options: { mon_lease: 2, paxos_min: 20, osd_heartbeat_grace: 5 },
      driftPpm: 100,
    },
    pools: [{ pgNum: 32 }],
    workloads: [{ kind: 'append-log' }, { kind: 'objects', objects: 16, timeoutOneIn: 10 }],
    faults: [{ at: '30s', for: '16s', fault: 'crash', daemons: ['osd.4'] }],
    buggify: true,
  });
  const judge = ({ cluster, workloads, faults }: ScenarioSpec) =>
    cluster.options['paxos_min'] === 20 &&
    cluster.clients >= 2 &&
    workloads.some((each) => each.kind === 'objects' && each.objects >= 2) &&
    faults.length === 1
      ? STUCK
      : undefined;
  const { run } = fakeRunner(judge);

  const { spec: small } = await shrink(spec, outcomeOf(spec, STUCK), { run, width: 2, maxRuns: 400 });

  expect(small.cluster).toMatchObject({
    mons: 1,
    osds: 5,
    mgrs: 1,
    clients: 2,
    options: { paxos_min: 20 },
    driftPpm: 0,
  });
  expect(small.workloads).toMatchObject([{ kind: 'objects', timeoutOneIn: 0, writeBytes: 100 }]);
  expect(small.pools).toMatchObject([{ pgNum: 1 }]);
  expect(small).toMatchObject({ buggify: false, healWithin: '2m' });
  expect(small.faults).toEqual([{ at: '5s', for: '2s', fault: 'crash', daemons: ['osd.4'] }]);
  expect(parseSpan(small.duration)).toBeLessThanOrEqual(10_000_000);
});

test.each([
  [LOST, 'violation: c#: object: read'],
  [
    'violation: at 3 s: c1: log-2: a write was answered with 0; it may have been',
    'violation: c#: object: a write was answered',
  ],
  [
    'violation: at 3 s: mon.b has committed another value for version 53 than mon.a',
    'violation: mon has committed another value for version # than mon',
  ],
  [
    'violation: at 3 s: osd.4: pg 1.9 object-13: the block at 0 (on the device at 5) is damaged',
    'violation: osd: pg # object: the block at #',
  ],
  [STUCK, 'unclean: pg # of osd [#,#]'],
])('%s is told from others as %s, whatever the numbers', (problem, failure) => {
  const spec = failing({});
  const other = problem.replace(/\d+/g, (number) => String(Number(number) + 1)).replace('mon.b', 'mon.c');

  expect(failureOf(outcomeOf(spec, problem))).toBe(failure);
  expect(failureOf(outcomeOf(spec, other))).toBe(failure);
});
