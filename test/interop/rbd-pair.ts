/** Debian's `rbd` and ours, on one cluster. */
import { rbd } from '../../packages/cli/src/rbd.ts';
import type { ImageCluster } from './rbd-clusters.ts';
import { runOwn } from './run-own.ts';
import { runTool, type ToolResult } from './run-tool.ts';

export interface RbdPair {
  /** Debian's. */
  theirs(...words: readonly string[]): Promise<ToolResult>;
  ours(...words: readonly string[]): Promise<ToolResult>;
}

/** Debian's does not log into what it says. */
const QUIET = ['--log-to-stderr=false', '--err-to-stderr=false'];

const MAX_TRIES = 3;
/** Verbs that change nothing. */
const READING: ReadonlySet<string> = new Set(['diff', 'du', 'info', 'ls']);

/** What both say, of progress only how it ended. */
export function rbdPair(cluster: ImageCluster, dir: string): RbdPair {
  return {
    theirs: async (...words) => {
      for (let tries = 1; ; tries++) {
        const said = await runTool('rbd', ['-c', cluster.conf, ...QUIET, ...words], { timeoutSeconds: 60 });
        // It has races of its own, in which it aborts.
        const isRepeatable = said.status === null && READING.has(words[0] ?? '') && tries < MAX_TRIES;
        if (!isRepeatable) return comparable(said);
      }
    },
    ours: async (...words) => comparable(await runOwn(rbd, ['-c', cluster.conf, ...words], dir)),
  };
}

function comparable({ status, stdout, stderr }: ToolResult): ToolResult {
  return { status, stdout, stderr: stderr.replace(/[^\n]*\r(?!\n)/g, '') };
}
