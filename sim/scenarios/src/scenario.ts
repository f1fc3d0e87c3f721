/** What a scenario is, and what comes of running one. */
import type { TraceSink } from '@spirula/sim-world';
import { type Instant, SECOND } from '@spirula/world';

export interface ScenarioRun {
  readonly seed: number;
  /** How long faults last. */
  readonly virtualSeconds: number;
  /** Takes what happens; without it, nothing is recorded. */
  readonly trace?: TraceSink;
}

export interface Outcome {
  /** What the seed drew. */
  readonly config: unknown;
  /** What must never happen and did: safety. The run ends at the first. */
  readonly violations: readonly string[];
  /** What did not come right again after faults stopped: liveness. */
  readonly unclean: readonly string[];
  /** Hash of every event delivered and random number drawn. */
  readonly digest: string;
  readonly stats: Readonly<Record<string, number>>;
  /** What was done to the cluster, in order. */
  readonly faults: readonly string[];
  /** The last that daemons logged. */
  readonly log: readonly string[];
}

export interface Scenario {
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
  readonly virtualSeconds: number;
  run(run: ScenarioRun): Outcome;
}

export interface Report extends Outcome {
  readonly scenario: string;
  readonly seed: number;
  /** The command that runs this again. */
  readonly replay: string;
}

/** A report for people. */
export function printReport(report: Report): string {
  const { scenario, seed, config, violations, unclean, digest, replay, stats } = report;
  const failed = violations.length + unclean.length > 0;
  const lines = [`${scenario}, seed ${seed}: ${failed ? 'FAILED' : 'clean'}, digest ${digest}`];
  lines.push(`config: ${JSON.stringify(config)}`);
  lines.push(
    Object.entries(stats)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  );
  if (failed) {
    lines.push('', 'faults:', ...report.faults, '', 'log:', ...report.log);
    lines.push('', ...violations.map((each) => `violation: ${each}`), ...unclean.map((each) => `unclean: ${each}`));
  }
  return [...lines, '', `replay: ${replay}`].join('\n');
}

export function inSeconds(us: Instant): string {
  return (us / SECOND).toFixed(3);
}
