/** Several calls of the class `rbd` in one operation on an object. */
import { type Bytes, Decoder, EMPTY, Encoder, Errno, MalformedInput, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';

export const CLASS = 'rbd';

/** A method, what it is given, and how what it answers is read. */
export interface ClassCall<T> {
  readonly method: string;
  readonly input: Bytes;
  readonly decode: (output: Decoder) => T;
}

export function classCall<T>(
  method: string,
  decode: (output: Decoder) => T,
  encode?: (input: Encoder) => void,
): ClassCall<T> {
  const encoder = new Encoder(64);
  encode?.(encoder);
  return { method, input: encode ? encoder.finish() : EMPTY, decode };
}

/** One call that changes the object. */
export function change(method: string, encode?: (input: Encoder) => void): ObjectOperation {
  const { input } = classCall(method, () => undefined, encode);
  return new ObjectOperation().exec(CLASS, method, input, 'write');
}

type Answers<Calls> = { readonly [K in keyof Calls]: Calls[K] extends ClassCall<infer T> ? T : never };

/** One answer. @throws RadosError with its errno; EIO: it does not parse */
export async function askOne<T>(io: IoCtx, oid: RawString, call: ClassCall<T>): Promise<T> {
  const [answer] = await ask(io, oid, [call]);
  return answer;
}

/** As `askOne`; undefined: ENOENT. @throws RadosError */
export async function askIfThere<T>(io: IoCtx, oid: RawString, call: ClassCall<T>): Promise<T | undefined> {
  try {
    return await askOne(io, oid, call);
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.ENOENT) return undefined;
    throw error;
  }
}

/** Nothing where there is nothing to be changed. @throws RadosError */
export async function changeIfThere(io: IoCtx, oid: RawString, operation: ObjectOperation): Promise<void> {
  const { result } = await io.submit(oid, operation);
  if (result < 0 && result !== Errno.ENOENT) throw new RadosError(result, oid);
}

/** All answers are of one moment. @throws RadosError with the errno of the first that fails; EIO: an answer does not parse */
export async function ask<const Calls extends readonly ClassCall<unknown>[]>(
  io: IoCtx,
  oid: RawString,
  calls: Calls,
): Promise<Answers<Calls>> {
  const operation = new ObjectOperation();
  for (const { method, input } of calls) operation.exec(CLASS, method, input);
  const { outputs } = await io.operate(oid, operation);
  return calls.map(({ decode, method }, i) => {
    try {
      return decode(new Decoder(outputs[i]?.output ?? EMPTY));
    } catch (error) {
      if (error instanceof MalformedInput)
        throw new RadosError(Errno.EIO, `${oid}: the answer of ${method} does not parse`);
      throw error;
    }
  }) as unknown as Answers<Calls>;
}
