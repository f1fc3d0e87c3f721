/** Sums of an object's data (PrimaryLogPG::do_checksum, finish_checksum; common/Checksummer.h). */
import { type Bytes, crc32c, Decoder, EMPTY, Encoder, Errno, xxhash32, xxhash64 } from '@spirula/encoding';
import { type ChecksumArgs, ChecksumType, checksumArgs, type OsdOp, OsdOpCode } from '@spirula/messages';
import { answered, DONE, failed, type OpContext, type OpHandler, type OpOutcome } from './op-context.ts';

/** Adds the sum of `bytes` to a reply. */
type Sum = (bytes: Bytes, output: Encoder) => void;

/** Answers how many sums there are, and the sums. */
function checksum(context: OpContext, op: OsdOp): OpOutcome {
  const args = checksumArgs(op);
  const { offset, chunkSize, type } = args;
  if (chunkSize > 0 && (args.length === 0 || args.length % chunkSize !== 0)) return failed(Errno.EINVAL);
  const { size } = context.draft;
  if (offset >= size && (offset > 0 || args.length > 0)) return DONE;
  const length = lengthWithin(args, size);
  if (chunkSize > 0 && length % chunkSize !== 0) return failed(Errno.EINVAL);
  const sum = sumOf(type, op.input);
  if (sum === undefined) return failed(Errno.EINVAL);
  const data = length === 0 ? EMPTY : context.draft.read(offset, length);
  if (data === undefined) return failed(Errno.ENOENT);
  return answered(sumChunks(data, chunkSize, sum));
}

/** Nothing asked for is all of it. */
function lengthWithin({ offset, length }: ChecksumArgs, size: number): number {
  return offset === 0 && length === 0 ? size : Math.min(length, size - offset);
}

function sumChunks(data: Bytes, chunkSize: number, sum: Sum): Bytes {
  const each = chunkSize === 0 ? data.length : chunkSize;
  const count = each === 0 ? 0 : data.length / each;
  const output = new Encoder();
  output.u32(count);
  for (let i = 0; i < count; i++) sum(data.subarray(i * each, (i + 1) * each), output);
  return output.finish();
}

/** Undefined: there is no such kind. */
function sumOf(type: number, input: Bytes): Sum | undefined {
  const init = new Decoder(input);
  switch (type) {
    case ChecksumType.xxhash32: {
      const seed = init.u32('init value');
      return (bytes, output) => output.u32(xxhash32(bytes, seed));
    }
    case ChecksumType.xxhash64: {
      const seed = init.u64big('init value');
      return (bytes, output) => output.u64big(xxhash64(bytes, seed));
    }
    case ChecksumType.crc32c: {
      const seed = init.u32('init value');
      return (bytes, output) => output.u32(crc32c(bytes, seed));
    }
    default:
      return undefined;
  }
}

export const checksumOps: readonly (readonly [code: number, handler: OpHandler])[] = [[OsdOpCode.checksum, checksum]];
