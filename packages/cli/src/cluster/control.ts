import type { Socket } from 'node:net';
import { connectControl, controlSocketPath } from './folder-lock.ts';
import { UserError } from './user-error.ts';

/** What may be asked over the control socket: one JSON object a line each way. */
export type ControlRequest =
  | { readonly ask: 'status' }
  | { readonly ask: 'kill'; readonly daemon: string; readonly hang: boolean }
  | { readonly ask: 'start'; readonly daemon: string }
  | { readonly ask: 'add-mon'; readonly name?: string }
  | { readonly ask: 'rm-mon'; readonly name: string }
  | { readonly ask: 'wait-healthy' }
  | { readonly ask: 'down' };

type ControlReply = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };

const MAX_LINE = 64 * 1024;

/** Serves one connection to the control socket. */
export function serveControl(socket: Socket, answer: (request: ControlRequest) => Promise<unknown>): void {
  let buffered = '';
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: string) => {
    buffered += chunk;
    if (buffered.length > MAX_LINE) {
      socket.destroy();
      return;
    }
    for (let end = buffered.indexOf('\n'); end >= 0; end = buffered.indexOf('\n')) {
      const line = buffered.slice(0, end);
      buffered = buffered.slice(end + 1);
      void reply(socket, line, answer);
    }
  });
}

async function reply(
  socket: Socket,
  line: string,
  answer: (request: ControlRequest) => Promise<unknown>,
): Promise<void> {
  let outcome: ControlReply;
  try {
    outcome = { ok: true, value: await answer(JSON.parse(line) as ControlRequest) };
  } catch (error) {
    outcome = { ok: false, problem: (error as Error).message };
  }
  if (socket.writable) socket.write(`${JSON.stringify(outcome)}\n`);
}

export function notRunning(dir: string): UserError {
  return new UserError(`No cluster is running in ${dir}. Start one with \`spirula up --dir ${dir}\`.`);
}

/** Whether a cluster runs in `dir`. */
export async function runsCluster(dir: string): Promise<boolean> {
  const socket = await connectControl(controlSocketPath(dir));
  socket?.destroy();
  return socket !== undefined;
}

/**
 * Asks the cluster that runs in `dir`; asked to stop, it has stopped when this returns.
 *
 * @throws UserError when none runs there, or it refuses.
 */
export async function askCluster(dir: string, request: ControlRequest): Promise<unknown> {
  const socket = await connectControl(controlSocketPath(dir));
  if (!socket) throw notRunning(dir);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const line = await new Promise<string>((resolve, reject) => {
    let buffered = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      buffered += chunk;
      if (buffered.includes('\n')) resolve(buffered.slice(0, buffered.indexOf('\n')));
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new UserError(`The cluster in ${dir} stopped before it answered.`)));
    socket.write(`${JSON.stringify(request)}\n`);
  });
  const reply = JSON.parse(line) as ControlReply;
  // A cluster that has stopped closes its connections last.
  if (request.ask === 'down' && reply.ok) await closed;
  socket.destroy();
  if (!reply.ok) throw new UserError(reply.problem);
  return reply.value;
}
