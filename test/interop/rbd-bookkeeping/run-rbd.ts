/** One line, by Debian's `rbd` or by ours. */
import { rbd } from '../../../packages/cli/src/rbd.ts';
import type { ImageCluster } from '../rbd-clusters.ts';
import { runOwn } from '../run-own.ts';
import { runTool, type ToolResult } from '../run-tool.ts';
import { maskText } from './lines.ts';

export type Tool = 'theirs' | 'ours';

/** What the library logs is not part of what the tool says. */
const QUIET = { ...process.env, CEPH_ARGS: '--log_to_stderr=false --err_to_stderr=false' };

export async function runRbd(cluster: ImageCluster, tool: Tool, words: readonly string[]): Promise<ToolResult> {
  const line = ['-c', cluster.conf, ...words];
  if (tool === 'theirs') return await runTool('rbd', line, { timeoutSeconds: 60, env: QUIET });
  return await runOwn(rbd, line);
}

export function masked({ status, stdout, stderr }: ToolResult): ToolResult {
  return { status, stdout: maskText(stdout), stderr: maskText(stderr) };
}
