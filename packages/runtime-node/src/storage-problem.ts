import { DeviceError } from '@spirula/world';

/** The disk will not do what a daemon needs. The message is one line for people: what, where, and the next step. */
export class StorageProblem extends Error {
  override readonly name = 'StorageProblem';
}

/** errno EIO and ENOSPC. */
const EIO = -5;
const ENOSPC = -28;

/** The disk refused something at `path`, in the form daemons get; undefined for an error that is not the disk's. */
export function toDeviceError(error: unknown, path: string): DeviceError | undefined {
  if (error instanceof DeviceError) return error;
  const problem = explainStorageError(error, path);
  if (!(problem instanceof StorageProblem)) return undefined;
  const { errno, message } = error as NodeJS.ErrnoException;
  return new DeviceError(message.includes('No space left') ? ENOSPC : (errno ?? EIO), problem.message);
}

/** Says what the system's refusal of `path` means; an error that is not of the system is passed on as it is. */
export function explainStorageError(error: unknown, path: string): Error {
  if (error instanceof StorageProblem) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  // LMDB says it in words only.
  switch (message?.includes('No space left') ? 'ENOSPC' : code) {
    case 'EACCES':
    case 'EPERM':
      return new StorageProblem(`${path}: permission denied. Choose a folder you may write to.`);
    case 'EROFS':
      return new StorageProblem(`${path}: the file system is read-only. Choose another folder.`);
    case 'ENOSPC':
    case 'EDQUOT':
      return new StorageProblem(`${path}: no space left. Free some space or choose another folder.`);
    case 'ENOTDIR':
      return new StorageProblem(`${path}: not a folder. Choose another.`);
    case 'EIO':
      return new StorageProblem(`${path}: the disk reports an error. Check it, then start the daemon on another.`);
    default:
      return error instanceof Error ? error : new Error(String(error));
  }
}
