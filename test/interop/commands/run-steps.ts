import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Result } from './normalise.ts';
import { stepOf, type Topic } from './topic.ts';

/** The one that goes with the distribution's librados and librbd, whatever other Python is installed. */
export const PYTHON = '/usr/bin/python3';

/** Sends lines to a driver, a program of Python that answers each with a line of JSON. */
export async function runSteps(
  driver: URL,
  args: readonly string[],
  steps: Topic['steps'],
): Promise<readonly Result[]> {
  const child = spawn(PYTHON, ['-B', fileURLToPath(driver), ...args], { stdio: 'pipe' });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  child.stdin.end(JSON.stringify(steps.map(stepOf)));
  await new Promise((resolve) => child.once('close', resolve));
  const results = output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Result);
  // Whatever the driver came to after the last answer stands where the next should.
  if (results.length < steps.length) results.push({ code: Number.NaN, output: '', status: errors });
  return results;
}
