/** Shrinks a failing run on all cores, and writes what is left as a scenario. */
import {
  checkScenario,
  failureOf,
  Lab,
  type Report,
  readScenario,
  type ScenarioSpec,
  type ShrinkProgress,
  shrink,
} from '@spirula/sim-scenarios';
import { SingleBar } from 'cli-progress';
import { stringify } from 'yaml';
import { SeedPool } from './seed-pool.ts';

/** Variants that are tried at most. */
const MAX_RUNS = 400;

interface SmallCase {
  /** YAML that `sim run` takes. */
  readonly text: string;
  readonly file: string;
}

/** @param file where the case is to go; named after the scenario and the seed when left out */
export async function shrinkCase(report: Report, threads: number, file?: string): Promise<SmallCase> {
  const { scenario, seed, config, script } = report;
  const pool = new SeedPool(threads);
  const bar = process.stderr.isTTY
    ? new SingleBar({
        format: '{bar} {value}/{total} runs at most, {faults} faults left: {step}',
        stream: process.stderr,
      })
    : undefined;
  bar?.start(MAX_RUNS, 0, { faults: script.length, step: '' });
  try {
    const { spec, runs, isWrittenDown } = await shrink(config, report, {
      run: (specs) => Promise.all(specs.map((each) => pool.run({ source: scenario, seed, spec: each }))),
      width: threads,
      maxRuns: MAX_RUNS,
      onProgress: ({ step, runs, faults }: ShrinkProgress) => bar?.update(runs, { step, faults }),
    });
    bar?.stop();
    const text = print(spec, report);
    console.log(
      isWrittenDown
        ? `\nShrunk in ${runs} runs: ${script.length} faults became ${spec.faults.length}.`
        : '\nWith its faults written down it does not fail in the same way: it is left as it is.',
    );
    const again = failureOf(await new Lab(readScenario(text), seed).play());
    if (again !== failureOf(report)) console.log(`A bug of the simulator: read back, it ends with ${again}.`);
    return { text, file: file ?? `${scenario}-${seed}.yaml` };
  } finally {
    bar?.stop();
    await pool.close();
  }
}

function print(spec: ScenarioSpec, { scenario, seed, config }: Report): string {
  const wasStorm = config.storm !== undefined && spec.storm === undefined;
  const heading = `# Shrunk from ${scenario}, seed ${seed}${wasStorm ? ', whose storm is written down' : ''}.\n`;
  const { faults, pools, workloads, ...rest } = spec;
  const name = `${spec.name}-small`.replace(/(-small)+$/, '-small');
  const usual = checkScenario({ name, pools: [{}], workloads: workloads.map(({ kind }) => ({ kind })) });
  return (
    heading +
    stringify({
      name,
      ...(unusual({ ...rest, name }, usual) as object),
      pools: pools.map((pool) => unusual(pool, usual.pools[0])),
      workloads: workloads.map((work, i) => unusual(work, usual.workloads[i])),
      seed,
      faults,
    })
  );
}

/** What of a value a scenario has to say, since it is not as usual; `kind` always, for it says what is usual. */
function unusual(value: unknown, usual: unknown): unknown {
  if (!isRecord(value) || !isRecord(usual)) return value;
  const differing = Object.entries(value).filter(
    ([key, field]) => key === 'kind' || JSON.stringify(field) !== JSON.stringify(usual[key]),
  );
  return Object.fromEntries(differing.map(([key, field]) => [key, unusual(field, usual[key])]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
