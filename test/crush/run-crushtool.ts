/** Runs crushtool, ours in this process and Ceph's beside it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { crushtool } from '../../packages/cli/src/crushtool.ts';
import { runTool, type ToolResult } from '../interop/run-tool.ts';

/** Ours. `input` is what stands on standard input; without it, that is a terminal. */
export function runOurs(argv: readonly string[], input?: Uint8Array): ToolResult {
  let stdout = '';
  let stderr = '';
  const status = crushtool(argv, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    readFile: (path) => readFileSync(path),
    readStdin: () => input ?? new Uint8Array(0),
    stdinIsTerminal: input === undefined,
    writeFile: writeFileSync,
  });
  return { status, stdout, stderr };
}

/** Ceph's, without what it logs: lines that begin with a time, in the midst of others. */
export async function runCephs(argv: readonly string[], input?: Uint8Array): Promise<ToolResult> {
  const { status, stdout, stderr } = await runTool('crushtool', argv, input === undefined ? {} : { input });
  return { status, stdout, stderr: withoutLog(stderr) };
}

function withoutLog(stderr: string): string {
  return stderr.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+\+0000 [0-9a-f]+ +-?\d+ [^\n]*\n\n?/g, '');
}
