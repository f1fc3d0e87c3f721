/** Pools that the tools work in, and what objects they hold, as the driver of `test/interop/rbd` tells of them. */
import { fileURLToPath } from 'node:url';
import { PYTHON, runTool } from '../run-tool.ts';

const TIMEOUT_SECONDS = 120;
const DRIVER = fileURLToPath(new URL('../rbd/driver.py', import.meta.url));

/** Makes a pool of this number. @throws Error */
export async function startPool(confPath: string, pool: string, number: number): Promise<void> {
  await drive(confPath, pool, [`number-pools-from ${number}`, 'ceph osd pool create POOL 8', 'rbd pool init POOL']);
}

/** Before the first line, in seconds since 1970: what is later is a time in the state of a pool. */
const BEGAN = Math.floor(Date.now() / 1000);

/** @param place POOL[/NAMESPACE] */
export async function poolState(confPath: string, place: string): Promise<string> {
  const [pool = ''] = place.split('/');
  // What ids stand for is learnt after a line.
  const [, state] = await drive(confPath, pool, [`state ${place}`, `state ${place}`]);
  return state!;
}

async function drive(confPath: string, pool: string, lines: readonly string[]): Promise<readonly string[]> {
  const input = JSON.stringify(lines.map((line) => ({ line })));
  const words = ['-B', DRIVER, confPath, pool, String(BEGAN)];
  const { stdout, stderr } = await runTool(PYTHON, words, { input, timeoutSeconds: TIMEOUT_SECONDS });
  const results = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map(
      (line) => JSON.parse(line) as { readonly code: number | null; readonly output: string; readonly status: string },
    );
  const failed = results.find(({ code }) => code !== 0);
  if (failed || results.length < lines.length)
    throw new Error(`${lines.join(', ')}: ${failed?.status ?? ''} ${stderr}`);
  return results.map((result) => result.output);
}
