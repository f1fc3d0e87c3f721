/**
 * Runs programs for `run-tool.ts`, in a small process of its own: who forks has its page tables copied, and each page that it writes
 * next. For a process that holds a whole cluster that takes longer than most of the programs run.
 */
import { spawn } from 'node:child_process';

const running = new Set();

process.on('message', ({ id, program, args, input, timeoutSeconds, env, cwd }) => {
  const child = spawn(program, args, { stdio: 'pipe', env, cwd });
  running.add(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutSeconds * 1000);
  const [stdout, stderr] = [[], []];
  child.stdout.on('data', (chunk) => stdout.push(chunk));
  child.stderr.on('data', (chunk) => stderr.push(chunk));
  const answer = (result) => {
    clearTimeout(timer);
    // A program that is not there closes as well.
    if (running.delete(child)) process.send({ id, ...result });
  };
  child.once('error', (error) => answer({ error }));
  child.once('close', (status) => answer({ status, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) }));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
});

process.on('disconnect', () => {
  for (const child of running) child.kill('SIGKILL');
  process.exit();
});
