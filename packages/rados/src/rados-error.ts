import { Errno } from '@spirula/encoding';

const names = new Map<number, string>(Object.entries(Errno).map(([name, code]) => [code, name]));

/** What an operation was answered with. `code` is a negative errno of Ceph's. */
export class RadosError extends Error {
  override readonly name = 'RadosError';
  readonly code: number;

  constructor(code: number, what: string) {
    super(`${what}: ${names.get(code) ?? `error ${code}`}`);
    this.code = code;
  }
}
