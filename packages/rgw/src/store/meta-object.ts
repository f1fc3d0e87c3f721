/**
 * Objects of the meta pool: data, attributes, and a version that says who changed it last (RGWSI_SysObj_Core,
 * RGWObjVersionTracker; class `version`). A change names the version it was made from, and fails with ECANCELED when
 * another gateway was first.
 */
import { type Bytes, Decoder, Encoder, Errno, MalformedInput, type RawString, type UTime } from '@spirula/encoding';
import { decodeOpEntries } from '@spirula/messages';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { Entropy } from './entropy.ts';
import { randomAlphanumeric } from './entropy.ts';

/** obj_version. */
export interface ObjectVersion {
  /** 0: the object has none. */
  readonly ver: bigint;
  readonly tag: RawString;
}

export interface MetaObject {
  readonly data: Bytes;
  /** The xattrs `user.rgw.…`, by their whole names. */
  readonly attrs: ReadonlyMap<RawString, Bytes>;
  readonly version: ObjectVersion;
  readonly modified: UTime;
}

export interface MetaChange {
  readonly data: Bytes;
  /** Attributes that get other values; undefined: that go. Others stay. */
  readonly attrs?: ReadonlyMap<RawString, Bytes | undefined>;
}

const ATTR_PREFIX = 'user.rgw.';
const TAG_LENGTH = 24;
/** VER_COND_EQ */
const SAME = 1;

function encodeVersion(to: Encoder, { ver, tag }: ObjectVersion): void {
  to.struct(1, 1, () => {
    to.u64big(ver);
    to.rawString(tag);
  });
}

function decodeVersion(from: Decoder): ObjectVersion {
  return from.struct('version', 1, () => ({ ver: from.u64big('ver'), tag: from.rawString('tag') }));
}

function setInput(version: ObjectVersion): Bytes {
  const to = new Encoder(64);
  to.struct(1, 1, () => encodeVersion(to, version));
  return to.finish();
}

function checkInput(version: ObjectVersion): Bytes {
  const to = new Encoder(128);
  to.struct(1, 1, () => {
    encodeVersion(to, version);
    to.list([version], (each) =>
      to.struct(1, 1, () => {
        encodeVersion(to, each);
        to.u32(SAME);
      }),
    );
  });
  return to.finish();
}

/** Runs `decode` over what is stored. @throws RadosError EIO when it does not parse */
export function decodeStored<T>(oid: RawString, bytes: Bytes, decode: (from: Decoder) => T): T {
  try {
    return decode(new Decoder(bytes));
  } catch (error) {
    if (error instanceof MalformedInput) throw new RadosError(Errno.EIO, `${oid}: ${error.message}`);
    throw error;
  }
}

/** Undefined: there is no such object. @throws RadosError */
export async function readMeta(io: IoCtx, oid: RawString): Promise<MetaObject | undefined> {
  const operation = new ObjectOperation().exec('version', 'read').read().getXattrs().stat();
  const { result, ops } = await io.submit(oid, operation);
  if (result === Errno.ENOENT) return undefined;
  if (result < 0) throw new RadosError(result, oid);
  const outputs = ops.map(({ output }) => output);
  const [version, data, xattrs, stat] = outputs;
  if (!version || !data || !xattrs || !stat) throw new RadosError(Errno.EIO, `${oid}: the reply lacks its output`);
  const all = decodeStored(oid, xattrs, decodeOpEntries);
  return {
    data,
    attrs: new Map([...all].filter(([name]) => name.startsWith(ATTR_PREFIX))),
    version: decodeStored(oid, version, (from) => from.struct('version', 1, () => decodeVersion(from))),
    modified: decodeStored(oid, stat, (from) => {
      from.u64saturating('size');
      return { sec: from.u32('mtime'), nsec: from.u32('mtime') };
    }),
  };
}

/** @throws RadosError EEXIST */
export async function createMeta(
  io: IoCtx,
  oid: RawString,
  change: MetaChange,
  entropy: Entropy,
): Promise<ObjectVersion> {
  const version: ObjectVersion = { ver: 1n, tag: randomAlphanumeric(entropy, TAG_LENGTH) };
  const operation = new ObjectOperation().create(true).exec('version', 'set', setInput(version), 'write');
  await io.operate(oid, applied(operation, change));
  return version;
}

/** @throws RadosError ECANCELED when the object has another version now; ENOENT */
export async function updateMeta(
  io: IoCtx,
  oid: RawString,
  from: ObjectVersion,
  change: MetaChange,
  entropy: Entropy,
): Promise<ObjectVersion> {
  const tag = from.tag === '' ? randomAlphanumeric(entropy, TAG_LENGTH) : from.tag;
  const version: ObjectVersion = { ver: BigInt.asUintN(64, from.ver + 1n), tag };
  const operation = checked(from).exec('version', 'set', setInput(version), 'write');
  await io.operate(oid, applied(operation, change));
  return version;
}

/** @throws RadosError ECANCELED when the object has another version now; ENOENT */
export async function removeMeta(io: IoCtx, oid: RawString, from: ObjectVersion): Promise<void> {
  await io.operate(oid, checked(from).remove());
}

/** Fails with ENOENT or ECANCELED unless the object is there, of this version. */
function checked(version: ObjectVersion): ObjectOperation {
  return new ObjectOperation().stat().exec('version', 'check_conds', checkInput(version), 'write');
}

function applied(operation: ObjectOperation, { data, attrs = new Map() }: MetaChange): ObjectOperation {
  operation.writeFull(data);
  for (const [name, value] of attrs) {
    if (value === undefined) operation.rmXattr(name);
    else operation.setXattr(name, value);
  }
  return operation;
}
