/**
 * Which clones of a PG carry which snapshot (SnapMapper): an index in the omap of the PG's metadata object, so that trimming
 * need not look at every object. It follows from what clones' infos say, and every change of those goes through here:
 *
 *   snap.<snapshot, 16 hex digits>.<clone> --> the clone's name
 */
import { type Bytes, Decoder, Encoder, formatPgId, type PgId, type RawString } from '@spirula/encoding';
import { decodeHObject, encodeHObject, type HObject } from '@spirula/maps';
import type { Cid, ObjectStore, Transaction } from '@spirula/objectstore';
import { isPgMeta, isTemp, objectKey, pgMetaOid } from './object-id.ts';
import { decodeObjectInfo, OBJECT_INFO_ATTR } from './object-info.ts';
import { readObjectInfo } from './object-part.ts';
import { isClone } from './snap-set.ts';

const PREFIX: RawString = 'snap.';
const SNAP_DIGITS = 16;

/** What of the index is to be written, and removed. */
export interface IndexChanges {
  readonly put: ReadonlyMap<RawString, Bytes>;
  readonly rm: readonly RawString[];
}

function prefixOf(snap: bigint): RawString {
  return `${PREFIX}${snap.toString(16).padStart(SNAP_DIGITS, '0')}.`;
}

/** What a transaction of the PG that is about to be submitted does to the index. */
export function indexChanges(store: ObjectStore, cid: Cid, transaction: Transaction): IndexChanges | undefined {
  let entries: Map<RawString, HObject | undefined> | undefined;
  const note = (oid: HObject, snaps: readonly bigint[]) => {
    entries ??= new Map();
    const key = objectKey(oid);
    for (const snap of readObjectInfo(store, cid, oid)?.snaps ?? []) entries.set(prefixOf(snap) + key, undefined);
    for (const snap of snaps) entries.set(prefixOf(snap) + key, oid);
  };
  for (const change of transaction) {
    switch (change.op) {
      case 'setAttrs': {
        const info = isIndexed(change.oid) ? change.attrs.get(OBJECT_INFO_ATTR) : undefined;
        if (info) note(change.oid, decodeObjectInfo(info).snaps);
        break;
      }
      case 'clone':
        // One that arrived in parts takes its place. What is cloned from a head says more in the same transaction.
        if (isIndexed(change.to) && isTemp(change.oid)) {
          note(change.to, readObjectInfo(store, cid, change.oid)?.snaps ?? []);
        }
        break;
      case 'remove':
        if (isIndexed(change.oid)) note(change.oid, []);
        break;
      default:
    }
  }
  if (!entries) return undefined;
  const put = new Map<RawString, Bytes>();
  const rm: RawString[] = [];
  for (const [key, oid] of entries) {
    if (oid) put.set(key, encodeName(oid));
    else rm.push(key);
  }
  return { put, rm };
}

/** The first clones that carry the snapshot, at most `max`. */
export function clonesOfSnap(store: ObjectStore, cid: Cid, meta: HObject, snap: bigint, max: number): HObject[] {
  const prefix = prefixOf(snap);
  const listed = [...store.omapList(cid, meta, prefix, max)].filter(([key]) => key.startsWith(prefix));
  return listed.map(([, name]) => decodeHObject(new Decoder(name), 'clone'));
}

/** Everything the index of a PG has: for checks. */
export function indexOfClones(store: ObjectStore, pgid: PgId): { readonly snap: bigint; readonly oid: HObject }[] {
  const entries = store.omapList(formatPgId(pgid), pgMetaOid(pgid), PREFIX, Number.MAX_SAFE_INTEGER);
  return [...entries].flatMap(([key, name]) => {
    if (!key.startsWith(PREFIX)) return [];
    const snap = BigInt(`0x${key.slice(PREFIX.length, PREFIX.length + SNAP_DIGITS)}`);
    return [{ snap, oid: decodeHObject(new Decoder(name), 'clone') }];
  });
}

function isIndexed(oid: HObject): boolean {
  return isClone(oid) && !isTemp(oid) && !isPgMeta(oid);
}

function encodeName(oid: HObject): Bytes {
  const to = new Encoder(64);
  encodeHObject(to, oid);
  return to.finish();
}
