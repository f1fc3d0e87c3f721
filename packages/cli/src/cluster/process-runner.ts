import { type ChildProcess, fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FaultRule } from '@spirula/rgw';
import type { DaemonLoad, Runner, RunningDaemon } from './runner.ts';
import { UserError } from './user-error.ts';

/** What a daemon's process tells its supervisor. */
export type ChildMessage =
  | { readonly tell: 'started' }
  | { readonly tell: 'failed'; readonly problem: string }
  | { readonly tell: 'load'; readonly load: DaemonLoad };

/** Runs every daemon as an OS process: `spirula daemon NAME --dir DIR`. */
export class ProcessRunner implements Runner {
  readonly #dir: string;
  readonly #s3Faults: readonly FaultRule[];

  constructor(dir: string, s3Faults: readonly FaultRule[]) {
    this.#dir = dir;
    this.#s3Faults = s3Faults;
  }

  async start(name: string, onExit: (reason: string) => void): Promise<RunningDaemon> {
    const main = process.argv[1] ?? fileURLToPath(import.meta.url);
    const faults = name.startsWith('rgw.') ? this.#s3Faults : [];
    const flags = faults.flatMap((rule) => ['--s3-fault', JSON.stringify(rule)]);
    const child = fork(main, ['daemon', name, '--dir', this.#dir, ...flags], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // A Ctrl-C on the terminal reaches the supervisor only; it stops its daemons in order.
      detached: true,
    });
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new UserError(`${name} ended with status ${code} before it had started.`)));
      child.on('message', (message: ChildMessage) => {
        if (message.tell === 'started') resolve();
        if (message.tell === 'failed') reject(new UserError(`${name}: ${message.problem}`));
      });
    });
    child.removeAllListeners('exit');
    const exited = new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        onExit(signal ? `ended by ${signal}` : `ended with status ${code}`);
        resolve();
      });
    });
    return new DaemonProcess(child, exited);
  }

  discard(name: string): void {
    rmSync(join(this.#dir, name), { recursive: true, force: true });
  }
}

class DaemonProcess implements RunningDaemon {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  constructor(child: ChildProcess, exited: Promise<void>) {
    this.#child = child;
    this.#exited = exited;
  }

  async terminate(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.#exited;
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  hang(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  load(): Promise<DaemonLoad> {
    return new Promise((resolve) => {
      const onMessage = (message: ChildMessage) => {
        if (message.tell !== 'load') return;
        clearTimeout(timer);
        this.#child.off('message', onMessage);
        resolve(message.load);
      };
      const timer = setTimeout(() => {
        this.#child.off('message', onMessage);
        resolve({
          pid: this.#child.pid ?? 0,
          loopDelayMeanMs: Number.NaN,
          loopDelayP99Ms: Number.NaN,
          longestHandlerMs: Number.NaN,
        });
      }, 1000);
      this.#child.on('message', onMessage);
      this.#child.send('load');
    });
  }
}
