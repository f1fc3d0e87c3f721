/** What a scenario is, and what comes of running one. */
import type { Instant } from '@spirula/world';
import type { Finding } from './expectations.ts';
import type { FaultPlan } from './faults/plan.ts';
import type { ScenarioSpec } from './spec.ts';

export interface Scenario {
  readonly name: string;
  /** What `sim run` takes to run it: its name, or the path of its file. */
  readonly source: string;
  /** One line for people. */
  readonly summary: string;
  /** Whether the seed draws cluster and misfortune: worth running under very many. */
  readonly isDrawn: boolean;
  /** What the seed makes of the cluster and of its misfortune. */
  draw(seed: number): ScenarioSpec;
}

export interface Outcome {
  /** What the seed drew. */
  readonly config: ScenarioSpec;
  /** What must never happen and did: safety. The run ends at the first. */
  readonly violations: readonly string[];
  /** What did not come right again after faults stopped: liveness. */
  readonly unclean: readonly string[];
  /** What was expected, and what came. */
  readonly findings: readonly Finding[];
  /** Hash of every event delivered and random number drawn. */
  readonly digest: string;
  readonly stats: Readonly<Record<string, number>>;
  /** What was done to the cluster, in order: for people, and to be played again. */
  readonly faults: readonly string[];
  readonly script: readonly FaultPlan[];
  /** From when faults could begin to the end of the run, or to the violation that ended it; in microseconds. */
  readonly lastedUs: Instant;
  /** The last that daemons logged. */
  readonly log: readonly string[];
}

export interface Report extends Outcome {
  readonly scenario: string;
  readonly seed: number;
  /** The command that runs this again. */
  readonly replay: string;
}

/** What went wrong, a sentence each; empty when all is well. */
export function problemsOf({ violations, unclean, findings }: Outcome): string[] {
  return [
    ...violations.map((each) => `violation: ${each}`),
    ...unclean.map((each) => `unclean: ${each}`),
    ...findings.filter(({ met }) => !met).map(({ text }) => `not as expected: ${text}`),
  ];
}

/** A report for people. */
export function printReport(report: Report): string {
  const { scenario, seed, config, findings, digest, replay, stats } = report;
  const problems = problemsOf(report);
  const lines = [`${scenario}, seed ${seed}: ${problems.length > 0 ? 'FAILED' : 'clean'}, digest ${digest}`];
  lines.push(`config: ${JSON.stringify(config)}`);
  lines.push(
    Object.entries(stats)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  );
  lines.push(...findings.map(({ met, text }) => `${met ? 'as expected' : 'NOT as expected'}: ${text}`));
  if (problems.length > 0) lines.push('', 'faults:', ...report.faults, '', 'log:', ...report.log, '', ...problems);
  return [...lines, '', `replay: ${replay}`].join('\n');
}
