import type { Bytes, RawString, UTime } from '@spirula/encoding';
import type { EntityInst } from './entity-inst.ts';

export interface ObjectStat {
  /** Bytes. */
  readonly size: number;
  readonly mtime: UTime;
}

/** Entries behind `after` whose keys begin with `prefix`, in key order. */
export interface OmapPageRequest {
  /** '' begins with the first key. */
  readonly after?: RawString;
  readonly prefix?: RawString;
  /** Entries at most; osd_max_omap_entries_per_request (1024) bounds it as well. */
  readonly max: number;
}

export interface OmapPage {
  readonly entries: ReadonlyMap<RawString, Bytes>;
  /** Whether more follow. */
  readonly more: boolean;
}

/** Keys behind `after`, in order. */
export interface OmapKeys {
  readonly keys: readonly RawString[];
  /** Whether more follow. */
  readonly more: boolean;
}

/** Who is told when somebody notifies of the object (obj_watch_t). */
export interface Watcher extends EntityInst {
  readonly cookie: bigint;
  readonly timeoutSeconds: number;
}

/**
 * What a method can do with the object it was called on, and what it may know (objclass/objclass.h, osd/objclass.cc).
 *
 * Every operation is one of the request, as if the client had sent it in the call's place. Changes are made together with
 * those of the whole request, or not at all. Reads of data, xattrs and omap show the object as it is stored, before any
 * change of this request; existence and size, as `stat` tells them, follow the changes.
 *
 * @throws ClassError from every operation, with the errno that the client would have got. A method that does not catch it
 * fails with that.
 */
export interface MethodContext {
  /** Who asks (cls_get_request_origin). */
  readonly origin: EntityInst;
  /** What the client's release can do, bits of CEPH_FEATURE_* (cls_get_client_features). */
  readonly clientFeatures: bigint;
  /** The release that every OSD has at least; 16 is Pacific (cls_get_required_osd_release). */
  readonly requiredOsdRelease: number;
  /** The release that every client must have at least; 0: any (cls_get_min_compatible_client). */
  readonly minCompatibleClient: number;
  /**
   * Bytes of which what the OSD's store gives an object is a multiple (cls_get_osd_min_alloc_size), and the pool's stripes are
   * (cls_get_pool_stripe_width).
   */
  readonly allocationUnit: number;
  /** The OSD's wall clock. Clocks of two OSDs differ: what follows from it holds only roughly. */
  now(): UTime;
  /** Not to be guessed (cls_gen_random_bytes). */
  randomBytes(count: number): Bytes;
  /** User version of the PG's newest write (cls_current_version). */
  readonly currentVersion: number;
  /** Another one for each change that a method makes: user version and number of the operation (cls_cxx_subop_version). */
  subopVersion(): RawString;

  /** ENOENT: there is no object. */
  stat(): ObjectStat;
  /** With `exclusive`, EEXIST: it exists. */
  create(exclusive: boolean): void;
  /** ENOENT: there is no object. */
  remove(): void;

  /**
   * The newest snapshot that any write to the object had known of before the request; 0: none (cls_get_snapset_seq). A
   * deleted object that has clones tells it, too. ENOENT: there is no object.
   */
  snapsetSeq(): bigint;
  /** In the order of their cookies (cls_cxx_list_watchers). */
  watchers(): readonly Watcher[];

  /**
   * Shorter than asked where the object ends; a length of 0 reads to its end.
   *
   * @param flags hints of how the data will be used, CEPH_OSD_OP_FLAG_FADVISE_* (cls_cxx_read2)
   */
  read(offset: number, length: number, flags?: number): Bytes;
  /** @param flags as in `read` (cls_cxx_write2) */
  write(offset: number, data: Bytes, flags?: number): void;
  /** Replaces all data. */
  writeFull(data: Bytes): void;
  truncate(size: number): void;
  zero(offset: number, length: number): void;

  /** Undefined: no such xattr. ENOENT: there is no object. */
  getXattr(name: RawString): Bytes | undefined;
  /** In the order of their names. ENOENT: there is no object. */
  getXattrs(): ReadonlyMap<RawString, Bytes>;
  setXattr(name: RawString, value: Bytes): void;

  /** Undefined: no such key, or no object. */
  omapGet(key: RawString): Bytes | undefined;
  /** Those of the keys that there are (cls_cxx_map_get_vals_by_keys). */
  omapGetByKeys(keys: Iterable<RawString>): ReadonlyMap<RawString, Bytes>;
  /** As `omapList`, without values (cls_cxx_map_get_keys). */
  omapKeys(page: Omit<OmapPageRequest, 'prefix'>): OmapKeys;
  omapList(page: OmapPageRequest): OmapPage;
  omapHeader(): Bytes;
  omapSet(entries: ReadonlyMap<RawString, Bytes>): void;
  omapSetHeader(header: Bytes): void;
  omapRemove(keys: readonly RawString[]): void;
  /** Keys in [first, last). */
  omapRemoveRange(first: RawString, last: RawString): void;
  omapClear(): void;
}
