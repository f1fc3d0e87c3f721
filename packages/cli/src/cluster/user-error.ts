/** Something the user can mend. The message is one line: what is wrong, where, and the next step. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** Turns what the file system or network said of `what` into a `UserError`; anything else is passed on as it is. */
export function explainSystemError(error: unknown, what: string): Error {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return new UserError(`${what}: permission denied. Choose a folder you may write to with --dir.`);
    case 'EROFS':
      return new UserError(`${what}: the file system is read-only. Choose another folder with --dir.`);
    case 'ENOSPC':
    case 'EDQUOT':
      return new UserError(`${what}: no space left. Free some space or choose another folder with --dir.`);
    case 'ENOTDIR':
    case 'EEXIST':
      return new UserError(`${what}: not a folder. Choose another with --dir.`);
    case 'EADDRINUSE':
      return new UserError(`${what}: the port is in use. Stop what uses it or choose others with --port-base.`);
    default:
      return error instanceof Error ? error : new Error(String(error));
  }
}
