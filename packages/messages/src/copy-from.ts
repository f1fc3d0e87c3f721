/** Ops that make an object a copy of another: copyFrom, and copyFrom2, which also says where clients have cut it off. */
import { type Bytes, Decoder, Encoder, type RawString } from '@spirula/encoding';
import { type ObjectLocator, type OsdOp, OsdOpCode } from './osd-op.ts';
import { buildOp } from './osd-op-args.ts';
import { decodeObjectLocator, encodeObjectLocator } from './osd-op-codec.ts';

export interface CopyFromArgs {
  readonly snapid: bigint;
  readonly sourceVersion: bigint;
  readonly copyFlags: number;
  readonly sourceFadviseFlags: number;
}

/** CEPH_OSD_COPY_FROM_FLAG_* */
export const CopyFromFlag = {
  flush: 1,
  ignoreOverlay: 2,
  ignoreCache: 4,
  mapSnapClone: 8,
  rwordered: 16,
  /** copyFrom2: the input says, behind the source, the copy's truncate_seq (u32) and truncate_size (u64). */
  truncateSeq: 32,
} as const;

export interface CopySourceName {
  readonly oid: RawString;
  readonly locator: ObjectLocator;
}

/** Where clients are to have cut the copy off last. */
export interface CopyTruncation {
  readonly truncateSeq: number;
  readonly truncateSize: number;
}

/** What is copied, and the truncation, if the op brings one. @throws MalformedInput */
export function copyFromInput(op: OsdOp): CopySourceName & CopyTruncation {
  const input = new Decoder(op.input);
  const source = { oid: input.rawString('source'), locator: decodeObjectLocator(input) };
  const isTold = op.code === OsdOpCode.copyFrom2 && (copyFromArgs(op).copyFlags & CopyFromFlag.truncateSeq) !== 0;
  if (!isTold) return { ...source, truncateSeq: 0, truncateSize: 0 };
  return { ...source, truncateSeq: input.u32('truncate_seq'), truncateSize: input.u64saturating('truncate_size') };
}

/** copyFrom; with a truncation copyFrom2. */
export function copyFromOp(copy: CopyFromArgs, { oid, locator }: CopySourceName, truncation?: CopyTruncation): OsdOp {
  const input = new Encoder();
  input.rawString(oid);
  encodeObjectLocator(input, locator);
  if (truncation) {
    input.u32(truncation.truncateSeq);
    input.u64(truncation.truncateSize);
  }
  const code = truncation ? OsdOpCode.copyFrom2 : OsdOpCode.copyFrom;
  return buildOp(code, input.finish(), 0, (args) => {
    args.u64big(copy.snapid);
    args.u64big(copy.sourceVersion);
    args.u8(copy.copyFlags | (truncation ? CopyFromFlag.truncateSeq : 0));
    args.u32(copy.sourceFadviseFlags);
  });
}

export function copyFromArgs(op: { readonly args: Bytes }): CopyFromArgs {
  const args = new Decoder(op.args);
  return {
    snapid: args.u64big('snapid'),
    sourceVersion: args.u64big('src_version'),
    copyFlags: args.u8('copy flags'),
    sourceFadviseFlags: args.u32('src_fadvise_flags'),
  };
}
