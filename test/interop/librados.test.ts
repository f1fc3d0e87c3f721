/** The same librados programs against a real Ceph 16.2 cluster and against ours: what they print is the same. */
import { fileURLToPath } from 'node:url';
import { startCluster } from '@spirula/cli';
import { beforeAll, describe, expect, test } from 'vitest';
import { runSteps } from './commands/run-steps.ts';
import { knownDifferences, programs } from './librados/known-differences.ts';
import { missingTools, startRealCeph } from './real-ceph.ts';
import { PYTHON, runTool } from './run-tool.ts';

const COMMANDS = new URL('./commands/driver.py', import.meta.url);
const PROGRAM_TIMEOUT_SECONDS = 300;
const SETUP_TIMEOUT_MS = 1_800_000;
const missing = missingTools(['ceph-mon', 'ceph-osd', 'ceph-mgr', 'ceph', 'monmaptool', PYTHON]);

/** What the steps of a program came to, by their names, in the order they ran. */
type Steps = ReadonlyMap<string, string>;

describe.skipIf(missing.length > 0)(
  `librados programs (skipped when not installed: ${missing.join(' ') || 'none'})`,
  () => {
    const theirs = new Map<string, Steps>();
    const ours = new Map<string, Steps>();

    beforeAll(async () => {
      const onReal = async () => {
        const real = await startRealCeph({ osds: 3, portBase: 27_400, store: 'bluestore' });
        try {
          await runPrograms(real.confPath, theirs);
        } finally {
          await real.stop();
        }
      };
      const onOurs = async () => {
        const cluster = await startCluster({ osds: 3, store: 'disk', auth: 'none' });
        try {
          await runPrograms(cluster.cephConf, ours);
        } finally {
          await cluster.stop();
        }
      };
      await Promise.all([onReal(), onOurs()]);
    }, SETUP_TIMEOUT_MS);

    test.each(programs)('%s gives what it gives on Ceph, but for the known differences', (program) => {
      const known = knownDifferences.filter((each) => each.program === program);
      const isKnown = (name: string) => known.some(({ steps }) => steps.some((step) => matches(step, name)));
      const without = (steps: Steps | undefined) =>
        Object.fromEntries([...(steps ?? [])].filter(([name]) => !isKnown(name)));

      expect(without(ours.get(program))).toEqual(without(theirs.get(program)));
    });

    const entries = knownDifferences.flatMap(({ program, steps, reason }) =>
      steps.map((step) => ({ program, step, reason })),
    );

    test.skipIf(entries.length === 0)('each known difference is still one: those listed here are to be removed', () => {
      const same = entries.filter(({ program, step }) => {
        const names = [...(theirs.get(program)?.keys() ?? [])].filter((name) => matches(step, name));
        return names.every((name) => ours.get(program)?.get(name) === theirs.get(program)?.get(name));
      });

      expect(same).toEqual([]);
    });
  },
);

/** A step of the table stands for itself, or, with a star at its end, for all that begin like it. */
function matches(step: string, name: string): boolean {
  return step.endsWith('*') ? name.startsWith(step.slice(0, -1)) : name === step;
}

/** Each program in a pool of its own, so that listings and counts show nothing of the others. */
async function runPrograms(confPath: string, results: Map<string, Steps>): Promise<void> {
  const lines = programs.map((program) => `osd pool create ${program} 8`);
  const made = await runSteps(COMMANDS, [confPath], lines);
  for (const [i, line] of lines.entries()) expect(made[i], line).toMatchObject({ code: 0 });
  for (const program of programs) results.set(program, await runProgram(program, confPath));
}

async function runProgram(program: string, confPath: string): Promise<Steps> {
  const path = fileURLToPath(new URL(`./librados/${program}.py`, import.meta.url));
  // -B: no compiled files beside the sources.
  const result = await runTool(PYTHON, ['-B', path, confPath, program], { timeoutSeconds: PROGRAM_TIMEOUT_SECONDS });
  const lines = result.stdout.split('\n').filter((line) => line !== '');
  const steps = new Map(lines.map((line) => splitLine(line)));
  if (result.status !== 0) steps.set('the program itself', `ends with ${result.status}: ${result.stderr.trim()}`);
  return steps;
}

function splitLine(line: string): [name: string, result: string] {
  const at = line.indexOf(': ');
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 2)];
}
