/** Debian's `rbd` and ours, on one cluster. */
import { rbd } from '../../packages/cli/src/rbd.ts';
import { type ImageCluster, realRbd } from './rbd-clusters.ts';
import type { ToolResult } from './run-tool.ts';

export interface RbdPair {
  /** Debian's. */
  theirs(...words: readonly string[]): Promise<ToolResult>;
  ours(...words: readonly string[]): Promise<ToolResult>;
}

/** Debian's does not log into what it says. */
const QUIET = ['--log-to-stderr=false', '--err-to-stderr=false'];

const MAX_TRIES = 3;

/** What both say, of progress only how it ended. */
export function rbdPair(cluster: ImageCluster, dir: string): RbdPair {
  return {
    theirs: async (...words) => {
      let said = await realRbd(cluster, ...QUIET, ...words);
      // It has races of its own, in which it aborts.
      for (let tries = 1; said.status === null && tries < MAX_TRIES; tries++) {
        said = await realRbd(cluster, ...QUIET, ...words);
      }
      return comparable(said);
    },
    ours: async (...words) => {
      let stdout = '';
      let stderr = '';
      const env = {
        stdout: (text: string | Uint8Array) => void (stdout += Buffer.from(text).toString('latin1')),
        stderr: (text: string) => void (stderr += text),
        dir,
      };
      const status = await rbd(['-c', cluster.conf, ...words], env);
      return comparable({ status, stdout, stderr });
    },
  };
}

function comparable({ status, stdout, stderr }: ToolResult): ToolResult {
  return { status, stdout, stderr: stderr.replace(/[^\n]*\r(?!\n)/g, '') };
}
