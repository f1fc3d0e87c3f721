import { UserError } from '../../cluster/user-error.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'part of the path is not a folder',
  ENOSPC: 'no space left',
  EDQUOT: 'no space left',
  EROFS: 'the file system is read-only',
  EIO: 'the disk has an error there',
};

/** What the file system says of a file, as a sentence to a user; anything else is passed on as it is. */
export function explainFileError(error: unknown, path: string): Error {
  const reason = REASONS[(error as NodeJS.ErrnoException).code ?? ''];
  if (reason !== undefined) return new UserError(`${path}: ${reason}.`);
  return error instanceof Error ? error : new Error(String(error));
}
