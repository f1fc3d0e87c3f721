/** Arithmetic on the values of omap keys, which are decimal texts (cls/numops/cls_numops.cc). */
import { bytesFromRaw, type Decoder, Errno, type RawString, rawFromBytes } from '@spirula/encoding';
import { type CNumber, formatCNumber, parseCNumber } from './c-number.ts';
import type { MethodContext } from './method-context.ts';
import { ClassError, MethodFlag, method, type ObjectClass } from './object-class.ts';

/** DECIMAL_PRECISION: significant digits that are kept. */
const PRECISION = 10;

const ZERO: CNumber = { value: 0, isNegativeNan: false };

interface NumopsInput {
  readonly key: RawString;
  readonly operand: RawString;
}

function decodeInput(decoder: Decoder): NumopsInput {
  return { key: decoder.rawString('key'), operand: decoder.rawString('operand') };
}

function parse(text: RawString, otherwise: number): CNumber {
  const number = parseCNumber(text);
  if (number === undefined) throw new ClassError(otherwise);
  return number;
}

/** A NaN keeps the sign of the operand that brought it; one that arises is negative, as processors make it. */
function combine(a: CNumber, b: CNumber, value: number): CNumber {
  if (!Number.isNaN(value)) return { value, isNegativeNan: false };
  const source = [a, b].find((each) => Number.isNaN(each.value));
  return { value, isNegativeNan: source?.isNegativeNan ?? true };
}

/** What is not there, or empty, counts as 0. */
function calculate(apply: (stored: number, operand: number) => number) {
  return (object: MethodContext, { key, operand }: NumopsInput): void => {
    const given = parse(operand, Errno.EINVAL);
    const bytes = object.omapGet(key);
    const stored = bytes === undefined ? ZERO : parse(rawFromBytes(bytes), Errno.EBADMSG);
    const result = combine(stored, given, apply(stored.value, given.value));
    object.omapSet(new Map([[key, bytesFromRaw(formatCNumber(result, PRECISION))]]));
  };
}

const { read, write } = MethodFlag;

export const numopsClass: ObjectClass = {
  name: 'numops',
  methods: {
    add: method(
      read | write,
      decodeInput,
      calculate((stored, operand) => stored + operand),
    ),
    mul: method(
      read | write,
      decodeInput,
      calculate((stored, operand) => stored * operand),
    ),
  },
};
