/**
 * Takes a stream of bytes and stores it in stripes, while it comes: what is held is one stripe, and those whose writes are
 * under way.
 */
import { type Bytes, concatBytes, EMPTY } from '@spirula/encoding';
import type { Hasher } from '@spirula/world';
import type { BlockCipher } from '../encryption/block-cipher.ts';

/** rgw_put_obj_min_window_size: bytes whose writes may be under way. */
const WINDOW_BYTES = 16 << 20;

export interface StripeSink {
  /** Bytes that are kept back for the head: the first ones. */
  readonly headBytes: number;
  readonly stripeBytes: number;
  /** @param stripe counted from 0, the head not counted */
  write(stripe: number, data: Bytes): Promise<void>;
  /** Sees every byte, in order. */
  readonly hasher: Hasher;
  /** What is stored is encrypted with it. Heads and stripes have whole chunks, but for the last. */
  readonly cipher?: BlockCipher | undefined;
}

export interface Striped {
  /** The first bytes, which nobody has written yet. */
  readonly head: Bytes;
  /** Bytes of the stream. */
  readonly size: number;
}

/**
 * Resolves when all stripes are written.
 *
 * @throws what the stream or a write fails with, after all writes under way have ended
 */
export async function writeStripes(body: AsyncIterable<Bytes>, sink: StripeSink): Promise<Striped> {
  const writes = new Writes(sink);
  let head: Bytes | undefined;
  let room = sink.headBytes;
  let parts: Bytes[] = [];
  let size = 0;
  let flushed = 0;
  const flush = async () => {
    const plain = concatBytes(parts);
    const data = sink.cipher?.encrypt(plain, flushed) ?? plain;
    flushed += data.length;
    parts = [];
    if (head === undefined && sink.headBytes > 0) head = data;
    else await writes.add(data);
    room = sink.stripeBytes;
  };
  if (room === 0) room = sink.stripeBytes;
  try {
    for await (const chunk of body) {
      sink.hasher.update(chunk);
      size += chunk.length;
      for (let rest = chunk; rest.length > 0; ) {
        const taken = rest.length <= room ? rest : rest.subarray(0, room);
        parts.push(taken);
        room -= taken.length;
        rest = rest.subarray(taken.length);
        if (room === 0) await flush();
      }
    }
    if (parts.length > 0) await flush();
  } finally {
    await writes.settled();
  }
  writes.throwFailure();
  return { head: head ?? EMPTY, size };
}

/** Writes under way: a bounded number of bytes. */
class Writes {
  readonly #sink: StripeSink;
  readonly #pending = new Set<Promise<void>>();
  #bytes = 0;
  #next = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(sink: StripeSink) {
    this.#sink = sink;
  }

  /** Resolves when there is room for more. */
  async add(data: Bytes): Promise<void> {
    this.#bytes += data.length;
    const write = this.#sink.write(this.#next, data).then(
      () => {},
      (error: unknown) => {
        this.#failure ??= { error };
      },
    );
    this.#next += 1;
    const settled = write.then(() => {
      this.#bytes -= data.length;
      this.#pending.delete(settled);
    });
    this.#pending.add(settled);
    while (this.#bytes > WINDOW_BYTES) await Promise.race(this.#pending);
    this.throwFailure();
  }

  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
