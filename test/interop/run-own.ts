import { tmpdir } from 'node:os';
import type { ToolEnvironment } from '../../packages/cli/src/ceph/environment.ts';
import type { ToolResult } from './run-tool.ts';

/** Runs one of our tools to its end, in this process: a program of its own takes longer to start than most of its lines to be done. */
export async function runOwn(
  tool: (argv: readonly string[], env: ToolEnvironment) => Promise<number>,
  argv: readonly string[],
  // The conf says where the cluster is.
  dir = tmpdir(),
): Promise<ToolResult> {
  let stdout = '';
  let stderr = '';
  const env = {
    stdout: (text: string | Uint8Array) => void (stdout += Buffer.from(text).toString('latin1')),
    stderr: (text: string) => void (stderr += text),
    dir,
  };
  const status = await tool(argv, env);
  return { status, stdout, stderr };
}
