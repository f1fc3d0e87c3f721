import { describeErrno } from '../ceph/errno-text.ts';

/** `(2) No such file or directory`, of an error of Node's. */
export function systemComplaint(error: unknown): string {
  const { errno } = error as { errno?: number };
  if (errno === undefined) throw error;
  return describeErrno(errno);
}
