import { constants } from 'node:os';

const names = new Map(Object.entries(constants.errno).map(([name, code]) => [code as number, name]));
// The C library has two names for these; Ceph's tools print these ones.
names.set(constants.errno.EAGAIN, 'EAGAIN').set(constants.errno.EOPNOTSUPP, 'EOPNOTSUPP');

/** glibc's words for the errors that clients meet. */
const TEXTS: Readonly<Record<string, string>> = {
  EPERM: 'Operation not permitted',
  ENOENT: 'No such file or directory',
  EIO: 'Input/output error',
  E2BIG: 'Argument list too long',
  EAGAIN: 'Resource temporarily unavailable',
  EACCES: 'Permission denied',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  EISDIR: 'Is a directory',
  EINVAL: 'Invalid argument',
  EFBIG: 'File too large',
  EMLINK: 'Too many links',
  EROFS: 'Read-only file system',
  ENOTEMPTY: 'Directory not empty',
  EXDEV: 'Invalid cross-device link',
  ENOSYS: 'Function not implemented',
  EUCLEAN: 'Structure needs cleaning',
  EBADF: 'Bad file descriptor',
  ESTALE: 'Stale file handle',
  ECHILD: 'No child processes',
  ENOSPC: 'No space left on device',
  ERANGE: 'Numerical result out of range',
  ENAMETOOLONG: 'File name too long',
  ENODATA: 'No data available',
  EOVERFLOW: 'Value too large for defined data type',
  EOPNOTSUPP: 'Operation not supported',
  ESHUTDOWN: 'Cannot send after transport endpoint shutdown',
  ENOTCONN: 'Transport endpoint is not connected',
  ETIMEDOUT: 'Connection timed out',
  EDQUOT: 'Disk quota exceeded',
  ECANCELED: 'Operation canceled',
  EBADMSG: 'Bad message',
  EDOM: 'Numerical argument out of domain',
  ENODEV: 'No such device',
  ENOTTY: 'Inappropriate ioctl for device',
};

/** `ENOENT` of 2 or -2; `Unknown` of what the system does not know. */
export function errnoName(code: number): string {
  return names.get(Math.abs(code)) ?? 'Unknown';
}

/** `(2) No such file or directory`, as cpp_strerror prints it. */
export function describeErrno(code: number): string {
  const number = Math.abs(code);
  return `(${number}) ${TEXTS[errnoName(number)] ?? `Unknown error ${number}`}`;
}
