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

  /** Shorter than asked where the object ends; a length of 0 reads to its end. */
  read(offset: number, length: number): Bytes;
  write(offset: number, data: Bytes): void;
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
  omapList(page: OmapPageRequest): OmapPage;
  omapHeader(): Bytes;
  omapSet(entries: ReadonlyMap<RawString, Bytes>): void;
  omapSetHeader(header: Bytes): void;
  omapRemove(keys: readonly RawString[]): void;
  /** Keys in [first, last). */
  omapRemoveRange(first: RawString, last: RawString): void;
  omapClear(): void;
}
