/** `spirula sim shell`: the shell over a simulated run, at a terminal or over lines that are piped in. */
import { createInterface } from 'node:readline/promises';
import { drawScenario, inSeconds, Lab, NoCluster } from '@spirula/sim-scenarios';
import { UserError } from '../cluster/user-error.ts';
import { loadScenario } from '../sim/load-scenario.ts';
import { parseSpan } from '../sim/seed-range.ts';
import { SimShell } from '../sim/shell/sim-shell.ts';

export interface SimShellOptions {
  readonly seed?: number;
  readonly until?: string;
  /** Commands apart by `;`, instead of those that are typed. */
  readonly exec?: string;
}

/** Work of so long shows how far it is. */
const PROGRESS_MS = 500;

/** Returns 1 when a command fails that nobody typed. */
export async function runShell(source: string, { seed: given, until, exec }: SimShellOptions): Promise<number> {
  const scenario = await loadScenario(source);
  const seed = given ?? drawScenario({ scenario, seed: 1 }).seed ?? 1;
  const virtualSeconds = until === undefined ? undefined : parseSpan(until, '--until');
  const spec = drawScenario({ scenario, seed, ...(virtualSeconds !== undefined && { virtualSeconds }) });
  const progress = new Progress();
  let shell: SimShell;
  try {
    shell = new SimShell({
      scenario,
      seed,
      makeLab: () => new Lab(spec, seed),
      print: (text) => {
        progress.clear();
        process.stdout.write(`${text}\n`);
      },
      onProgress: (at, isReplay) => progress.show(`${isReplay ? 'again' : 'at'} ${inSeconds(at)} s`),
    });
  } catch (error) {
    if (error instanceof NoCluster) throw new UserError(`The cluster does not come up: ${error.message}`);
    throw error;
  }
  if (exec !== undefined) return await runAll(shell, exec.split(';'), true);
  if (!process.stdin.isTTY) return await runAll(shell, createInterface({ input: process.stdin }), false);
  console.log(
    `${scenario.name}, seed ${seed}: the cluster is up and clean; ${shell.place}. "help" lists the commands.`,
  );
  return await converse(shell, progress);
}

async function runAll(
  shell: SimShell,
  lines: Iterable<string> | AsyncIterable<string>,
  echo: boolean,
): Promise<number> {
  for await (const line of lines) {
    if (echo) console.log(`> ${line.trim()}`);
    if (!(await shell.execute(line))) return 1;
    if (shell.isOver) break;
  }
  return 0;
}

/** Ctrl-C interrupts what is under way, at the prompt it ends; Ctrl-D ends. */
async function converse(shell: SimShell, progress: Progress): Promise<number> {
  const terminal = createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt: '> ',
    completer: (line: string) => shell.complete(line),
    historySize: 1000,
  });
  let isBusy = false;
  terminal.on('SIGINT', () => {
    if (isBusy) progress.interrupt();
    else terminal.close();
  });
  terminal.prompt();
  for await (const line of terminal) {
    isBusy = true;
    await shell.execute(line);
    progress.clear();
    isBusy = false;
    if (shell.isOver) break;
    terminal.prompt();
  }
  terminal.close();
  return 0;
}

/** How far a long run is, on standard error, when that is a terminal. */
class Progress {
  #shownAt = performance.now();
  #isShown = false;
  #interrupted = false;

  interrupt(): void {
    this.#interrupted = true;
  }

  /** Lets the host breathe now and then; true when somebody interrupts. */
  async show(text: string): Promise<boolean> {
    if (performance.now() - this.#shownAt >= PROGRESS_MS) {
      this.#shownAt = performance.now();
      if (process.stderr.isTTY) {
        process.stderr.write(`\r${text}\x1b[K`);
        this.#isShown = true;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    const interrupted = this.#interrupted;
    this.#interrupted = false;
    return interrupted;
  }

  clear(): void {
    if (this.#isShown) process.stderr.write('\r\x1b[K');
    this.#isShown = false;
    this.#shownAt = performance.now();
  }
}
