import { fileURLToPath } from 'node:url';
import { PYTHON, runTool } from '../run-tool.ts';
import type { Result } from './normalise.ts';
import { stepOf, type Topic } from './topic.ts';

/** More than all lines of a topic take. */
const TIMEOUT_SECONDS = 900;

/** Sends lines to a driver, a program of Python that answers each with a line of JSON. */
export async function runSteps(
  driver: URL,
  args: readonly string[],
  steps: Topic['steps'],
): Promise<readonly Result[]> {
  const input = JSON.stringify(steps.map(stepOf));
  const words = ['-B', fileURLToPath(driver), ...args];
  const { stdout, stderr } = await runTool(PYTHON, words, { input, timeoutSeconds: TIMEOUT_SECONDS });
  const results = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Result);
  // Whatever the driver came to after the last answer stands where the next should.
  if (results.length < steps.length) results.push({ code: Number.NaN, output: '', status: stderr });
  return results;
}
