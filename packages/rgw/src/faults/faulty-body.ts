/** A body that passes slowly, or not whole. */
import type { Bytes } from '@spirula/encoding';

export interface BodyFault {
  /** Infinity: as fast as it comes. */
  readonly bytesPerSecond: number;
  /** The body ends with `error` once so many bytes have passed; Infinity: never. One that is no longer passes whole. */
  readonly cutAfter: number;
  readonly error: () => Error;
}

const SECOND_US = 1_000_000;
/** A slow body passes in so many pieces a second. */
const PIECES_PER_SECOND = 10;

/** The pieces of `body`, as the fault lets them through; a slow one's come when their time is over. */
export async function* faultyBody(
  body: AsyncIterable<Bytes>,
  { bytesPerSecond, cutAfter, error }: BodyFault,
  sleep: (us: number) => Promise<void>,
): AsyncGenerator<Bytes> {
  const most = Math.max(1, Math.ceil(bytesPerSecond / PIECES_PER_SECOND));
  let passed = 0;
  for await (const chunk of body) {
    const isCut = passed + chunk.length > cutAfter;
    const rest = isCut ? chunk.subarray(0, cutAfter - passed) : chunk;
    for (let at = 0; at < rest.length; at += most) {
      const piece = rest.subarray(at, at + most);
      if (bytesPerSecond < Number.POSITIVE_INFINITY) {
        await sleep(Math.ceil((piece.length * SECOND_US) / bytesPerSecond));
      }
      yield piece;
    }
    passed += rest.length;
    if (isCut) throw error();
  }
}
