import { type Bytes, EMPTY, Encoder, type RawString, type UTime } from '@spirula/encoding';
import {
  CmpXattrMode,
  CmpXattrOp,
  callOp,
  copyFromOp,
  extentOp,
  NOSNAP,
  type ObjectLocator,
  OpFlag,
  OsdFlag,
  type OsdOp,
  OsdOpCode,
  omapGetValsOp,
  plainOp,
  rollbackOp,
  writesameOp,
  xattrOp,
} from '@spirula/messages';

/** Bytes of a map from omap keys to values, in key order. */
function encodeOmap(values: ReadonlyMap<RawString, Bytes>): Bytes {
  const encoder = new Encoder(256);
  encoder.map(
    new Map([...values].sort(([a], [b]) => (a < b ? -1 : 1))),
    (key) => encoder.rawString(key),
    (value) => encoder.blob(value),
  );
  return encoder.finish();
}

function encodeKeys(keys: Iterable<RawString>): Bytes {
  const encoder = new Encoder(256);
  encoder.list([...new Set(keys)].sort(), (key) => encoder.rawString(key));
  return encoder.finish();
}

/**
 * A compound operation on one object: the parts run in order, all or none of them (librados ObjectWriteOperation and
 * ObjectReadOperation). Each method adds a part and returns the operation.
 */
export class ObjectOperation {
  readonly #ops: OsdOp[] = [];
  #flags = 0;
  #mtime: UTime | undefined;

  /** When the change happens: the wall clock's time, where nothing was said (rados_write_op_operate2). */
  get mtime(): UTime | undefined {
    return this.#mtime;
  }

  at(mtime: UTime): this {
    this.#mtime = mtime;
    return this;
  }

  get ops(): readonly OsdOp[] {
    return this.#ops;
  }

  /** Which of `OsdFlag.read` and `OsdFlag.write` the parts need; and `OsdFlag.returnvec`. */
  get flags(): number {
    return this.#flags;
  }

  write(data: Bytes, offset = 0): this {
    return this.#change(extentOp(OsdOpCode.write, offset, data.length, data));
  }

  writeFull(data: Bytes): this {
    return this.#change(extentOp(OsdOpCode.writefull, 0, data.length, data));
  }

  /** The same bytes again and again: `length` is a multiple of theirs. */
  writeSame(data: Bytes, offset: number, length: number): this {
    return this.#change(writesameOp(offset, length, data));
  }

  /** Guards the rest: the operation fails when the object has other bytes there, with a number that `mismatchOf` reads. */
  compareExtent(data: Bytes, offset: number): this {
    return this.#ask(extentOp(OsdOpCode.cmpext, offset, data.length, data));
  }

  /** The object becomes what it was in the snapshot. */
  rollback(snapid: bigint): this {
    return this.#change(rollbackOp(snapid));
  }

  /** For a request on all versions of an object (SNAPDIR). */
  listSnaps(): this {
    return this.#ask(plainOp(OsdOpCode.listSnaps));
  }

  append(data: Bytes): this {
    return this.#change(extentOp(OsdOpCode.append, 0, data.length, data));
  }

  truncate(size: number): this {
    return this.#change(extentOp(OsdOpCode.truncate, size, 0));
  }

  zero(offset: number, length: number): this {
    return this.#change(extentOp(OsdOpCode.zero, offset, length));
  }

  /** With `exclusive`, an object that exists makes the whole operation fail with EEXIST. */
  create(exclusive: boolean): this {
    return this.#change(plainOp(OsdOpCode.create, EMPTY, exclusive ? OpFlag.excl : 0));
  }

  /**
   * The object becomes a copy of another, of this pool or not: data, xattrs, omap, time and user version. Its OSD reads that.
   *
   * @param version the user version that the source must have; else the operation fails with ERANGE or EOVERFLOW
   */
  copyFrom(source: RawString, locator: ObjectLocator, version = 0): this {
    const args = { snapid: NOSNAP, sourceVersion: BigInt(version), copyFlags: 0, sourceFadviseFlags: 0 };
    return this.#change(copyFromOp(args, { oid: source, locator }));
  }

  remove(): this {
    return this.#change(plainOp(OsdOpCode.delete));
  }

  setXattr(name: RawString, value: Bytes): this {
    return this.#change(xattrOp(OsdOpCode.setxattr, name, value));
  }

  rmXattr(name: RawString): this {
    return this.#change(xattrOp(OsdOpCode.rmxattr, name));
  }

  /** Guards the rest: the operation fails with ECANCELED when the xattr has another value, or is not there. */
  requireXattr(name: RawString, value: Bytes): this {
    const compare = { op: CmpXattrOp.eq, mode: CmpXattrMode.string };
    return this.#ask(xattrOp(OsdOpCode.cmpxattr, name, value, compare));
  }

  /** Guards the rest: ECANCELED when the number that the xattr's text begins with is greater; without one it is 0. */
  requireXattrAtMost(name: RawString, number: bigint): this {
    const value = new Encoder(8);
    value.u64big(number);
    const compare = { op: CmpXattrOp.gte, mode: CmpXattrMode.u64 };
    return this.#ask(xattrOp(OsdOpCode.cmpxattr, name, value.finish(), compare));
  }

  /** Guards the rest: ECANCELED when the key has another value. Undefined: it must have none, or an empty one. */
  requireOmap(key: RawString, value: Bytes = EMPTY): this {
    const compared = new Encoder(64);
    compared.u32(1);
    compared.rawString(key);
    compared.blob(value);
    compared.i32(CmpXattrOp.eq);
    return this.#ask(plainOp(OsdOpCode.omapCmp, compared.finish()));
  }

  omapSet(values: ReadonlyMap<RawString, Bytes>): this {
    return this.#change(plainOp(OsdOpCode.omapSetVals, encodeOmap(values)));
  }

  omapRmKeys(keys: Iterable<RawString>): this {
    return this.#change(plainOp(OsdOpCode.omapRmKeys, encodeKeys(keys)));
  }

  omapClear(): this {
    return this.#change(plainOp(OsdOpCode.omapClear));
  }

  omapSetHeader(header: Bytes): this {
    return this.#change(plainOp(OsdOpCode.omapSetHeader, header));
  }

  /** A length of 0 reads to the end. */
  read(offset = 0, length = 0): this {
    return this.#ask(extentOp(OsdOpCode.read, offset, length));
  }

  stat(): this {
    return this.#ask(plainOp(OsdOpCode.stat));
  }

  getXattr(name: RawString): this {
    return this.#ask(xattrOp(OsdOpCode.getxattr, name));
  }

  getXattrs(): this {
    return this.#ask(plainOp(OsdOpCode.getxattrs));
  }

  omapGetKeys(after: RawString, max: number): this {
    const range = new Encoder(64);
    range.rawString(after);
    range.u64(max);
    return this.#ask(plainOp(OsdOpCode.omapGetKeys, range.finish()));
  }

  omapGetVals(after: RawString, max: number, prefix?: RawString): this {
    return this.#ask(omapGetValsOp(after, max, prefix));
  }

  omapGetValsByKeys(keys: Iterable<RawString>): this {
    return this.#ask(plainOp(OsdOpCode.omapGetValsByKeys, encodeKeys(keys)));
  }

  omapGetHeader(): this {
    return this.#ask(plainOp(OsdOpCode.omapGetHeader));
  }

  /**
   * Calls a method of an object class. What it answers is among the outputs, where the operation is a read.
   *
   * @param effect whether it is part of an operation that reads or of one that writes; the OSD knows what the method does
   */
  exec(cls: string, method: string, input: Bytes = EMPTY, effect: 'read' | 'write' = 'read'): this {
    return this.add(callOp(cls, method, input), effect);
  }

  /** What the parts answer comes back although they change the object; little of it: osd_max_write_op_reply_len (RETURNVEC). */
  returning(): this {
    this.#flags |= OsdFlag.returnvec;
    return this;
  }

  /** Any other op. */
  add(op: OsdOp, effect: 'read' | 'write'): this {
    return effect === 'write' ? this.#change(op) : this.#ask(op);
  }

  #change(op: OsdOp): this {
    this.#ops.push(op);
    this.#flags |= OsdFlag.write;
    return this;
  }

  #ask(op: OsdOp): this {
    this.#ops.push(op);
    this.#flags |= OsdFlag.read;
    return this;
  }
}

const MAX_ERRNO = 4095;

/** Which of the compared bytes was the first to differ; undefined: it failed for something else. */
export function mismatchOf(result: number): number | undefined {
  return result <= -MAX_ERRNO ? -MAX_ERRNO - result : undefined;
}
