/** What an object class is made of: methods that run on an OSD, on one object, inside of a request. */
import { type Bytes, Decoder, EMPTY, Errno, MalformedInput } from '@spirula/encoding';
import type { MethodContext } from './method-context.ts';

/** CLS_METHOD_*: what a method may do. What it does beyond that makes it fail with EIO. */
export const MethodFlag = {
  /** Reads the object (`stat` aside). */
  read: 1,
  /** Changes it: its call is a write, goes through the log and to the replicas. */
  write: 2,
  /** An object that a cache tier lacks is fetched before. */
  promote: 8,
} as const;

export interface MethodOutcome {
  /** 0, a positive value, or a negative errno. A write's client sees positive ones only where it asks for values (RETURNVEC). */
  readonly code: number;
  readonly output: Bytes;
}

export interface ClassMethod {
  /** Some of `MethodFlag`. */
  readonly flags: number;
  run(object: MethodContext, input: Bytes): MethodOutcome;
}

export interface ObjectClass {
  readonly name: string;
  readonly methods: Readonly<Record<string, ClassMethod>>;
}

/** A method fails with an errno; nothing of its whole request is kept. */
export class ClassError extends Error {
  override readonly name = 'ClassError';
  /** Negative errno. */
  readonly code: number;

  constructor(code: number) {
    super(`errno ${-code}`);
    this.code = code;
  }
}

export const NOTHING: MethodOutcome = { code: 0, output: EMPTY };

/**
 * A method of the usual kind: takes what `decode` makes of the input, and answers bytes or nothing.
 *
 * @param decode MalformedInput that it throws is EINVAL to the client
 * @param run fails with what ClassError it throws
 */
export function method<Input>(
  flags: number,
  decode: (input: Decoder) => Input,
  // biome-ignore lint/suspicious/noConfusingVoidType: a method that answers nothing has nothing to return
  run: (object: MethodContext, input: Input) => Bytes | void,
): ClassMethod {
  return {
    flags,
    run(object, input) {
      const output = run(object, decode(new Decoder(input)));
      return output === undefined ? NOTHING : { code: 0, output };
    },
  };
}

/** A method that takes bytes as they are, and may answer any value. */
export function rawMethod(flags: number, run: ClassMethod['run']): ClassMethod {
  return { flags, run };
}

/** Runs a method: its failures are outcomes. What else it throws is a bug of the class, and not caught. */
export function runMethod({ run }: ClassMethod, object: MethodContext, input: Bytes): MethodOutcome {
  try {
    return run(object, input);
  } catch (error) {
    if (error instanceof ClassError) return { code: error.code, output: EMPTY };
    if (error instanceof MalformedInput) return { code: Errno.EINVAL, output: EMPTY };
    throw error;
  }
}

/** Decodes what the object holds. @throws ClassError EIO when it does not parse: nobody sent that just now */
export function decodeStored<T>(stored: Bytes, decode: (decoder: Decoder) => T): T {
  try {
    return decode(new Decoder(stored));
  } catch (error) {
    if (error instanceof MalformedInput) throw new ClassError(Errno.EIO);
    throw error;
  }
}
