import { existsSync, linkSync, mkdirSync, renameSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { explainSystemError, UserError } from './user-error.ts';

/** Longest path a unix socket may have here. */
const MAX_SOCKET_PATH = 100;

/** Where a folder's cluster is controlled. */
export function controlSocketPath(dir: string): string {
  const path = join(dir, 'control.sock');
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw new UserError(`${path}: too long for a socket (${MAX_SOCKET_PATH} bytes at most). Choose a shorter --dir.`);
  }
  return path;
}

/** Connects to a live cluster's control socket; undefined when nobody answers there. */
export function connectControl(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}

/**
 * Takes the folder: listens on its control socket, which is also its lock. A socket file that nobody answers on is left
 * over from a crash and is replaced.
 *
 * @throws UserError when a live cluster holds the folder, or it cannot be written.
 */
export async function lockFolder(dir: string, onConnection: (socket: Socket) => void): Promise<Server> {
  const path = controlSocketPath(dir);
  const own = join(dir, `.control.${process.pid}.sock`);
  makeFolder(dir);
  try {
    removeSocket(own);
  } catch (error) {
    throw explainSystemError(error, dir);
  }
  const server = createServer(onConnection);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explainSystemError(error, dir)));
    server.listen(own, resolve);
  });
  try {
    await claim(path, own, dir);
  } catch (error) {
    server.close();
    throw error;
  } finally {
    removeSocket(own);
  }
  return server;
}

/**
 * Removes a socket file, if it is there. Not by `rmSync`, which looks at the file first: when a socket was the last file
 * that Node looked at, it does not follow symbolic links in the next import (fs.realpathSync of Node 20).
 */
export function removeSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/**
 * Makes the folder `dir` and those above it, where they are missing. Step by step: on some file systems, such as /proc, Node's
 * own recursive way never returns.
 *
 * @throws UserError when it cannot be made.
 */
export function makeFolder(dir: string): void {
  if (existsSync(dir)) return;
  makeFolder(dirname(dir));
  try {
    mkdirSync(dir);
  } catch (error) {
    if (existsSync(dir)) return;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new UserError(`${dir}: no folder can be made there. Choose another with --dir.`);
    }
    throw explainSystemError(error, dir);
  }
}

async function claim(path: string, own: string, dir: string): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      linkSync(own, path);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw explainSystemError(error, dir);
    }
    await refuseLive(path, dir);
    const stale = join(dir, `.control.${process.pid}.stale`);
    try {
      renameSync(path, stale);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      throw explainSystemError(error, dir);
    }
    try {
      // Another may have claimed the folder since: what was taken away is its name.
      await refuseLive(stale, dir);
    } catch (error) {
      if (!existsSync(path)) linkSync(stale, path);
      throw error;
    } finally {
      removeSocket(stale);
    }
  }
  throw new UserError(`${dir}: another spirula is starting there at this moment. Try again.`);
}

async function refuseLive(path: string, dir: string): Promise<void> {
  const live = await connectControl(path);
  if (live === undefined) return;
  live.destroy();
  throw new UserError(
    `A cluster is running in ${dir} already. \`spirula status\` shows it, \`spirula down\` stops it.`,
  );
}
