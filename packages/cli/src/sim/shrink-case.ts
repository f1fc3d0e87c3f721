/** Shrinks a failing run on all cores, and writes what is left as a scenario. */
import { type Report, type ScenarioSpec, type ShrinkProgress, shrink } from '@spirula/sim-scenarios';
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
  const { scenario, seed, config } = report;
  const pool = new SeedPool(threads);
  const bar = process.stderr.isTTY
    ? new SingleBar({
        format: '{bar} {value}/{total} runs at most, {faults} faults left: {step}',
        stream: process.stderr,
      })
    : undefined;
  bar?.start(MAX_RUNS, 0, { faults: report.script.length, step: '' });
  const onProgress = ({ step, runs, faults }: ShrinkProgress) => bar?.update(runs, { step, faults });
  try {
    const { spec, runs } = await shrink(
      config,
      report,
      (specs) =>
        Promise.all(specs.map(async (each) => (await pool.run({ source: scenario, seed, spec: each })).failure)),
      MAX_RUNS,
      onProgress,
    );
    bar?.stop();
    console.log(`\nShrunk in ${runs} runs: ${report.script.length} faults became ${spec.faults.length}.`);
    return { text: print(spec, report), file: file ?? `${scenario}-${seed}.yaml` };
  } finally {
    bar?.stop();
    await pool.close();
  }
}

function print(spec: ScenarioSpec, { scenario, seed, config }: Report): string {
  const { storm: _, faults, ...rest } = spec;
  const heading = `# Shrunk from ${scenario}, seed ${seed}${config.storm === undefined ? '' : ', whose storm is written down'}.\n`;
  return heading + stringify({ ...rest, name: `${spec.name}-small`.replace(/(-small)+$/, '-small'), seed, faults });
}
