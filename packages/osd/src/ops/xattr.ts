/** Ops on a user's xattrs (PrimaryLogPG::do_osd_ops, do_xattr_cmp_str, do_xattr_cmp_u64). */
import {
  type Bytes,
  compareBytes,
  Decoder,
  EMPTY,
  Encoder,
  Errno,
  type RawString,
  rawFromBytes,
} from '@spirula/encoding';
import { CmpXattrMode, CmpXattrOp, type OsdOp, OsdOpCode, xattrArgs } from '@spirula/messages';
import { storedAttrName, userAttrName } from '../object-info.ts';
import { answered, DONE, failed, type OpContext, type OpHandler, type OpOutcome } from './op-context.ts';

function getXattr({ draft }: OpContext, op: OsdOp): OpOutcome {
  const { name } = xattrArgs(op);
  if (!draft.isStored) return failed(Errno.ENOENT);
  const value = name === '' ? undefined : draft.getAttr(storedAttrName(name));
  return value === undefined ? failed(Errno.ENODATA) : answered(value);
}

function getXattrs({ draft }: OpContext): OpOutcome {
  if (!draft.isStored) return failed(Errno.ENOENT);
  const attrs = new Map<RawString, Bytes>();
  for (const [stored, value] of draft.getAttrs()) {
    const name = userAttrName(stored);
    if (name !== undefined) attrs.set(name, value);
  }
  const output = new Encoder();
  output.map(
    attrs,
    (name) => output.rawString(name),
    (value) => output.blob(value),
  );
  return answered(output.finish());
}

function setXattr({ draft, environment: { config } }: OpContext, op: OsdOp): OpOutcome {
  const { name, value } = xattrArgs(op);
  if (config.osd_max_attr_size > 0 && value.length > config.osd_max_attr_size) return failed(Errno.EFBIG);
  if (name.length > config.osd_max_attr_name_len) return failed(Errno.ENAMETOOLONG);
  // Its stored name is that of the object's info, which replaces what is set here when the request is done.
  if (name === '') draft.create();
  else draft.setAttr(storedAttrName(name), value);
  return DONE;
}

function rmXattr({ draft }: OpContext, op: OsdOp): OpOutcome {
  const { name } = xattrArgs(op);
  if (!draft.exists) return failed(Errno.ENOENT);
  // As in setXattr.
  if (name === '') draft.create();
  else draft.rmAttr(storedAttrName(name));
  return DONE;
}

/** Answers 1 when the comparison, the given value first, is true. An absent xattr is empty. */
function compareXattr({ draft }: OpContext, op: OsdOp): OpOutcome {
  const { name, value, compareOp, compareMode } = xattrArgs(op);
  if (!draft.exists || !draft.isStored) return failed(Errno.ENOENT);
  const stored = draft.getAttr(storedAttrName(name)) ?? EMPTY;
  const order = compareMode === CmpXattrMode.string ? compareBytes(value, stored) : compareNumbers(value, stored);
  if (compareMode !== CmpXattrMode.string && compareMode !== CmpXattrMode.u64) return failed(Errno.EINVAL);
  const holds = orderSatisfies(compareOp, order);
  if (holds === undefined) return failed(Errno.EINVAL);
  return holds ? { code: 1, output: EMPTY } : failed(Errno.ECANCELED);
}

/** The given value is a 64-bit integer, the stored one text. */
function compareNumbers(value: Bytes, stored: Bytes): number {
  const given = new Decoder(value).u64big('value');
  const other = leadingNumber(stored);
  return given < other ? -1 : given > other ? 1 : 0;
}

const MAX_U64 = 0xffff_ffff_ffff_ffffn;
/** So much of an xattr's beginning may belong to its number. */
const NUMBER_BYTES = 64;

/**
 * The number that the text begins with, as C's strtoull reads it: behind white space and a sign, up to what is no digit;
 * 0 without digits, the largest when too large, and a negative one counted down from 2^64.
 */
function leadingNumber(text: Bytes): bigint {
  const [, sign, digits] = /^[\t-\r ]*([+-]?)(\d+)/.exec(rawFromBytes(text.subarray(0, NUMBER_BYTES))) ?? [];
  const number = BigInt(digits ?? 0);
  if (number > MAX_U64) return MAX_U64;
  return sign === '-' ? BigInt.asUintN(64, -number) : number;
}

/** Undefined: no such comparison. */
function orderSatisfies(compareOp: number, order: number): boolean | undefined {
  switch (compareOp) {
    case CmpXattrOp.eq:
      return order === 0;
    case CmpXattrOp.ne:
      return order !== 0;
    case CmpXattrOp.gt:
      return order > 0;
    case CmpXattrOp.gte:
      return order >= 0;
    case CmpXattrOp.lt:
      return order < 0;
    case CmpXattrOp.lte:
      return order <= 0;
    default:
      return undefined;
  }
}

export const xattrOps: readonly (readonly [code: number, handler: OpHandler])[] = [
  [OsdOpCode.getxattr, getXattr],
  [OsdOpCode.getxattrs, getXattrs],
  [OsdOpCode.cmpxattr, compareXattr],
  [OsdOpCode.setxattr, setXattr],
  [OsdOpCode.rmxattr, rmXattr],
];
