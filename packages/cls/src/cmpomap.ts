/** Compares omap values, and changes those of which it holds (cls/cmpomap/server.cc). */
import { type Bytes, compareBytes, Decoder, Errno, MalformedInput, type RawString } from '@spirula/encoding';
import type { MethodContext } from './method-context.ts';
import { ClassError, MethodFlag, method, type ObjectClass } from './object-class.ts';

/** CEPH_OSD_CMPXATTR_MODE_*. */
const Mode = { string: 1, u64: 2 } as const;
/** CEPH_OSD_CMPXATTR_OP_*: the input is ... than what is stored. */
const Comparison = { equal: 1, notEqual: 2, greater: 3, greaterOrEqual: 4, less: 5, lessOrEqual: 6 } as const;

interface CompareInput {
  /** `Mode`. */
  readonly mode: number;
  /** `Comparison`. */
  readonly comparison: number;
  /** In the order of their keys. */
  readonly values: readonly (readonly [key: RawString, value: Bytes])[];
  /** In the place of values that are not there. */
  readonly defaultValue: Bytes | undefined;
}

function decodeInput(decoder: Decoder, hasDefault: boolean): CompareInput {
  return decoder.struct('compare', 1, () => {
    const mode = decoder.u8('mode');
    const comparison = decoder.u8('comparison');
    const values = decoder.map(
      'values',
      8,
      () => decoder.rawString('key'),
      () => decoder.blob('value'),
    );
    const defaultValue = hasDefault
      ? decoder.optional('default value', () => decoder.blob('default value'))
      : undefined;
    return { mode, comparison, values: [...values].sort(([a], [b]) => (a < b ? -1 : 1)), defaultValue };
  });
}

const decodeWithDefault = (decoder: Decoder) => decodeInput(decoder, true);
const decodeWithoutDefault = (decoder: Decoder) => decodeInput(decoder, false);

/** @throws ClassError `code` when it does not parse */
function decodeNumber(value: Bytes, code: number): bigint {
  try {
    return new Decoder(value).u64big('value');
  } catch (error) {
    throw error instanceof MalformedInput ? new ClassError(code) : error;
  }
}

function orderOf(mode: number, input: Bytes, stored: Bytes): number {
  switch (mode) {
    case Mode.string:
      return compareBytes(input, stored);
    case Mode.u64: {
      const number = decodeNumber(input, Errno.EINVAL);
      const other = stored.length === 0 ? 0n : decodeNumber(stored, Errno.EIO);
      return number === other ? 0 : number < other ? -1 : 1;
    }
    default:
      throw new ClassError(Errno.EINVAL);
  }
}

/** EINVAL: the input is no number, or no such comparison. EIO: what is stored is none. */
function holds({ mode, comparison }: CompareInput, input: Bytes, stored: Bytes): boolean {
  const order = orderOf(mode, input, stored);
  switch (comparison) {
    case Comparison.equal:
      return order === 0;
    case Comparison.notEqual:
      return order !== 0;
    case Comparison.greater:
      return order > 0;
    case Comparison.greaterOrEqual:
      return order >= 0;
    case Comparison.less:
      return order < 0;
    case Comparison.lessOrEqual:
      return order <= 0;
    default:
      throw new ClassError(Errno.EINVAL);
  }
}

/** What is stored and is no number does not hold. */
function holdsOrIsNone(compared: CompareInput, input: Bytes, stored: Bytes): boolean {
  try {
    return holds(compared, input, stored);
  } catch (error) {
    if (error instanceof ClassError && error.code === Errno.EIO) return false;
    throw error;
  }
}

function readStored(object: MethodContext, { values }: CompareInput): ReadonlyMap<RawString, Bytes> {
  return object.omapGetByKeys(values.map(([key]) => key));
}

/** ECANCELED: of one it does not hold, or one is not there. */
function compare(object: MethodContext, compared: CompareInput): void {
  const stored = readStored(object, compared);
  for (const [key, input] of compared.values) {
    const value = stored.get(key) ?? compared.defaultValue;
    if (!value || !holds(compared, input, value)) throw new ClassError(Errno.ECANCELED);
  }
}

function compareAndSet(object: MethodContext, compared: CompareInput): void {
  const stored = readStored(object, compared);
  const held = compared.values.filter(([key, input]) => {
    const value = stored.get(key) ?? compared.defaultValue;
    return value !== undefined && holdsOrIsNone(compared, input, value);
  });
  if (held.length > 0) object.omapSet(new Map(held));
}

function compareAndRemove(object: MethodContext, compared: CompareInput): void {
  const stored = readStored(object, compared);
  for (const [key, input] of compared.values) {
    const value = stored.get(key);
    if (value && holdsOrIsNone(compared, input, value)) object.omapRemove([key]);
  }
}

const { read, write } = MethodFlag;

export const cmpomapClass: ObjectClass = {
  name: 'cmpomap',
  methods: {
    cmp_vals: method(read, decodeWithDefault, compare),
    cmp_set_vals: method(read | write, decodeWithDefault, compareAndSet),
    cmp_rm_keys: method(read | write, decodeWithoutDefault, compareAndRemove),
  },
};
