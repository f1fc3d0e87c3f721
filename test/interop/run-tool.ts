import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ToolResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  readonly input?: Uint8Array | string;
  readonly timeoutSeconds?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** The one that goes with the distribution's librados and librbd, whatever other Python is installed. */
export const PYTHON = '/usr/bin/python3';

const RUNNER = fileURLToPath(new URL('../../test/interop/tool-runner.mjs', import.meta.url));

type Answer =
  | { readonly id: number; readonly error: Error }
  | { readonly id: number; readonly status: number | null; readonly stdout: Uint8Array; readonly stderr: Uint8Array };

/** The process that runs what this one is asked to run, and the runs that it has not answered yet. */
class ToolRunner {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  constructor() {
    this.#child = fork(RUNNER, [], {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (answer: Answer) => {
      this.#waiting.get(answer.id)!(answer);
      this.#waiting.delete(answer.id);
      if (this.#waiting.size === 0) this.#child.channel!.unref();
    });
    this.#child.once('exit', () => {
      for (const [id, answer] of this.#waiting) answer({ id, error: new Error('the runner of tools has ended') });
    });
    // It ends with this process, which does not wait for it.
    this.#child.unref();
  }

  run(program: string, args: readonly string[], options: ToolOptions): Promise<Answer> {
    const id = ++this.#lastId;
    const { input, timeoutSeconds = 20, env = process.env, cwd = process.cwd() } = options;
    this.#child.channel!.ref();
    this.#child.send({ id, program, args, input, timeoutSeconds, env: { ...env }, cwd });
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
    });
  }
}

let runner: ToolRunner | undefined;

/** Runs a program to its end; one that takes longer than `timeoutSeconds` is killed and has status null. */
export async function runTool(
  program: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<ToolResult> {
  runner ??= new ToolRunner();
  const answer = await runner.run(program, args, options);
  if ('error' in answer) throw answer.error;
  const { status, stdout, stderr } = answer;
  return { status, stdout: Buffer.from(stdout).toString('latin1'), stderr: Buffer.from(stderr).toString('utf8') };
}
