import type { RawString } from '@spirula/encoding';
import type { IoCtx } from '@spirula/rados';
import { askIfThere, type ClassCall } from './class-calls.ts';

/** Entries asked for at a time (RBD_MAX_KEYS_READ …). */
const PAGE = 1024;

/**
 * All of a list that is told in pages; an object that is not there has none.
 *
 * @param call asks for what follows `after`, which is undefined at first, and for no more than so many
 * @throws RadosError
 */
export async function readPages<T>(
  io: IoCtx,
  oid: RawString,
  call: (after: T | undefined, max: number) => ClassCall<readonly T[]>,
): Promise<readonly T[]> {
  const all: T[] = [];
  for (;;) {
    const page = await askIfThere(io, oid, call(all.at(-1), PAGE));
    all.push(...(page ?? []));
    if (page === undefined || page.length < PAGE) return all;
  }
}
