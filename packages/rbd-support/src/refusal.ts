/** What commands are refused with, in the words of the Python bindings (rbd.pyx, rados.pyx, errors by their class). */
import { Errno } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';

/** Answered as it is. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** Negative errno. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Another manager is the active one, or this one does not know yet what the pools keep. */
export function notReady(): Refusal {
  return new Refusal(Errno.EAGAIN, 'rbd_support module is not ready, try again');
}

/** A line, or a part of one, that means nothing: a ValueError of Python's. */
export function invalid(message: string): Refusal {
  return new Refusal(Errno.EINVAL, message);
}

const OF_IMAGES: ReadonlyMap<number, string> = new Map([
  [Errno.EPERM, 'RBD permission error'],
  [Errno.ENOENT, 'RBD image not found'],
  [Errno.EEXIST, 'RBD image already exists'],
  [Errno.EINVAL, 'RBD invalid argument'],
  [Errno.EROFS, 'RBD read-only image'],
  [Errno.EBUSY, 'RBD image is busy'],
  [Errno.ENOTEMPTY, 'RBD image has snapshots'],
  [Errno.EDOM, 'RBD function not supported'],
  [Errno.ESHUTDOWN, 'RBD connection was shutdown'],
  [Errno.ETIMEDOUT, 'RBD operation timeout'],
  [Errno.EDQUOT, 'RBD disk quota exceeded'],
  [Errno.EOPNOTSUPP, 'RBD operation not supported'],
  [Errno.ECANCELED, 'RBD operation canceled'],
]);

/** `[errno 16] RBD image is busy (error removing image)` */
export function imageErrorText(code: number, what: string): string {
  return `[errno ${-code}] ${OF_IMAGES.get(code) ?? 'RBD error'} (${what})`;
}

export function imageRefusal(code: number, what: string): Refusal {
  return new Refusal(code, imageErrorText(code, what));
}

export function noPool(pool: string): Refusal {
  return new Refusal(Errno.ENOENT, `[errno 2] RADOS object not found (error opening pool '${pool}')`);
}

/** What it resolves to; undefined where the cluster says that there is no such thing. @throws what else it rejects with */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.ENOENT) return undefined;
    throw error;
  }
}
