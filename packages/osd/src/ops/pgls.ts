/** Listing the objects of a PG (PrimaryLogPG::do_pg_op, CEPH_OSD_OP_PGNLS and PGNLS_FILTER). */
import { type Bytes, Decoder, Encoder, Errno, MalformedInput, type PgId, type RawString } from '@spirula/encoding';
import { compareHObjects, decodeHObject, encodeHObject, type HObject, MAX_HOBJECT, reverseBits } from '@spirula/maps';
import { NOSNAP, type OsdOp, OsdOpCode, pgnlsArgs } from '@spirula/messages';
import type { ObjectStore } from '@spirula/objectstore';
import { isPgMeta, isTemp } from '../object-id.ts';
import { failed, type OpOutcome } from './op-context.ts';
import { decodePglsFilter, type PglsFilter } from './pgls-filter.ts';

/** osd_max_pgls */
const MAX_ENTRIES = 1024;
/** LIBRADOS_ALL_NSPACES */
const ALL_NAMESPACES: RawString = '\x01';

export interface PgListing {
  readonly store: Pick<ObjectStore, 'list' | 'getAttr'>;
  readonly cid: string;
  readonly pgid: PgId;
  /** Of the pool. */
  readonly pgNum: number;
  /** Objects that exist and are still to be recovered here. */
  readonly missing: Iterable<HObject>;
  /** Objects that are here and whose deletion is still to be recovered. */
  readonly isDeleted: (oid: HObject) => boolean;
}

interface Question {
  readonly cursor: HObject;
  readonly filter: PglsFilter | undefined;
}

/** Undefined: it asks for a filter that there is not. @throws MalformedInput */
function decodeQuestion(op: OsdOp): Question | undefined {
  const input = new Decoder(op.input);
  let filter: PglsFilter | undefined;
  if (op.code === OsdOpCode.pgnlsFilter) {
    // Always "pg" and "filter".
    input.rawString('class');
    input.rawString('method');
    filter = decodePglsFilter(input);
    if (filter === undefined) return undefined;
  }
  return { cursor: decodeHObject(input, 'cursor'), filter };
}

/**
 * One page of a PG's objects of a namespace, from the cursor in the op's input on. The cursor of the reply is where to go
 * on; the code is 1 at the end of the PG, and the cursor then the start of the PG that follows in the order of objects.
 */
export function listPg(listing: PgListing, op: OsdOp, nspace: RawString): OpOutcome {
  let question: Question | undefined;
  let count: number;
  try {
    question = decodeQuestion(op);
    count = Math.min(pgnlsArgs(op).count, MAX_ENTRIES);
  } catch (error) {
    if (error instanceof MalformedInput) return failed(Errno.EINVAL);
    throw error;
  }
  if (question === undefined) return failed(Errno.EINVAL);
  const { cursor, filter } = question;
  const begin = pgBegin(listing.pgid);
  const end = pgEnd(listing.pgid, listing.pgNum);
  const atStart = cursor.pool < 0 && !cursor.max;
  if (!atStart && (compareHObjects(cursor, begin) < 0 || compareHObjects(cursor, end) >= 0)) {
    return failed(Errno.EINVAL);
  }
  const { objects, next } = scan(listing, atStart ? begin : cursor, Math.max(1, count));
  const listed = objects.filter(
    (oid) => (nspace === ALL_NAMESPACES || oid.nspace === nspace) && isAccepted(listing, oid, filter),
  );
  return { code: next === undefined ? 1 : 0, output: encodePage(next ?? end, listed) };
}

function isAccepted({ store, cid }: PgListing, oid: HObject, filter: PglsFilter | undefined): boolean {
  if (filter === undefined) return true;
  const value = store.getAttr(cid, oid, filter.attr);
  return value !== undefined && filter.accepts(value);
}

/** The objects among the first `count` positions from `from` on, missing ones added; `next` undefined: none follow. */
function scan({ store, cid, missing, isDeleted }: PgListing, from: HObject, count: number) {
  // The PG's own objects count too, though they are not shown: a page may hold less than was asked for.
  const stored = store.list(cid, from, count + 1);
  const next = stored[count];
  const isInPage = (oid: HObject) =>
    compareHObjects(oid, from) >= 0 && (next === undefined || compareHObjects(oid, next) < 0);
  const shown = stored.filter(
    (oid) => isInPage(oid) && oid.snap === NOSNAP && !isPgMeta(oid) && !isTemp(oid) && !isDeleted(oid),
  );
  const all = [...shown, ...[...missing].filter(isInPage)].sort(compareHObjects);
  const objects = all.filter((oid, i) => i === 0 || compareHObjects(oid, all[i - 1]!) !== 0);
  return { objects, next };
}

function encodePage(next: HObject, objects: readonly HObject[]): Bytes {
  const output = new Encoder();
  output.struct(1, 1, () => {
    encodeHObject(output, next);
    output.list(objects, ({ nspace, name, key }) => {
      output.rawString(nspace);
      output.rawString(name);
      output.rawString(key);
    });
  });
  return output.finish();
}

/** First position of a PG in the order of objects (pg_t::get_hobj_start). */
export function pgBegin(pgid: PgId): HObject {
  return { pool: pgid.pool, nspace: '', key: '', name: '', snap: 0n, hash: pgid.seed, max: false };
}

/** Where the PG that follows begins; max behind the last one (pg_t::get_hobj_end). */
export function pgEnd(pgid: PgId, pgNum: number): HObject {
  const last =
    (reverseBits(pgid.seed) | (bitsOf(pgid, pgNum) === 0 ? 0xffff_ffff : 0xffff_ffff >>> bitsOf(pgid, pgNum))) >>> 0;
  if (last === 0xffff_ffff) return MAX_HOBJECT;
  return { pool: pgid.pool, nspace: '', key: '', name: '', snap: NOSNAP, hash: reverseBits(last + 1), max: false };
}

/** How many bits of the hash decide that an object is in this PG (pg_t::get_split_bits). */
function bitsOf(pgid: PgId, pgNum: number): number {
  if (pgNum === 1) return 0;
  const bits = 32 - Math.clz32(pgNum);
  const half = 2 ** (bits - 1);
  return pgid.seed % half < pgNum % half ? bits : bits - 1;
}
