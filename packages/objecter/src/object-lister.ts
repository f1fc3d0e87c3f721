import { Decoder, Encoder, Errno, MalformedInput, type PoolId, type RawString } from '@spirula/encoding';
import { decodeHObject, encodeHObject, type HObject, MIN_HOBJECT, reverseBits } from '@spirula/maps';
import { NOSNAP, OsdFlag, pgnlsOp } from '@spirula/messages';
import type { Objecter } from './objecter.ts';

/** The namespace that stands for all (LIBRADOS_ALL_NSPACES). */
export const ALL_NAMESPACES: RawString = '\x01';

export interface ListedObject {
  readonly nspace: RawString;
  readonly oid: RawString;
  /** Locator key; empty when the name decides placement. */
  readonly key: RawString;
}

export interface ListPage {
  /** 0 or a negative errno. */
  readonly code: number;
  readonly objects: readonly ListedObject[];
  /** Where to go on; undefined at the end of the pool. */
  readonly next: HObject | undefined;
}

/**
 * Lists at most `count` objects of a pool's namespace from `cursor` on (Objecter::list_nobjects). PGs are visited in the
 * order of their bit-reversed seeds, so that a listing survives a change of pg_num. A page may be empty before the end.
 */
export function listObjects(
  objecter: Objecter,
  from: { readonly pool: PoolId; readonly nspace: RawString; readonly cursor: HObject; readonly count: number },
  done: (page: ListPage) => void,
): void {
  const { pool, nspace, cursor, count } = from;
  const position = new Encoder(64);
  encodeHObject(position, cursor);
  objecter.submit(
    {
      oid: '',
      locator: { pool, key: '', nspace, hash: BigInt(cursor.hash) },
      ops: [pgnlsOp(count, objecter.map?.epoch ?? 0, position.finish())],
      flags: OsdFlag.read | OsdFlag.ignoreOverlay,
      snapid: NOSNAP,
    },
    (reply) => {
      const output = reply.ops[0]?.output;
      if (reply.result < 0) done({ code: reply.result, objects: [], next: undefined });
      else if (!output) done({ code: Errno.EIO, objects: [], next: undefined });
      else done(decodePage(cursor, output));
    },
  );
}

function decodePage(cursor: HObject, output: Uint8Array): ListPage {
  try {
    const decoder = new Decoder(output);
    return decoder.struct('pgnls response', 1, () => {
      const next = decodeHObject(decoder, 'handle');
      const objects = decoder.list('entries', 12, () => ({
        nspace: decoder.rawString('nspace'),
        oid: decoder.rawString('oid'),
        key: decoder.rawString('locator'),
      }));
      // A listing that does not move would never end.
      const stuck =
        !next.max && objects.length === 0 && reverseBits(next.hash) <= reverseBits(cursor.hash) && started(cursor);
      return { code: stuck ? Errno.EIO : 0, objects, next: next.max || stuck ? undefined : next };
    });
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
    return { code: Errno.EIO, objects: [], next: undefined };
  }
}

function started(cursor: HObject): boolean {
  return cursor !== MIN_HOBJECT;
}
