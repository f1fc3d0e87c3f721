/**
 * Takes a stream of bytes and stores it in stripes, while it comes: what is held is one stripe, and those whose writes are
 * under way.
 */
import { type Bytes, concatBytes, EMPTY } from '@spirula/encoding';
import type { Hasher, Memory } from '@spirula/world';
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
  /** Where stripes are gathered. Those that have been written are given back; what is kept for the head is for the caller to. */
  readonly memory?: Memory | undefined;
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
  let stripe = new Stripe(sink.headBytes || sink.stripeBytes, sink.memory);
  let size = 0;
  let flushed = 0;
  const flush = async () => {
    const plain = stripe.end();
    const data = sink.cipher?.encrypt(plain, flushed) ?? plain;
    if (data !== plain) sink.memory?.giveBack(plain);
    flushed += data.length;
    if (head === undefined && sink.headBytes > 0) head = data;
    else await writes.add(data);
    stripe = new Stripe(sink.stripeBytes, sink.memory);
  };
  try {
    for await (const chunk of body) {
      sink.hasher.update(chunk);
      size += chunk.length;
      for (let rest = chunk; rest.length > 0; ) {
        const taken = rest.length <= stripe.room ? rest : rest.subarray(0, stripe.room);
        stripe.add(taken);
        rest = rest.subarray(taken.length);
        if (stripe.room === 0) await flush();
      }
    }
    if (stripe.length > 0) await flush();
  } finally {
    await writes.settled();
  }
  writes.throwFailure();
  return { head: head ?? EMPTY, size };
}

/** Of less, pieces are kept as they come: most objects are small. */
const GATHERED_FROM_BYTES = 256 << 10;

/** A stripe while it comes. */
class Stripe {
  readonly #capacity: number;
  readonly #memory: Memory | undefined;
  #parts: Bytes[] = [];
  /** With the parts, once there is much of it. */
  #gathered: Uint8Array | undefined;
  length = 0;

  constructor(capacity: number, memory: Memory | undefined) {
    this.#capacity = capacity;
    this.#memory = memory;
  }

  get room(): number {
    return this.#capacity - this.length;
  }

  add(part: Bytes): void {
    if (this.#memory && !this.#gathered && this.length + part.length > GATHERED_FROM_BYTES) {
      this.#gathered = this.#memory.take(this.#capacity);
      this.#gathered.set(concatBytes(this.#parts));
      this.#parts = [];
    }
    if (this.#gathered) this.#gathered.set(part, this.length);
    else this.#parts.push(part);
    this.length += part.length;
  }

  /** All of it. */
  end(): Bytes {
    const gathered = this.#gathered;
    if (!gathered) return concatBytes(this.#parts);
    if (this.length === gathered.length) return gathered;
    const bytes = gathered.slice(0, this.length);
    this.#memory?.giveBack(gathered);
    return bytes;
  }
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
      () => this.#sink.memory?.giveBack(data),
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
