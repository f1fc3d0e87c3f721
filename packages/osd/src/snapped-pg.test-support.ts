import { type Bytes, crc32c, formatPgId } from '@spirula/encoding';
import { type HObject, OsdMapFlag, type SnapInterval } from '@spirula/maps';
import { NOSNAP, type ObjectChange, type PgInfo } from '@spirula/messages';
import { createObjectStore, type ObjectStore, type Transaction } from '@spirula/objectstore';
import { makeConfig } from '@spirula/world';
import { Missing } from './missing.ts';
import { pgMetaOid } from './object-id.ts';
import { encodeObjectInfo, OBJECT_INFO_ATTR, type ObjectInfo } from './object-info.ts';
import type { PgCore } from './pg-core.ts';
import { emptyInfo } from './pg-info.ts';
import { Reservations } from './reservations.ts';
import { indexChanges } from './snap-mapper.ts';
import { encodeSnapSet, SNAPSET_ATTR, type SnapClone } from './snap-set.ts';
import { ToyDisk } from './toy-disk.test-support.ts';
import type { ToyNetwork, ToyNode } from './toy-network.test-support.ts';

const NONE = { epoch: 0, version: 0 };
/** Nothing ever becomes durable: what is submitted is seen at once. */
const STILL: Pick<ToyNetwork, 'now' | 'at' | 'below'> = { now: 0, at: () => {}, below: () => 0 };

export function head(name: string): HObject {
  return { pool: 1, nspace: '', key: '', name, snap: NOSNAP, hash: 0, max: false };
}

/** A clone of 100 bytes that shares nothing. */
export function cloneOf(id: bigint, snaps: readonly bigint[], fields: Partial<SnapClone> = {}): SnapClone {
  return { id, snaps, size: 100, overlap: [], ...fields };
}

/** A PG with a real store of objects and clones, as far as finding and trimming them needs one. */
export class SnappedPg {
  readonly pgid = { pool: 1, seed: 0 };
  readonly cid = formatPgId(this.pgid);
  readonly metaOid = pgMetaOid(this.pgid);
  readonly missing = new Missing();
  readonly store: ObjectStore;
  /** osd_max_trimming_pgs */
  readonly reservations: Reservations;
  readonly errors: object[] = [];
  readonly wakeUps: number[] = [];
  now = 0;
  info: PgInfo = emptyInfo(this.pgid);
  flags = 0;
  /** The map's queue of the pool. */
  removed: readonly SnapInterval[] = [];
  config = makeConfig({ osd_snap_trim_sleep: 2 });

  constructor(slots = 1) {
    this.reservations = new Reservations(() => slots);
    const quiet = () => {};
    this.store = createObjectStore({
      ...new ToyDisk(STILL as ToyNetwork, 0).attach({} as ToyNode),
      crypto: { crc32c } as never,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      buggify: () => false,
    });
    this.store.mkfs({ fsid: new Uint8Array(16), whoami: 'osd.0' });
    this.store.submit([{ op: 'createCollection', cid: this.cid }], 1);
  }

  get core(): PgCore {
    const self = this;
    const { pgid, cid, metaOid, missing, store, reservations } = this;
    return {
      pgid,
      cid,
      metaOid,
      missing,
      get info() {
        return self.info;
      },
      get map() {
        return { flags: self.flags, removedSnapsQueue: new Map([[pgid.pool, self.removed]]) };
      },
      setInfo: (info: PgInfo) => {
        self.info = info;
      },
      commit: () => {},
      host: {
        store,
        snapTrimReservations: reservations,
        pgChanged: () => {},
        wakeAt: (_: unknown, at: number) => self.wakeUps.push(at),
        world: {
          get config() {
            return self.config;
          },
          clock: { now: () => self.now, wall: () => ({ sec: 9, nsec: 0 }) },
          log: { error: (_: string, fields: object) => self.errors.push(fields) },
        },
      },
    } as unknown as PgCore;
  }

  /** Carries changes out with what they mean to the index of clones, as PgCore does. */
  apply(changes: readonly ObjectChange[]): void {
    const { cid, metaOid: oid } = this;
    const transaction = changes.map((change) => ({ ...change, cid })) as Transaction;
    const index = indexChanges(this.store, cid, transaction);
    const ofIndex: Transaction = index
      ? [
          { op: 'omapRmKeys', cid, oid, keys: index.rm },
          { op: 'omapSet', cid, oid, entries: index.put },
        ]
      : [];
    this.store.submit([...transaction, ...ofIndex], 1);
  }

  /** Makes a head that knows of clones, and those. */
  make(name: string, clones: readonly SnapClone[], { seq = clones.at(-1)?.id ?? 0n, whiteout = false } = {}): void {
    const oid = head(name);
    const info = (fields: Partial<ObjectInfo>) =>
      encodeObjectInfo({
        version: { epoch: 1, version: 5 },
        priorVersion: NONE,
        userVersion: 5,
        size: 100,
        mtime: { sec: 1, nsec: 0 },
        truncateSeq: 0,
        truncateSize: 0,
        isDirty: true,
        watchers: [],
        whiteout: false,
        snaps: [],
        ...fields,
      });
    const attrs = (value: Bytes, snapset?: Bytes) =>
      new Map([[OBJECT_INFO_ATTR, value], ...(snapset ? [[SNAPSET_ATTR, snapset] as const] : [])]);
    this.apply([
      { op: 'setAttrs', oid, attrs: attrs(info({ whiteout }), encodeSnapSet({ seq, clones })) },
      ...clones.map(({ id, snaps }) => ({
        op: 'setAttrs' as const,
        oid: { ...oid, snap: id },
        attrs: attrs(info({ snaps })),
      })),
    ]);
  }

  /** Nobody may trim. */
  forbid(): void {
    this.flags = OsdMapFlag.nosnaptrim;
  }
}
