/** The 28-byte union of an op (ceph_osd_op, include/rados.h): reading it by the op's kind, and building ops. */
import {
  type Bytes,
  bytesFromRaw,
  concatBytes,
  Decoder,
  EMPTY,
  Encoder,
  type Epoch,
  type RawString,
  rawFromBytes,
  utf8,
} from '@spirula/encoding';
import { type ExtentArgs, type OsdOp, OsdOpCode } from './osd-op.ts';

export const OSD_OP_ARGS_BYTES = 28;
const NO_ARGS: Bytes = new Uint8Array(OSD_OP_ARGS_BYTES);

export function buildOp(code: number, input: Bytes, flags: number, write: (args: Encoder) => void): OsdOp {
  const args = new Encoder(OSD_OP_ARGS_BYTES);
  write(args);
  while (args.length < OSD_OP_ARGS_BYTES) args.u8(0);
  return { code, flags, args: args.finish(), input };
}

/** An op without arguments: stat, delete, create, the omap ops … Ceph's clients fill in the length of its payload. */
export function plainOp(code: number, input: Bytes = EMPTY, flags = 0): OsdOp {
  return input.length === 0 ? { code, flags, args: NO_ARGS, input } : extentOp(code, 0, input.length, input, flags);
}

/** omapGetVals: at most `max` entries, in key order, whose keys follow `after` and begin with `prefix`. */
export function omapGetValsOp(after: RawString, max: number, prefix: RawString = ''): OsdOp {
  const input = new Encoder(64);
  input.rawString(after);
  input.u64(max);
  input.rawString(prefix);
  return plainOp(OsdOpCode.omapGetVals, input.finish());
}

/** omapGetKeys: at most `max` keys, in order, that follow `after`. */
export function omapGetKeysOp(after: RawString, max: number): OsdOp {
  const input = new Encoder(64);
  input.rawString(after);
  input.u64(max);
  return plainOp(OsdOpCode.omapGetKeys, input.finish());
}

/** What getxattrs, omapGetVals and omapGetValsByKeys answer with: views into the input. @throws MalformedInput */
export function decodeOpEntries(output: Decoder): Map<RawString, Bytes> {
  return output.map(
    'values',
    8,
    () => output.rawString('key'),
    () => output.blob('value'),
  );
}

/** read, sparseRead, write, writefull, append, truncate, zero, cmpext. */
export function extentOp(code: number, offset: number, length: number, input: Bytes = EMPTY, flags = 0): OsdOp {
  return buildOp(code, input, flags, (args) => {
    args.u64(offset);
    args.u64(length);
  });
}

export function extentArgs(op: { readonly args: Bytes }): ExtentArgs {
  const args = new Decoder(op.args);
  return {
    offset: args.u64saturating('offset'),
    length: args.u64saturating('length'),
    truncateSize: args.u64saturating('truncate_size'),
    truncateSeq: args.u32('truncate_seq'),
  };
}

/** `input` is repeated over `length` bytes. */
export function writesameOp(offset: number, length: number, input: Bytes): OsdOp {
  return buildOp(OsdOpCode.writesame, input, 0, (args) => {
    args.u64(offset);
    args.u64(length);
    args.u64(input.length);
  });
}

export function writesameArgs(op: { readonly args: Bytes }) {
  const args = new Decoder(op.args);
  return {
    offset: args.u64saturating('offset'),
    length: args.u64saturating('length'),
    dataLength: args.u64saturating('data_length'),
  };
}

/** CEPH_OSD_CHECKSUM_OP_TYPE_*. */
export const ChecksumType = { xxhash32: 0, xxhash64: 1, crc32c: 2 } as const;

export interface ChecksumArgs {
  readonly offset: number;
  readonly length: number;
  /** Of each piece that is summed by itself; 0: one sum of all. */
  readonly chunkSize: number;
  readonly type: number;
}

/** checksum; `init` is the first value of each sum: 4 bytes, 8 for xxhash64. */
export function checksumOp({ offset, length, chunkSize, type }: ChecksumArgs, init: Bytes): OsdOp {
  return buildOp(OsdOpCode.checksum, init, 0, (args) => {
    args.u64(offset);
    args.u64(length);
    args.u32(chunkSize);
    args.u8(type);
  });
}

export function checksumArgs(op: { readonly args: Bytes }): ChecksumArgs {
  const args = new Decoder(op.args);
  return {
    offset: args.u64saturating('offset'),
    length: args.u64saturating('length'),
    chunkSize: args.u32('chunk_size'),
    type: args.u8('checksum type'),
  };
}

/** CEPH_OSD_CMPXATTR_OP_* and _MODE_*. */
export const CmpXattrOp = { eq: 1, ne: 2, gt: 3, gte: 4, lt: 5, lte: 6 } as const;
export const CmpXattrMode = { string: 1, u64: 2 } as const;

/** getxattr, setxattr, rmxattr; with `compare`, cmpxattr. */
export function xattrOp(
  code: number,
  name: RawString,
  value: Bytes = EMPTY,
  compare: { readonly op: number; readonly mode: number } = { op: 0, mode: 0 },
): OsdOp {
  return buildOp(code, concatBytes([bytesFromRaw(name), value]), 0, (args) => {
    args.u32(name.length);
    args.u32(value.length);
    args.u8(compare.op);
    args.u8(compare.mode);
  });
}

export interface XattrArgs {
  readonly name: RawString;
  readonly value: Bytes;
  readonly compareOp: number;
  readonly compareMode: number;
}

/** @throws MalformedInput when the lengths exceed the op's input. */
export function xattrArgs(op: OsdOp): XattrArgs {
  const args = new Decoder(op.args);
  const nameLength = args.u32('name_len');
  const valueLength = args.u32('value_len');
  const input = new Decoder(op.input);
  return {
    name: rawFromBytes(input.raw(nameLength, 'xattr name')),
    value: input.raw(valueLength, 'xattr value'),
    compareOp: args.u8('cmp_op'),
    compareMode: args.u8('cmp_mode'),
  };
}

export function callOp(cls: string, method: string, input: Bytes = EMPTY): OsdOp {
  const [className, methodName] = [utf8(cls), utf8(method)];
  return buildOp(OsdOpCode.call, concatBytes([className, methodName, input]), 0, (args) => {
    args.u8(className.length);
    args.u8(methodName.length);
    args.u8(0);
    args.u32(input.length);
  });
}

export interface CallArgs {
  readonly cls: RawString;
  readonly method: RawString;
  readonly input: Bytes;
}

/** A request is asked again and again which methods it calls. */
let lastCall: { readonly op: OsdOp; readonly args: CallArgs } | undefined;

/** @throws MalformedInput when the lengths exceed the op's input. */
export function callArgs(op: OsdOp): CallArgs {
  if (lastCall?.op !== op) lastCall = { op, args: decodeCall(op) };
  return lastCall.args;
}

function decodeCall(op: OsdOp): CallArgs {
  const args = new Decoder(op.args);
  const classLength = args.u8('class_len');
  const methodLength = args.u8('method_len');
  args.u8('argc');
  const inputLength = args.u32('indata_len');
  const input = new Decoder(op.input);
  return {
    cls: rawFromBytes(input.raw(classLength, 'class name')),
    method: rawFromBytes(input.raw(methodLength, 'method name')),
    input: input.raw(inputLength, 'call input'),
  };
}

/** CEPH_OSD_WATCH_OP_*. */
export const WatchOp = { unwatch: 0, legacyWatch: 1, watch: 3, reconnect: 5, ping: 7 } as const;

export interface WatchArgs {
  readonly cookie: bigint;
  readonly ver: bigint;
  readonly op: number;
  readonly gen: number;
  /** Seconds; 0 takes the OSD's default. */
  readonly timeout: number;
}

export function watchOp({ cookie, ver, op, gen, timeout }: WatchArgs): OsdOp {
  return buildOp(OsdOpCode.watch, EMPTY, 0, (args) => {
    args.u64big(cookie);
    args.u64big(ver);
    args.u8(op);
    args.u32(gen);
    args.u32(timeout);
  });
}

export function watchArgs(op: { readonly args: Bytes }): WatchArgs {
  const args = new Decoder(op.args);
  return {
    cookie: args.u64big('cookie'),
    ver: args.u64big('ver'),
    op: args.u8('watch op'),
    gen: args.u32('gen'),
    timeout: args.u32('timeout'),
  };
}

/** notify and notifyAck. */
export function notifyOp(code: number, cookie: bigint, input: Bytes): OsdOp {
  return buildOp(code, input, 0, (args) => args.u64big(cookie));
}

export function notifyArgs(op: { readonly args: Bytes }): { readonly cookie: bigint } {
  return { cookie: new Decoder(op.args).u64big('cookie') };
}

export function rollbackOp(snapid: bigint): OsdOp {
  return buildOp(OsdOpCode.rollback, EMPTY, 0, (args) => args.u64big(snapid));
}

export function rollbackArgs(op: { readonly args: Bytes }): { readonly snapid: bigint } {
  return { snapid: new Decoder(op.args).u64big('snapid') };
}

/** Fails with -ERANGE or -EOVERFLOW unless the object's user version is `version`. */
export function assertVerOp(version: number): OsdOp {
  return buildOp(OsdOpCode.assertVer, EMPTY, 0, (args) => {
    args.u64(0);
    args.u64(version);
  });
}

export function assertVerArgs(op: { readonly args: Bytes }): { readonly version: number } {
  const args = new Decoder(op.args);
  args.u64big('unused');
  return { version: args.u64saturating('ver') };
}

export interface AllocHintArgs {
  readonly expectedObjectSize: number;
  readonly expectedWriteSize: number;
  readonly hintFlags: number;
}

export function allocHintOp({ expectedObjectSize, expectedWriteSize, hintFlags }: AllocHintArgs): OsdOp {
  return buildOp(OsdOpCode.setAllocHint, EMPTY, 0, (args) => {
    args.u64(expectedObjectSize);
    args.u64(expectedWriteSize);
    args.u32(hintFlags);
  });
}

export function allocHintArgs(op: { readonly args: Bytes }): AllocHintArgs {
  const args = new Decoder(op.args);
  return {
    expectedObjectSize: args.u64saturating('expected_object_size'),
    expectedWriteSize: args.u64saturating('expected_write_size'),
    hintFlags: args.u32('alloc hint flags'),
  };
}

export interface PgnlsArgs {
  /** At most so many entries. */
  readonly count: number;
  readonly startEpoch: Epoch;
}

/** pgnls; `cursor` is an encoded hobject_t. */
export function pgnlsOp(count: number, startEpoch: Epoch, cursor: Bytes): OsdOp {
  return buildOp(OsdOpCode.pgnls, cursor, 0, (args) => {
    args.u64(count);
    args.u32(startEpoch);
  });
}

export function pgnlsArgs(op: { readonly args: Bytes }): PgnlsArgs {
  const args = new Decoder(op.args);
  return { count: args.u64saturating('count'), startEpoch: args.u32('start_epoch') };
}
