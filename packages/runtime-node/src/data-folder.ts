import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { explainStorageError, StorageProblem } from './storage-problem.ts';

/** Raised when an older program would misread the folder. */
const FORMAT = 1;

/**
 * A daemon does not start with less room than this. The key-value store writes through a map of its files, and a write for
 * which there is no room would end the process without a word.
 */
const LEAST_ROOM = 1 << 20;

/** Folders held by daemons of this process. */
const held = new Set<string>();

/** One daemon's folder, held by it alone: a lock file with the holder's process, and whose folder it is. */
export class DataFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Takes the folder `path` for the daemon `owner`; makes it when it is not there.
   *
   * @throws StorageProblem when it is held, unusable, another daemon's, or of another format.
   */
  static take(path: string, owner: string): DataFolder {
    const folder = new DataFolder(resolve(path));
    try {
      mkdirSync(folder.path, { recursive: true });
      folder.#requireRoom();
      folder.#lock();
    } catch (error) {
      throw explainStorageError(error, path);
    }
    try {
      folder.#checkOwner(owner);
    } catch (error) {
      folder.release();
      throw explainStorageError(error, path);
    }
    return folder;
  }

  release(): void {
    held.delete(this.path);
    rmSync(this.#lockPath, { force: true });
  }

  get #lockPath(): string {
    return join(this.path, 'lock');
  }

  #requireRoom(): void {
    const { bavail, bsize } = statfsSync(this.path);
    const room = bavail * bsize;
    if (room >= LEAST_ROOM) return;
    throw new StorageProblem(
      `${this.path}: no space left (${room >> 10} KiB free, ${LEAST_ROOM >> 10} needed). Free some space or choose another folder.`,
    );
  }

  #lock(): void {
    const live = () => new StorageProblem(`${this.path}: another process uses this folder. Stop it first.`);
    if (held.has(this.path)) throw live();
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        const fd = openSync(this.#lockPath, 'wx');
        writeSync(fd, processMark(process.pid));
        closeSync(fd);
        held.add(this.path);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      if (isHeldByLiveProcess(this.#lockPath)) throw live();
      rmSync(this.#lockPath, { force: true });
    }
    throw live();
  }

  #checkOwner(owner: string): void {
    const path = join(this.path, 'owner.json');
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      writeFileSync(path, `${JSON.stringify({ format: FORMAT, owner })}\n`);
      return;
    }
    const found = parseOwner(text);
    if (found.format !== FORMAT) {
      throw new StorageProblem(
        `${this.path}: written in format ${found.format}, this version reads format ${FORMAT}. Use the version that wrote it.`,
      );
    }
    if (found.owner !== owner) {
      throw new StorageProblem(`${this.path}: belongs to ${found.owner}, not ${owner}. Choose another folder.`);
    }
  }
}

/** What a damaged file lacks is said to be `unknown`. */
function parseOwner(text: string): { readonly format: unknown; readonly owner: unknown } {
  try {
    const { format = 'unknown', owner = 'unknown' } = JSON.parse(text);
    return { format, owner };
  } catch {
    return { format: 'unknown', owner: 'unknown' };
  }
}

/** A process and when it started: a number alone may be another process's by now. */
function processMark(pid: number): string {
  let started = '';
  try {
    // Field 22 of /proc/pid/stat, counted after the name in parentheses, which may hold spaces.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    // Not Linux: the number must do.
  }
  return `${pid} ${started}`;
}

function isHeldByLiveProcess(lockPath: string): boolean {
  let mark: string;
  try {
    mark = readFileSync(lockPath, 'utf8');
  } catch {
    return false;
  }
  const pid = Number(mark.split(' ')[0]);
  // This process holds what it has in `held`: a lock with its number that is not there was left by a daemon that crashed.
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return processMark(pid) === mark;
}
