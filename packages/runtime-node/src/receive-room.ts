import { type OnReadOpts, Socket } from 'node:net';
import type { Bytes } from '@spirula/encoding';

/** The first piece of memory; the next is so many times as large whenever one was filled by a single read. */
const FIRST_BYTES = 4 << 10;
const GROWTH = 4;
const MAX_BYTES = 64 << 10;
/** Something large is received where it belongs while so much of it is to come; less is not worth a read of its own. */
const LARGE_BYTES = 32 << 10;

/** What is received, and who knows where parts of it belong. */
export interface Receiver {
  readonly room: Uint8Array | undefined;
  onData(chunk: Bytes): void;
}

/**
 * Where a socket puts what it receives: one read after another into the same piece of memory, never twice to the same place,
 * since what was received stays; or, in the middle of something large, right to where that is put together.
 */
export class ReceiveRoom {
  readonly #receiver: Receiver;
  #bytes = new Uint8Array(0);
  #at = 0;
  #nextBytes = FIRST_BYTES;
  /** Where the read under way puts what comes. */
  #target: Uint8Array = this.#bytes;

  constructor(receiver: Receiver) {
    this.#receiver = receiver;
  }

  /** For a socket to be made with. */
  get onread(): OnReadOpts {
    return {
      buffer: () => this.#next(),
      callback: (count) => {
        this.#onRead(count);
        return true;
      },
    };
  }

  #next(): Uint8Array {
    const { room } = this.#receiver;
    if (room !== undefined && room.length >= LARGE_BYTES) this.#target = room;
    else {
      if (this.#bytes.length - this.#at < this.#nextBytes / 4) {
        this.#bytes = new Uint8Array(Buffer.allocUnsafeSlow(this.#nextBytes).buffer);
        this.#at = 0;
      }
      this.#target = this.#bytes.subarray(this.#at);
    }
    return this.#target;
  }

  #onRead(count: number): void {
    const target = this.#target;
    if (target.buffer === this.#bytes.buffer) {
      this.#at += count;
      if (count === target.length) this.#nextBytes = Math.min(MAX_BYTES, this.#nextBytes * GROWTH);
    }
    this.#receiver.onData(count === target.length ? target : target.subarray(0, count));
  }
}

/** The same connection, as a socket that receives to where it is told. Nothing may have been read from it. */
export function receiveInto(accepted: Socket, onread: OnReadOpts): Socket {
  // For sockets that are accepted there is no option to say so: Node's own way to take over a connection is not in its types.
  const { _handle: handle } = accepted as unknown as { readonly _handle: unknown };
  return new Socket({ handle, onread } as ConstructorParameters<typeof Socket>[0]);
}
