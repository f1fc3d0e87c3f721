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

/** Ceph's, told to log nothing: what it logs stands among what it says. */
export function runCephs(argv: readonly string[], input?: Uint8Array): Promise<ToolResult> {
  const env = { ...process.env, CEPH_ARGS: '--log_to_stderr=false --err_to_stderr=false' };
  return runTool('crushtool', argv, input === undefined ? { env } : { env, input });
}
