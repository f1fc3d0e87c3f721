import type { Bytes, RawString } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import type { Token, WorldEvent } from '@spirula/world';
import type { Extents } from './extents.ts';

/** Collection: a PG's id as Ceph prints it (`1.3f`), or `meta`. */
export type Cid = string;

/** One change of a transaction. An operation on a collection that does not exist is a bug (invariant). */
export type TransactionOp =
  | { readonly op: 'createCollection'; readonly cid: Cid }
  /** The collection must be empty. */
  | { readonly op: 'removeCollection'; readonly cid: Cid }
  /** Creates the object, empty, unless it exists. Every op below that writes does so too. */
  | { readonly op: 'touch'; readonly cid: Cid; readonly oid: HObject }
  | { readonly op: 'write'; readonly cid: Cid; readonly oid: HObject; readonly offset: number; readonly data: Bytes }
  | { readonly op: 'zero'; readonly cid: Cid; readonly oid: HObject; readonly offset: number; readonly length: number }
  | { readonly op: 'truncate'; readonly cid: Cid; readonly oid: HObject; readonly size: number }
  | { readonly op: 'remove'; readonly cid: Cid; readonly oid: HObject }
  | {
      readonly op: 'setAttrs';
      readonly cid: Cid;
      readonly oid: HObject;
      readonly attrs: ReadonlyMap<RawString, Bytes>;
    }
  | { readonly op: 'rmAttr'; readonly cid: Cid; readonly oid: HObject; readonly name: RawString }
  | { readonly op: 'rmAttrs'; readonly cid: Cid; readonly oid: HObject }
  | {
      readonly op: 'omapSet';
      readonly cid: Cid;
      readonly oid: HObject;
      readonly entries: ReadonlyMap<RawString, Bytes>;
      /** None of the keys is there yet, its caller knows: nothing is looked up to keep count of omap's size. */
      readonly fresh?: boolean;
    }
  | { readonly op: 'omapRmKeys'; readonly cid: Cid; readonly oid: HObject; readonly keys: readonly RawString[] }
  /** Keys in [first, last). */
  | {
      readonly op: 'omapRmRange';
      readonly cid: Cid;
      readonly oid: HObject;
      readonly first: RawString;
      readonly last: RawString;
    }
  | { readonly op: 'omapClear'; readonly cid: Cid; readonly oid: HObject }
  | { readonly op: 'omapSetHeader'; readonly cid: Cid; readonly oid: HObject; readonly header: Bytes }
  /** Makes `to` an exact copy of `oid` (data, holes, attrs, omap), replacing it; absent when `oid` is. No data are copied: both have them. */
  | { readonly op: 'clone'; readonly cid: Cid; readonly oid: HObject; readonly to: HObject };

/** All or nothing; transactions become durable in submission order. */
export type Transaction = readonly TransactionOp[];

/** Identity of a store, written by mkfs and checked at mount: format, fsid, who, features. */
export interface StoreIdentity {
  readonly fsid: Bytes;
  readonly whoami: string;
}

export interface ObjectStat {
  readonly size: number;
}

export interface StoreStatfs {
  /** Bytes. */
  readonly total: number;
  readonly available: number;
  /** Bytes of object data as stored (whole blocks, those that objects share once), of omap, and of metadata. */
  readonly data: number;
  readonly omap: number;
  readonly metadata: number;
}

/** One block of an object that cannot be had: its checksum does not fit, or the device refuses it. */
export interface DamagedBlock {
  readonly cid: Cid;
  readonly oid: HObject;
  /** Of the block in the object, and on the device; bytes. */
  readonly offset: number;
  readonly deviceOffset: number;
  /** The store came across it before, in a partial overwrite or a copy, and wrote what it had with a checksum that says so. */
  readonly marked: boolean;
}

/** What a check of the whole store found. */
export interface FsckReport {
  /** What disks do: other copies have these objects. */
  readonly damaged: readonly DamagedBlock[];
  /** What only a bug does: structures that contradict one another; one sentence each. */
  readonly faults: readonly string[];
}

/** The stored checksum of a block does not fit its bytes, or the device refused to read them. */
export class UnreadableObject extends Error {
  override readonly name = 'UnreadableObject';
  /** Whose it is, where that is known. */
  readonly oid: HObject | undefined;

  constructor(message: string, oid?: HObject) {
    super(message);
    this.oid = oid;
  }
}

/**
 * Atomic, durable, ordered transactions over a world's kv and block device, which belong to the store alone. Reads are
 * synchronous and see every transaction submitted so far.
 *
 * The owner forwards its world's `committed` and `flushed` events to `onEvent`.
 */
export interface ObjectStore {
  /**
   * The identity found, or undefined when nothing was ever written here. Call before anything else.
   *
   * @throws IncompatibleStore when another version wrote it, key-value store and device do not belong together, or what says
   * where things are is damaged.
   * @throws DeviceError
   */
  mount(): StoreIdentity | undefined;
  mkfs(identity: StoreIdentity): void;
  /**
   * @throws DeviceError ENOSPC when the data might not fit: nothing has changed then. Owners watch `statfs`. Whatever else the
   * device answers is thrown too, here and by `onEvent`: the store is of no use after that, and a new run finds all that it
   * has reported durable.
   */
  submit(transaction: Transaction, token: Token): void;
  /** Tokens of the transactions that this event made durable, in submission order. */
  onEvent(event: WorldEvent): readonly Token[];

  collections(): readonly Cid[];
  /** Objects of a collection in HObject order, from `start` inclusive (undefined: the first); at most `max`. */
  list(cid: Cid, start: HObject | undefined, max: number): readonly HObject[];
  stat(cid: Cid, oid: HObject): ObjectStat | undefined;
  /**
   * Bytes from `offset`, shorter at the end of the object. An absent object reads as empty.
   *
   * @throws UnreadableObject
   */
  read(cid: Cid, oid: HObject, offset: number, length: number): Bytes;
  /**
   * Where the object has data in [offset, offset + length): what was written, to the byte, but for what was zeroed or cut off
   * since. The rest are holes, which read as zeros. Nothing, of an absent object.
   */
  extents(cid: Cid, oid: HObject, offset: number, length: number): Extents;
  getAttr(cid: Cid, oid: HObject, name: RawString): Bytes | undefined;
  getAttrs(cid: Cid, oid: HObject): ReadonlyMap<RawString, Bytes>;
  omapHeader(cid: Cid, oid: HObject): Bytes;
  omapGet(cid: Cid, oid: HObject, keys: Iterable<RawString>): ReadonlyMap<RawString, Bytes>;
  /** Entries in key order from `start` inclusive, at most `max`. */
  omapList(cid: Cid, oid: HObject, start: RawString, max: number): ReadonlyMap<RawString, Bytes>;
  statfs(): StoreStatfs;
  /** Checks every structure and block checksum. */
  fsck(): FsckReport;
}
